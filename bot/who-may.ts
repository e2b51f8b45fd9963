import type { Agent } from '../agent/agent.ts'
import type { Principal } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
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

/** The same refusal, with the names of those who may at its end. Anything else as it is. */
export async function withWhoMay(agent: Pick<Agent, 'holders' | 'whoMay'>, error: unknown, requestId: string | null): Promise<unknown> {
  if (!(error instanceof Refusal)) return error
  const names = (await othersWhoMay(agent, error, requestId)).map(({ name }) => cleanText(name, LONGEST_NAME))
  if (names.length === 0) return error
  const more = names.length - NAMES_SHOWN
  const words = `Who may: ${names.slice(0, NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
  return new Refusal(error.code, error.detail === null ? words : `${error.detail} ${words}`, null)
}
