import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/**
 * The right to do what only one process may do, for a while. Times are the database's. The epoch grows with each new holder and after each
 * lapse: writes that carry it are refused from whoever held it before.
 */
export interface Leases {
  /** Takes the lease, or keeps it if `holder` has it; null while somebody else does. */
  acquire(name: string, holder: string, ttlSeconds: number): Promise<{ epoch: number } | null>
  /** Prolongs a lease that is still held. False when it lapsed or went to another: stop at once. */
  renew(name: string, holder: string, epoch: number, ttlSeconds: number): Promise<boolean>
  /** Lets go early, so that another need not wait for the end. */
  release(name: string, holder: string, epoch: number): Promise<void>
  /** The current holder, if the lease has not lapsed. */
  current(name: string): Promise<{ holder: string; epoch: number; expiresAt: Date } | null>
}

export function createLeases({ db }: { db: Kysely<Database> }): Leases {
  return {
    async acquire(name, holder, ttlSeconds) {
      const { rows } = await sql<{ epoch: number }>`
        insert into lease as held (name, holder, epoch, expires_at) values (${name}, ${holder}, 1, ${endsIn(ttlSeconds)})
        on conflict (name) do update set
          holder = excluded.holder,
          epoch = held.epoch + case when held.expires_at > clk() then 0 else 1 end,
          expires_at = excluded.expires_at
        where held.holder = excluded.holder or held.expires_at <= clk()
        returning epoch`.execute(db)
      return rows[0] ?? null
    },
    async renew(name, holder, epoch, ttlSeconds) {
      const result = await sql`
        update lease set expires_at = ${endsIn(ttlSeconds)}
        where name = ${name} and holder = ${holder} and epoch = ${epoch} and expires_at > clk()`.execute(db)
      return result.numAffectedRows === 1n
    },
    async release(name, holder, epoch) {
      await sql`
        update lease set expires_at = clk() where name = ${name} and holder = ${holder} and epoch = ${epoch} and expires_at > clk()`.execute(
        db,
      )
    },
    async current(name) {
      const { rows } = await sql<{ holder: string; epoch: number; expiresAt: Date }>`
        select holder, epoch, expires_at as "expiresAt" from lease where name = ${name} and expires_at > clk()`.execute(db)
      return rows[0] ?? null
    },
  }
}

function endsIn(ttlSeconds: number): ReturnType<typeof sql> {
  return sql`clk() + make_interval(secs => ${ttlSeconds})`
}
