import { sql } from 'kysely'
import type { Executor } from './schema.ts'

/** More sessions than this at once are no team: the oldest make room, so that the table stays small whoever signs in. */
const MOST_SESSIONS = 2_000

/** Signed-in browsers, known by what their tokens hash to. */
export interface SessionStore {
  /** `seconds` up to 28800 (8 hours). */
  open(session: { tokenHash: string; personId: string; method: 'named' | 'oidc'; seconds: number }): Promise<{ expiresAt: Date }>
  /** Null when there is no such session or its time is over. */
  find(tokenHash: string): Promise<{ personId: string; method: 'named' | 'oidc'; expiresAt: Date } | null>
  /** Ending what has ended already is no error. */
  end(tokenHash: string): Promise<void>
}

export function createSessionStore({ db }: { db: Executor }): SessionStore {
  return {
    async open({ tokenHash, personId, method, seconds }) {
      await sql`
        delete from session where expires_at <= clk()
          or token_hash in (select token_hash from session order by created_at desc offset ${MOST_SESSIONS - 1})`.execute(db)
      const { rows } = await sql<{ expires_at: Date }>`
        insert into session (token_hash, person_id, method, created_at, expires_at)
        select ${tokenHash}, ${personId}, ${method}, t.at, t.at + make_interval(secs => ${seconds}::int)
        from (select clk() as at) t
        returning expires_at`.execute(db)
      return { expiresAt: rows[0]?.expires_at ?? missing() }
    },
    async find(tokenHash) {
      const row = await db
        .selectFrom('session')
        .select(['person_id', 'method', 'expires_at'])
        .where('token_hash', '=', tokenHash)
        .where(sql<boolean>`expires_at > clk()`)
        .executeTakeFirst()
      return row ? { personId: row.person_id, method: row.method, expiresAt: row.expires_at } : null
    },
    async end(tokenHash) {
      await db.deleteFrom('session').where('token_hash', '=', tokenHash).execute()
    },
  }
}

function missing(): never {
  throw new Error('the database returned no row for a session it stored')
}
