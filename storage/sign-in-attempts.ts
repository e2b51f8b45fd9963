import { sql } from 'kysely'
import type { Executor } from './schema.ts'

/** Browsers on their way to the identity provider and back, known by what their tokens hash to. */
export interface SignInAttempts {
  /** `returnTo` is a path of ours; `seconds` up to 600. */
  begin(attempt: { tokenHash: string; returnTo: string; seconds: number }): Promise<void>
  /** Each can be taken once; null when there is none, it was taken, or its time is over. */
  take(tokenHash: string): Promise<{ returnTo: string } | null>
}

export function createSignInAttempts({ db }: { db: Executor }): SignInAttempts {
  return {
    async begin({ tokenHash, returnTo, seconds }) {
      await sql`delete from sign_in_attempt where expires_at <= clk()`.execute(db)
      await sql`
        insert into sign_in_attempt (token_hash, return_to, created_at, expires_at)
        select ${tokenHash}, ${returnTo}, t.at, t.at + make_interval(secs => ${seconds}::int) from (select clk() as at) t`.execute(db)
    },
    async take(tokenHash) {
      const taken = await db
        .deleteFrom('sign_in_attempt')
        .where('token_hash', '=', tokenHash)
        .returning(['return_to', sql<boolean>`expires_at > clk()`.as('in_time')])
        .executeTakeFirst()
      return taken?.in_time ? { returnTo: taken.return_to } : null
    },
  }
}
