import type { IdentityProvider } from './provider.ts'
import { seal, unseal } from './seal.ts'

/** How often the provider is asked whether a session lives, at most; nobody is asked about while nobody calls. */
export const CHECK_SECONDS = 300
/** A provider that cannot be asked ends no session at once; one that was silent this long does. */
const UNCONFIRMED_SECONDS = 900
/** Longer than any question to the provider takes. */
const TURN_SECONDS = 30

/** What is kept of sessions at the provider. */
export interface CheckedRows {
  takeCheck(tokenHash: string, turnSeconds: number): Promise<{ subject: string; sealed: Uint8Array } | null>
  confirm(tokenHash: string, sealed: Uint8Array, checkAfterSeconds: number): Promise<boolean>
  end(tokenHash: string): Promise<unknown>
}

export interface SessionCheckDeps {
  provider: Pick<IdentityProvider, 'stillHolds'>
  sessions: CheckedRows
}

/** Whether a session still holds at the provider. */
export type SessionCheck = (session: {
  token: string
  tokenHash: string
  checkDue: boolean
  unconfirmedSeconds: number
}) => Promise<boolean>

/**
 * Asks the provider again when it is time. Calls that come together share one question: a refresh token that is used twice counts as stolen. While
 * another process asks, or the provider is away, a session that was confirmed a short while ago holds.
 */
export function createSessionCheck({ provider, sessions }: SessionCheckDeps): SessionCheck {
  const asking = new Map<string, Promise<boolean | null>>()

  /** Null when nothing was learnt: another asks, or the provider does not answer. */
  const learn = async (token: string, tokenHash: string): Promise<boolean | null> => {
    const turn = await sessions.takeCheck(tokenHash, TURN_SECONDS)
    if (!turn) return null
    // What the provider answers is logged where it is asked.
    const held = await provider.stillHolds(unseal(turn.sealed, token), turn.subject).catch(() => 'unknown' as const)
    if (held === 'unknown') return null
    if (held !== null) return await sessions.confirm(tokenHash, seal(held, token), CHECK_SECONDS)
    await sessions.end(tokenHash)
    return false
  }
  return async ({ token, tokenHash, checkDue, unconfirmedSeconds }) => {
    if (!checkDue && unconfirmedSeconds < UNCONFIRMED_SECONDS) return true
    const question = asking.get(tokenHash) ?? learn(token, tokenHash).finally(() => asking.delete(tokenHash))
    asking.set(tokenHash, question)
    return (await question) ?? unconfirmedSeconds < UNCONFIRMED_SECONDS
  }
}
