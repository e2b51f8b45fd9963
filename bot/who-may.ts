import type { Agent } from '../agent/agent.ts'
import type { Principal } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
import type { Caller } from './identity.ts'
import { cleanText } from './messages/visible-text.ts'

const NAMES_SHOWN = 8
const LONGEST_NAME = 60
const OTHERS_MAY: readonly unknown[] = ['not-authorised', 'self-approval', 'not-linked']

/** Who may do what somebody was refused: whoever holds the role that was missing, else whoever may decide the request. */
export async function othersWhoMay(
  agent: Pick<Agent, 'holders' | 'whoMay'>,
  { code, needs }: Pick<Refusal, 'code' | 'needs'>,
  requestId: string | null,
): Promise<Principal[]> {
  if (!OTHERS_MAY.includes(code)) return []
  if (needs !== null) return await agent.holders(needs)
  return requestId === null ? [] : await agent.whoMay(requestId)
}

/** What a caller tried: by which call or command, and about which request. */
export interface Attempt {
  caller: Caller
  what: string
  requestId: string | null
}

/** An error as its caller is told of it: a refusal names who may, and is kept in the audit log where a person was refused. Anything else as it is. */
export async function refused(
  agent: Pick<Agent, 'holders' | 'whoMay' | 'noteRefusal'>,
  error: unknown,
  { caller, what, requestId }: Attempt,
): Promise<unknown> {
  if (!(error instanceof Refusal)) return error
  if (caller.kind === 'person') await agent.noteRefusal(error, { person: caller.person.id, what, requestId })
  // Without the names it is refused all the same.
  return await withWhoMay(agent, error, requestId).catch(() => error)
}

async function withWhoMay(agent: Pick<Agent, 'holders' | 'whoMay'>, error: Refusal, requestId: string | null): Promise<Refusal> {
  const names = (await othersWhoMay(agent, error, requestId)).map(({ name }) => cleanText(name, LONGEST_NAME))
  if (names.length === 0) return error
  const more = names.length - NAMES_SHOWN
  const words = `Who may: ${names.slice(0, NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
  return new Refusal(error.code, error.detail === null ? words : `${error.detail} ${words}`, null)
}
