import { type Recurrence, relationsOf } from '../domain/relations.ts'
import { belongsWith, type StageInput } from './stage.ts'

/** What comes back later than this after its end is another trouble. */
const REMEMBERED_MS = 7 * 86_400_000

/** What an incident that this alert opens is the recurrence of; null when it is a trouble of its own. */
export function recurrenceOf(input: StageInput): Recurrence | null {
  const { alert, service, facts, drillRun, now } = input
  if (facts.known === null) return null
  const { incident, opening } = facts.known
  if (incident.endedAt === null || now.getTime() - incident.endedAt.getTime() > REMEMBERED_MS) return null
  // It may have been a victim there, of something else.
  if (incident.service !== service && (opening?.['source'] !== alert.source || opening['key'] !== alert.key)) return null
  // A drill that is over says nothing about the world, nor about the next drill.
  if (incident.drillRun !== drillRun || !belongsWith(incident, input)) return null
  const { recurrence } = relationsOf([{ kind: 'incident-opened', detail: opening ?? {} }])
  return { of: incident.id, count: (recurrence?.count ?? 1) + 1, since: recurrence?.since ?? incident.openedAt }
}
