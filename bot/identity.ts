import { createHash, randomBytes } from 'node:crypto'
import type { Agent } from '../agent/agent.ts'
import { meantOrKnown } from '../agent/domain/nearest.ts'
import type { Actor, RoleHolder } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
import { type Asker, askerOf } from '../agent/domain/workspace.ts'
import { bearerToken, isOneOf } from './bearer.ts'
import { type ApiKey, formsOf, LOCAL } from './config.ts'
import { createCookie } from './cookie.ts'
import { cleanText } from './messages/visible-text.ts'
import type { VouchedAccount } from './oidc/provider.ts'
import { type HeldTokens, seal, unseal } from './oidc/seal.ts'
import { CHECK_SECONDS, type SessionCheck } from './oidc/session-check.ts'
import { HttpProblem } from './problem.ts'

/** One working day; the database allows no more. */
const SESSION_SECONDS = 8 * 3_600

export type Person = RoleHolder

/** Who calls over HTTP. A program reads and asks; only a person decides. */
export type Caller =
  | { kind: 'person'; person: Person; actor: Actor; sessionHash: string }
  /** `name`: of its key, where the key has one. */
  | { kind: 'program'; name: string | null }
  /** Nobody in particular on this machine, where no token is asked for; `ended` when the browser still shows a session that is over. */
  | { kind: 'anyone'; ended?: boolean }

type PersonCaller = Extract<Caller, { kind: 'person' }>

/** Where signed-in browsers are kept. */
export interface SessionRows {
  open(session: { tokenHash: string; personId: string; seconds: number; provider: StoredProvider | null }): Promise<{ expiresAt: Date }>
  find(tokenHash: string): Promise<{
    personId: string
    method: 'named' | 'oidc'
    expiresAt: Date
    provider: { tenant: string; externalId: string; checkDue: boolean; unconfirmedSeconds: number } | null
  } | null>
  end(tokenHash: string): Promise<{ sealed: Uint8Array | null }>
}

interface StoredProvider {
  tenant: string
  externalId: string
  subject: string
  sid: string | null
  sealed: Uint8Array
  checkAfterSeconds: number
}

interface Opened {
  person: Person
  cookie: string
  expiresAt: Date
}

export interface Identity {
  /** @throws HttpProblem no-token when there are tokens and none of them was sent, or a wrong one; session-ended when only a session that is over was. */
  callerOf(headers: { authorization: string | undefined; cookie: string | undefined }): Promise<Caller>
  /**
   * Signs one of the named people in: for trying things out on this machine, while nothing real can be changed.
   *
   * @throws HttpProblem named-sessions-off, unknown-person
   */
  openByName(personId: string): Promise<Opened>
  /**
   * Signs in whom the identity provider vouches for: the person its account is linked to, with a session of its own in place of the browser's
   * former one, which `formerOf` told before the browser went to the provider.
   *
   * @throws HttpProblem account-not-linked, with the id that has to be linked
   */
  openVouched(account: VouchedAccount, former: string | null): Promise<Opened>
  /** What names the session that a browser has, and opens nothing: a hash in base64url; null when it has none. */
  formerOf(cookies: string | undefined): string | null
  /** Ends a browser's session, if it has one; the cookie returned clears the browser's. `held`: what to sign out at the provider with. */
  close(cookies: string | undefined): Promise<{ cookie: string; held: HeldTokens | null }>
}

export interface IdentityDeps {
  agent: Pick<Agent, 'person' | 'people'>
  sessions: SessionRows
  /** Keys of programs; with any, every call needs a person or one of them. */
  apiKeys(): readonly ApiKey[]
  /** Whether people may be signed in by name: loopback, no tokens, no real targets. */
  namedPeople: boolean
  /** Null where nobody signs in at an identity provider. */
  oidc: { issuer: string; check: SessionCheck } | null
  /** Set when people reach the server over https: their browsers then never send the cookie in the clear. */
  secureCookie: boolean
}

