import type { Kysely } from 'kysely'
import type { RefusedAttempts } from '../agent/ports.ts'
import type { Database } from './schema.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Who was refused what, as rows of the audit log. The table itself leaves out what it has already heard within the hour. */
export function createRefusedAttempts({ db }: { db: Kysely<Database> }): RefusedAttempts {
  return {
    async note({ person, what, code, requestId }) {
      const known = requestId !== null && UUID.test(requestId) ? requestId : null
      const request = known === null ? undefined : await db.selectFrom('request').select('id').where('id', '=', known).executeTakeFirst()
      await db
        .insertInto('refused_attempt')
        .values({ principal_id: person, what, code, request_id: request?.id ?? null })
        .execute()
    },
  }
}
