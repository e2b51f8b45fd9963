import type { Incident } from '../../agent/domain/incident.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { HttpProblem } from '../problem.ts'
import type { CommandContext } from './command.ts'

const INCIDENT = /^(?:inc-|#)?([1-9]\d{0,8})$/i

/** The id in 'inc-12', 'INC-12', '#12' or '12'; null for what names no incident. */
export function incidentId(word: string | undefined): string | null {
  const number = word === undefined ? undefined : INCIDENT.exec(word)?.[1]
  return number === undefined ? null : `inc-${number}`
}

/**
 * The incident a command names first, else the one whose thread it was typed in, and the words that are left.
 *
 * @throws Refusal invalid-parameters with the example when neither is there
 */
export function namedIncident(
  words: readonly string[],
  { incident }: Pick<CommandContext, 'incident'>,
  example: string,
): { id: string; rest: string[] } {
  const named = incidentId(words[0])
  if (named !== null) return { id: named, rest: words.slice(1) }
  if (incident !== null) return { id: incident, rest: [...words] }
  throw new Refusal('invalid-parameters', `Say which incident, for example: ${example}`)
}

/**
 * For commands that only read: as `namedIncident`, and where nothing is named the newest incident that is open, or the newest of all.
 *
 * @throws Refusal invalid-parameters when there is no incident at all
 */
export async function meantIncident(
  words: readonly string[],
  context: Pick<CommandContext, 'incident' | 'agent'>,
): Promise<{ id: string; rest: string[] }> {
  const named = incidentId(words[0])
  if (named !== null) return { id: named, rest: words.slice(1) }
  if (context.incident !== null) return { id: context.incident, rest: [...words] }
  const active = await context.agent.incidents({ state: 'active', limit: 1 })
  const newest = active.items[0] ?? (await context.agent.incidents({ limit: 1 })).items[0]
  if (!newest) throw new Refusal('invalid-parameters', 'There is no incident yet.')
  return { id: newest.id, rest: [...words] }
}

/** @throws HttpProblem unknown-incident */
export function demandKnown<T extends Incident | object>(found: T | null): T {
  if (found === null) throw new HttpProblem('unknown-incident')
  return found
}
