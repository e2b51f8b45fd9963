import type { Alert } from './alert.ts'
import type { Incident } from './incident.ts'

/** An alert that claims to be older than this, before its incident, is taken to be this old; a window of days would find anything. */
const MAX_AGE_MS = 60 * 60_000

/** Since when the trouble is known to last: the earliest beginning that an alert states, but no more than an hour before the incident. */
export function startOf({ openedAt }: Pick<Incident, 'openedAt'>, alerts: readonly Alert[]): Date {
  const stated = alerts.flatMap(({ status, startsAt }) => (status === 'firing' && startsAt !== null ? [Date.parse(startsAt)] : []))
  const earliest = Math.min(openedAt.getTime(), ...stated)
  return new Date(Math.max(earliest, openedAt.getTime() - MAX_AGE_MS))
}
