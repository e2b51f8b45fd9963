import type { IntakeDecision, IntakeFacts } from '../ports.ts'
import { mayJoin, type Stage, type StageInput } from './stage.ts'

const FLAPPING_WINDOW_MS = 5 * 60_000
const FLAPPING_FIRINGS = 3

/** The same alert again: late, resolved, repeated or flapping. Exact repeats do not come this far; the store counts them. */
export const dedup: Stage = (input) => (input.alert.status === 'resolved' ? endOf(input) : beginningOf(input))

/** A resolved alert ends what was heard of it, and never begins anything. */
function endOf(input: StageInput): IntakeDecision {
  const { alert, facts } = input
  const { known, received } = facts
  if (!known) return { do: 'drop', reason: 'it is resolved, and no incident was opened for it', repeats: true }
  if (received.some(({ startsAt }) => isLater(startsAt, alert.startsAt))) return drop('it ends an earlier occurrence; a later one is known')
  const heardBeginning = received.some(({ status, startsAt }) => status === 'firing' && isSame(startsAt, alert.startsAt))
  if (known.lastStatus === 'resolved' && !heardBeginning) return { do: 'drop', reason: 'it is resolved, as it already was', repeats: true }
  return attach(known.incident.id, `${nameOf(alert)} is resolved at its source`, input)
}

function beginningOf(input: StageInput): IntakeDecision | null {
  const { alert, facts } = input
  const { known, received } = facts
  if (received.some(({ status, startsAt }) => status === 'resolved' && isSame(startsAt, alert.startsAt))) {
    return drop('its end was heard before its beginning, so it is over')
  }
  if (received.some(({ startsAt }) => isLater(startsAt, alert.startsAt))) return drop('it arrived late; a later occurrence is known')
  if (!known || !mayJoin(known.incident, input)) return null
  if (alert.startsAt === null && known.lastStatus === 'firing') {
    return { do: 'drop', reason: 'it is still firing, as it already was', repeats: true }
  }
  return attach(known.incident.id, `${nameOf(alert)} is firing again (received ${known.deliveries + 1} times)`, input)
}

/** Several services often share a name of an alert. */
function nameOf({ name, service }: StageInput['alert']): string {
  return service === null ? name : `${name} of ${service}`
}

function drop(reason: string): IntakeDecision {
  return { do: 'drop', reason }
}

function attach(incidentId: string, reason: string, { facts, now }: StageInput): IntakeDecision {
  if (firingsLately(facts, now) < FLAPPING_FIRINGS) return { do: 'attach', incidentId, reason }
  return { do: 'attach', incidentId, reason: `${reason}; it flaps, so it is only counted`, quiet: true }
}

function firingsLately({ received }: IntakeFacts, now: Date): number {
  return received.filter(({ status, receivedAt }) => status === 'firing' && now.getTime() - receivedAt.getTime() <= FLAPPING_WINDOW_MS)
    .length
}

/** Only stated beginnings can be compared. */
function isSame(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && Date.parse(a) === Date.parse(b)
}

function isLater(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && Date.parse(a) > Date.parse(b)
}
