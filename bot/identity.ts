import { createHash, randomBytes } from 'node:crypto'
import type { Agent } from '../agent/agent.ts'
import type { Actor, Principal, Role } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
import { bearerToken, isOneOf } from './bearer.ts'
import { LOCAL } from './config.ts'
import { HttpProblem } from './problem.ts'

/** One working day; the database allows no more. */
const SESSION_SECONDS = 8 * 3_600
const COOKIE = 'steadyhand_session'

export type Person = Principal & { roles: Role[] }

/** Who calls over HTTP. A program reads and asks; only a person decides. */
export type Caller =
  | { kind: 'person'; person: Person; actor: Actor; sessionHash: string }
  | { kind: 'program' }
  /** Nobody in particular on this machine, where no token is asked for. */
  | { kind: 'anyone' }

type PersonCaller = Extract<Caller, { kind: 'person' }>

/** Where signed-in browsers are kept. */
export interface SessionRows {
  open(session: { tokenHash: string; personId: string; method: 'named' | 'oidc'; seconds: number }): Promise<{ expiresAt: Date }>
  find(tokenHash: string): Promise<{ personId: string; method: 'named' | 'oidc'; expiresAt: Date } | null>
  end(tokenHash: string): Promise<void>
}

export interface Identity {
  /** @throws HttpProblem no-token when there are tokens and none of them was sent, or a wrong one. */
  callerOf(headers: { authorization: string | undefined; cookie: string | undefined }): Promise<Caller>
  /**
   * Signs one of the named people in: for trying things out on this machine, while nothing real can be changed.
   *
   * @throws HttpProblem named-sessions-off, unknown-person
   */
  openByName(personId: string): Promise<{ person: Person; cookie: string; expiresAt: Date }>
  /** Ends a caller's session, if it has one; the cookie returned clears the browser's. */
  close(caller: Caller): Promise<{ cookie: string }>
}

export interface IdentityDeps {
  agent: Pick<Agent, 'person'>
  sessions: SessionRows
  /** Keys of programs; with any, every call needs a person or one of them. */
  apiKeys: readonly string[]
  /** Whether people may be signed in by name: loopback, no tokens, no real targets. */
  namedPeople: boolean
  /** Set when people reach the server over https: their browsers then never send the cookie in the clear. */
  secureCookie: boolean
}

export function createIdentity({ agent, sessions, apiKeys, namedPeople, secureCookie }: IdentityDeps): Identity {
  const cookie = (value: string, seconds: number): string =>
    `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secureCookie ? '; Secure' : ''}`
  const signedIn = async (cookies: string | undefined): Promise<Caller | null> => {
    const token = sessionToken(cookies)
    if (token === null) return null
    const sessionHash = sha256(token)
    const session = await sessions.find(sessionHash)
    if (!session || (session.method === 'named' && !namedPeople)) return null
    const actor = actorOf(session.personId)
    const person = await agent.person(actor)
    return person?.active ? { kind: 'person', person, actor, sessionHash } : null
  }
  return {
    async callerOf({ authorization, cookie: cookies }) {
      // Of another kind than Bearer it is meant for somebody else: a proxy that asks for a password.
      if (authorization !== undefined && /^bearer\b/i.test(authorization)) {
        const token = bearerToken(authorization)
        if (token !== null && isOneOf(token, apiKeys)) return { kind: 'program' }
        throw new HttpProblem('no-token', null, { 'www-authenticate': 'Bearer' })
      }
      const caller = await signedIn(cookies)
      if (caller) return caller
      if (apiKeys.length > 0) throw new HttpProblem('no-token', null, { 'www-authenticate': 'Bearer' })
      return { kind: 'anyone' }
    },
    async openByName(personId) {
      if (!namedPeople) throw new HttpProblem('named-sessions-off')
      const person = await agent.person(actorOf(personId))
      if (!person?.active) throw new HttpProblem('unknown-person')
      const token = randomBytes(32).toString('base64url')
      const { expiresAt } = await sessions.open({ tokenHash: sha256(token), personId, method: 'named', seconds: SESSION_SECONDS })
      return { person, cookie: cookie(token, SESSION_SECONDS), expiresAt }
    },
    async close(caller) {
      if (caller.kind === 'person') await sessions.end(caller.sessionHash)
      return { cookie: cookie('', 0) }
    },
  }
}

/** A program is told that it never decides, whoever runs it; nobody in particular is asked to sign in. @throws Refusal not-human, HttpProblem no-person */
export function personOf(caller: Caller): PersonCaller {
  if (caller.kind === 'person') return caller
  if (caller.kind === 'program') throw new Refusal('not-human')
  throw new HttpProblem('no-person')
}

/** The account of a named person: an identity link like any other, made when the process starts and revoked when names are off. */
export function actorOf(personId: string): Actor {
  return { surface: 'console', tenant: LOCAL, externalId: personId }
}

function sessionToken(cookies: string | undefined): string | null {
  const found = (cookies ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`))
  const token = found?.slice(COOKIE.length + 1) ?? ''
  return /^[\w-]{43}$/.test(token) ? token : null
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