export function createIdentity({ agent, sessions, apiKeys, namedPeople, oidc, secureCookie }: IdentityDeps): Identity {
  const cookie = createCookie('steadyhand_session', { secure: secureCookie, sameSite: 'Strict' })
  const holder = async (token: string, tokenHash: string): Promise<Caller | null> => {
    const session = await sessions.find(tokenHash)
    if (!session) return null
    const { provider, personId } = session
    if (provider === null ? !namedPeople : provider.tenant !== oidc?.issuer) return null
    const actor: Actor = provider === null ? actorOf(personId) : accountOf(provider)
    const person = await agent.person(actor)
    // An account that was linked to somebody else meanwhile is not the one who signed in.
    if (!person?.active || person.id !== personId) return null
    if (provider !== null && !(await oidc?.check({ token, tokenHash, ...provider }))) return null
    return { kind: 'person', person, actor, sessionHash: tokenHash }
  }
  return {
    async callerOf({ authorization, cookie: cookies }) {
      // Of another kind than Bearer it is meant for somebody else: a proxy that asks for a password.
      if (authorization !== undefined && /^bearer\b/i.test(authorization)) {
        const key = bearerToken(authorization)
        const known = key === null ? null : keyLike(key, apiKeys())
        if (known !== null) return { kind: 'program', name: known.name }
        throw new HttpProblem('no-token', null, { 'www-authenticate': 'Bearer' })
      }
      const token = cookie.read(cookies)
      const caller = token === null ? null : await holder(token, sha256(token))
      if (caller) return caller
      if (apiKeys().length === 0) return { kind: 'anyone', ended: token !== null }
      throw token === null ? new HttpProblem('no-token', null, { 'www-authenticate': 'Bearer' }) : new HttpProblem('session-ended')
    },
    async openByName(personId) {
      if (!namedPeople) throw new HttpProblem('named-sessions-off')
      const person = await agent.person(actorOf(personId))
      if (!person?.active) throw new HttpProblem('unknown-person', await whoThereIs(agent, personId))
      const token = newToken()
      const { expiresAt } = await sessions.open({ tokenHash: sha256(token), personId, seconds: SESSION_SECONDS, provider: null })
      return { person, cookie: cookie.set(token, SESSION_SECONDS), expiresAt }
    },
    async openVouched({ externalId, subject, sid, held, seconds }, former) {
      const tenant = oidc?.issuer ?? ''
      const person = await agent.person(accountOf({ tenant, externalId }))
      if (!person?.active)
        throw new HttpProblem('account-not-linked', `Ask whoever runs Steadyhand to link id ${externalId} of tenant ${tenant} to you.`)
      if (former !== null) await sessions.end(Buffer.from(former, 'base64url').toString('hex'))
      const token = newToken()
      const provider = { tenant, externalId, subject, sid, sealed: seal(held, token), checkAfterSeconds: CHECK_SECONDS }
      const { expiresAt } = await sessions.open({ tokenHash: sha256(token), personId: person.id, seconds, provider })
      return { person, cookie: cookie.set(token, seconds), expiresAt }
    },
    formerOf(cookies) {
      const token = cookie.read(cookies)
      return token === null ? null : Buffer.from(sha256(token), 'hex').toString('base64url')
    },
    async close(cookies) {
      const token = cookie.read(cookies)
      const { sealed } = token === null ? { sealed: null } : await sessions.end(sha256(token))
      return { cookie: cookie.clear(), held: token === null || sealed === null ? null : unseal(sealed, token) }
    },
  }
}

/** Said only where anybody on this machine may be any of them. */
async function whoThereIs(agent: Pick<Agent, 'people'>, typed: string): Promise<string> {
  const ids = (await agent.people()).filter(({ active }) => active).map(({ id }) => id)
  return `There is no person "${cleanText(typed, 60)}". ${meantOrKnown(typed, ids.slice(0, 20))}`
}

/** A program is told that it never decides, whoever runs it; nobody in particular is asked to sign in. @throws Refusal not-human, HttpProblem no-person */
export function personOf(caller: Caller): PersonCaller {
  if (caller.kind === 'person') return caller
  if (caller.kind === 'program') throw new Refusal('not-human')
  throw new HttpProblem(caller.ended ? 'session-ended' : 'no-person')
}

/** The agent as a caller sees it; in a Slack channel, as everybody sees it who reads along there. */
export function agentFor(agent: Agent, caller: Caller, channel: string | null): Agent {
  return agent.seenBy(asAsker(caller), channel)
}

function asAsker(caller: Caller): Asker {
  if (caller.kind === 'person') return askerOf(caller.person)
  return caller.kind === 'program' && caller.name !== null ? { kind: 'key', name: caller.name } : { kind: 'nobody' }
}

/** All of them are compared, so that time tells nothing of which it was. */
function keyLike(given: string, keys: readonly ApiKey[]): ApiKey | null {
  return keys.filter((key) => isOneOf(given, formsOf(key)))[0] ?? null
}

/** The account of a named person: an identity link like any other, made when the process starts and revoked when names are off. */
export function actorOf(personId: string): Actor {
  return { surface: 'console', tenant: LOCAL, externalId: personId }
}

/** The account at the identity provider: the console is the surface, the issuer the tenant. */
function accountOf({ tenant, externalId }: { tenant: string; externalId: string }): Actor {
  return { surface: 'console', tenant, externalId }
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
