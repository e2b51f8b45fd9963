import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/** Deliveries of one source as they were stored, the newest first; rejected ones are left out. */
export function createStoredDeliveries({ db, source }: { db: Kysely<Database>; source: string }): {
  read(query: { since: Date; limit: number }): Promise<{ body: Uint8Array; receivedAt: Date }[]>
} {
  return {
    async read({ since, limit }) {
      const { rows } = await sql<{ body: Uint8Array; receivedAt: Date }>`
        select body, received_at as "receivedAt" from inbox
        where source = ${source} and received_at >= ${since} and state <> 'rejected' order by id desc limit ${limit}`.execute(db)
      return rows
    },
  }
}
