import type { Kysely } from 'kysely'
import type { AcceptedEffects } from '../agent/ports.ts'
import type { Database } from './schema.ts'

/** Effects that only the journal knows and that a person on the host has taken responsibility for; each is a row of the audit log. */
export function createAcceptedEffects({ db }: { db: Kysely<Database> }): AcceptedEffects {
  return {
    async list() {
      const rows = await db.selectFrom('accepted_effect').select(['plan_id', 'digest']).execute()
      return rows.map((row) => ({ planId: row.plan_id, digest: row.digest }))
    },
    async accept(entries, reason) {
      if (entries.length === 0) return
      await db
        .insertInto('accepted_effect')
        .values(
          entries.map(({ executionId, planId, digest, resource }) => ({
            execution_id: executionId,
            plan_id: planId,
            digest,
            resource,
            reason,
          })),
        )
        .onConflict((conflict) => conflict.column('execution_id').doNothing())
        .execute()
    },
  }
}
