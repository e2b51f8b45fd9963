import { createHash, randomBytes } from 'node:crypto'
import { createCookie } from '../cookie.ts'
import type { Identity } from '../identity.ts'
import { HttpProblem } from '../problem.ts'
import { createTokenBucket } from '../token-bucket.ts'
import { secretsOf } from './attempt.ts'
import type { IdentityProvider } from './provider.ts'
import { safeReturnTo } from './return-to.ts'

/** From the button to being back, with a second factor in between. */
const ATTEMPT_SECONDS = 600
/** Anybody who reaches the port may begin; each attempt is a row for ten minutes. */
const ATTEMPTS = { perSecond: 5, burst: 50 }
const LONGEST_ANSWER = 8_000

export const LOGIN_PATH = '/auth/login'
export const CALLBACK_PATH = '/auth/callback'

/** Browsers on their way. */
export interface AttemptRows {
  begin(attempt: { tokenHash: string; returnTo: string; seconds: number }): Promise<void>
  take(tokenHash: string): Promise<{ returnTo: string } | null>
}

export interface SignInDeps {
  issuer: string
  provider: IdentityProvider
  identity: Pick<Identity, 'openVouched' | 'formerOf' | 'close'>
  attempts: AttemptRows
  sessions: { endAtProvider(gone: { tenant: string; subject: string | null; sid: string | null }): Promise<number> }
  /** The address people reach the server at, without a slash at its end; the provider sends them back to it. */
  ownUrl(): string
  /** Set when a proxy stands before the server: then the name that a request bears says nothing of the one in the browser. */
  behindProxy: boolean
  secureCookie: boolean
  now: () => Date
  log: { info(object: object, message: string): void; warn(object: object, message: string): void }
}

/** Sign-in at the identity provider and what ends it. Whatever fails leaves nobody half signed in. */
export interface SignIn {
  /**
   * `host`: the name and port that the browser called; the cookies belong to it, so a browser that calls this machine by another name than it
   * will come back to is sent there first.
   * @throws HttpProblem too-many-requests, provider-unavailable, provider-not-trusted
   */
  begin(
    returnTo: string | undefined,
    from: { host: string | undefined; cookies: string | undefined },
  ): Promise<{ location: string; cookies: string[] }>
  /** `search`: the query the browser came back with. @throws HttpProblem sign-in-stale, sign-in-refused, account-not-linked, provider-… */
  complete(search: string, cookies: string | undefined): Promise<{ location: string; cookies: string[] }>
  /** Ends the browser's session. `continueAt`: where it ends the one at the provider too; null when there is no such place. */
  leave(cookies: string | undefined): Promise<{ cookie: string; continueAt: string | null }>
  /** The provider tells of a logout. @throws HttpProblem invalid-logout-token, provider-… */
  endByProvider(logoutToken: string): Promise<void>
}

export function createSignIn(deps: SignInDeps): SignIn {
  const { provider, identity, attempts, now, log } = deps
  // Lax: the browser has to send it when the provider sends it back.
  const cookie = createCookie('steadyhand_sign_in', { secure: deps.secureCookie, sameSite: 'Lax' })
  // That of the session is strict: a browser that comes from another site does not send it, so its hash goes along.
  const formerCookie = createCookie('steadyhand_former', { secure: deps.secureCookie, sameSite: 'Lax' })
  const bucket = createTokenBucket({ ...ATTEMPTS, now })
  return {
    async begin(asked, { host, cookies }) {
      const returnTo = safeReturnTo(asked)
      if (!deps.behindProxy && host !== undefined && new URL(`http://${host}`).host !== new URL(deps.ownUrl()).host)
        return { location: `${deps.ownUrl()}${LOGIN_PATH}?returnTo=${encodeURIComponent(returnTo)}`, cookies: [] }
      const wait = bucket.take()
      if (wait > 0) throw new HttpProblem('too-many-requests', null, { 'retry-after': String(wait) })
      const token = randomBytes(32).toString('base64url')
      const location = await provider.signInUrl(secretsOf(token), deps.ownUrl() + CALLBACK_PATH)
      await attempts.begin({ tokenHash: sha256(token), returnTo, seconds: ATTEMPT_SECONDS })
      const former = identity.formerOf(cookies)
      const carried = former === null ? [] : [formerCookie.set(former, ATTEMPT_SECONDS)]
      return { location, cookies: [cookie.set(token, ATTEMPT_SECONDS), ...carried] }
    },
    async complete(search, cookies) {
      const token = cookie.read(cookies)
      const answer = new URL(deps.ownUrl() + CALLBACK_PATH + search)
      if (token === null || search.length > LONGEST_ANSWER) throw new HttpProblem('sign-in-stale')
      const secrets = secretsOf(token)
      if (answer.searchParams.getAll('state').join() !== secrets.state) throw new HttpProblem('sign-in-stale')
      // Taken before the code is redeemed: the same answer counts once, whoever sends it again.
      const attempt = await attempts.take(sha256(token))
      if (!attempt) throw new HttpProblem('sign-in-stale')
      const account = await provider.redeem(answer, secrets)
      const { person, cookie: session } = await identity.openVouched(account, formerCookie.read(cookies))
      log.info({ person: person.id, issuer: deps.issuer }, 'somebody signed in')
      return { location: safeReturnTo(attempt.returnTo), cookies: [session, cookie.clear(), formerCookie.clear()] }
    },
    async leave(cookies) {
      const { cookie: cleared, held } = await identity.close(cookies)
      // Signed out here whatever the provider says; that it could not be asked is logged where it was asked.
      const continueAt = held === null ? null : await provider.signOutUrl(held, `${deps.ownUrl()}/`).catch(() => null)
      return { cookie: cleared, continueAt }
    },
    async endByProvider(logoutToken) {
      const gone = await provider.readLogoutToken(logoutToken)
      const ended = await deps.sessions.endAtProvider({ tenant: deps.issuer, ...gone })
      log.info({ ended, issuer: deps.issuer }, 'the identity provider ended sessions')
    },
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
