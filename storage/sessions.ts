import { sql } from 'kysely'
import type { Executor } from './schema.ts'

/** More sessions than this at once are no team: the oldest make room, so that the table stays small whoever signs in. */
const MOST_SESSIONS = 2_000

/** How a session is known at the identity provider. */
export interface ProviderSession {
  /** The issuer, and the id that its account is linked by. */
  tenant: string
  externalId: string
  /** The provider's own id of the account, and of the session if it has one. */
  subject: string
  sid: string | null
  /** The provider's tokens, as only the browser's token opens them; up to 64 KiB. */
  sealed: Uint8Array
  /** After how many seconds the provider is asked again. */
  checkAfterSeconds: number
}

export interface StoredSession {
  personId: string
  method: 'named' | 'oidc'
  expiresAt: Date
  /** Null for a named session. `unconfirmedSeconds`: since the provider last said that it lives. */
  provider: (Pick<ProviderSession, 'tenant' | 'externalId'> & { checkDue: boolean; unconfirmedSeconds: number }) | null
}

/** Signed-in browsers, known by what their tokens hash to. */
export interface SessionStore {
  /** `seconds` up to 28800 (8 hours). A session is one of a provider exactly when `provider` is given. */
  open(session: { tokenHash: string; personId: string; seconds: number; provider: ProviderSession | null }): Promise<{ expiresAt: Date }>
  /** Null when there is no such session or its time is over. */
  find(tokenHash: string): Promise<StoredSession | null>
  /**
   * Asks for the turn to check a session at its provider; null when it is not due, or another has the turn. Who got it and never comes back loses
   * it after `turnSeconds`.
   */
  takeCheck(tokenHash: string, turnSeconds: number): Promise<Pick<ProviderSession, 'subject' | 'sealed'> | null>
  /** The provider said that the session lives. @returns false when it was ended meanwhile */
  confirm(tokenHash: string, sealed: Uint8Array, checkAfterSeconds: number): Promise<boolean>
  /** Ending what has ended already is no error. @returns the sealed tokens of the provider, if there were any */
  end(tokenHash: string): Promise<{ sealed: Uint8Array | null }>
  /** Ends what a provider says is over: one session, or all of an account. At least one of the two ids is given. @returns how many ended */
  endAtProvider(gone: { tenant: string; subject: string | null; sid: string | null }): Promise<number>
}

export function createSessionStore({ db }: { db: Executor }): SessionStore {
  return {
    async open({ tokenHash, personId, seconds, provider }) {
      await sql`
        delete from session where expires_at <= clk()
          or token_hash in (select token_hash from session order by created_at desc offset ${MOST_SESSIONS - 1})`.execute(db)
      const opened = sql`
        insert into session (token_hash, person_id, method, created_at, expires_at)
        select ${tokenHash}, ${personId}, ${provider ? 'oidc' : 'named'}, t.at, t.at + make_interval(secs => ${seconds}::int)
        from (select clk() as at) t
        returning token_hash, created_at, expires_at`
      const { rows } = provider
        ? await sql<{ expires_at: Date }>`
            with opened as (${opened}), known as (
              insert into provider_session (token_hash, tenant, external_id, subject, sid, sealed, confirmed_at, check_at)
              select token_hash, ${provider.tenant}, ${provider.externalId}, ${provider.subject}, ${provider.sid}, ${provider.sealed},
                created_at, created_at + make_interval(secs => ${provider.checkAfterSeconds}::int)
              from opened)
            select expires_at from opened`.execute(db)
        : await sql<{ expires_at: Date }>`${opened}`.execute(db)
      return { expiresAt: rows[0]?.expires_at ?? missing() }
    },
    async find(tokenHash) {
      const row = await db
        .selectFrom('session')
        .leftJoin('provider_session as p', 'p.token_hash', 'session.token_hash')
        .select(['person_id', 'method', 'expires_at', 'p.tenant', 'p.external_id'])
        .select([
          sql<boolean>`p.check_at <= clk()`.as('check_due'),
          sql<number>`extract(epoch from clk() - p.confirmed_at)::float8`.as('unconfirmed'),
        ])
        .where('session.token_hash', '=', tokenHash)
        .where(sql<boolean>`expires_at > clk()`)
        .executeTakeFirst()
      if (!row) return null
      const { tenant, external_id: externalId, check_due: checkDue, unconfirmed: unconfirmedSeconds } = row
      const provider = tenant === null || externalId === null ? null : { tenant, externalId, checkDue, unconfirmedSeconds }
      return { personId: row.person_id, method: row.method, expiresAt: row.expires_at, provider }
    },
    async takeCheck(tokenHash, turnSeconds) {
      const taken = await db
        .updateTable('provider_session')
        .set({ check_at: sql<Date>`clk() + make_interval(secs => ${turnSeconds}::int)` })
        .where('token_hash', '=', tokenHash)
        .where(sql<boolean>`check_at <= clk()`)
        .returning(['subject', 'sealed'])
        .executeTakeFirst()
      return taken ?? null
    },
    async confirm(tokenHash, sealed, checkAfterSeconds) {
      const { numUpdatedRows } = await db
        .updateTable('provider_session')
        .set({
          sealed,
          confirmed_at: sql<Date>`clk()`,
          check_at: sql<Date>`clk() + make_interval(secs => ${checkAfterSeconds}::int)`,
        })
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async end(tokenHash) {
      const { rows } = await sql<{ sealed: Uint8Array }>`
        with gone as (delete from session where token_hash = ${tokenHash} returning token_hash)
        select sealed from provider_session join gone using (token_hash)`.execute(db)
      return { sealed: rows[0]?.sealed ?? null }
    },
    async endAtProvider({ tenant, subject, sid }) {
      const { numAffectedRows } = await sql`
        delete from session where token_hash in (
          select token_hash from provider_session
          where tenant = ${tenant} and (${subject}::text is not null or ${sid}::text is not null)
            and (${subject}::text is null or subject = ${subject})
            -- A session whose id was never told may be the one.
            and (${sid}::text is null or sid = ${sid} or (sid is null and ${subject}::text is not null)))`.execute(db)
      return Number(numAffectedRows ?? 0n)
    },
  }
}

function missing(): never {
  throw new Error('the database returned no row for a session it stored')
}
