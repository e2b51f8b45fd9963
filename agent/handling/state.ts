import type { IncidentEvent } from '../domain/incident.ts'

/** What people have decided about how an incident is looked after. */
export interface HandlingState {
  /** Who looks after it by hand: the agent proposes nothing in it. Null when nobody does. */
  taken: { by: string; name: string; at: Date } | null
  /** Until when the agent leaves it alone; null when it does not, or the time is over. */
  snoozed: { by: string; name: string; until: Date; reason: string | null } | null
}

/** From the timeline alone, so that every process and every restart sees the same. `now` ends a snooze. */
export function handlingOf(timeline: readonly IncidentEvent[], now: Date): HandlingState {
  const taking = timeline.findLast(({ kind }) => kind === 'incident-taken' || kind === 'incident-given-back')
  const snoozing = timeline.findLast(({ kind }) => kind === 'incident-snoozed' || kind === 'incident-woken')
  return {
    taken: taking?.kind === 'incident-taken' ? { ...personOf(taking), at: taking.at } : null,
    snoozed: snoozing?.kind === 'incident-snoozed' ? snoozeOf(snoozing, now) : null,
  }
}

function personOf({ detail }: IncidentEvent): { by: string; name: string } {
  return { by: String(detail['person'] ?? ''), name: String(detail['name'] ?? detail['person'] ?? '') }
}

function snoozeOf(event: IncidentEvent, now: Date): HandlingState['snoozed'] {
  const until = new Date(String(event.detail['until']))
  const { reason } = event.detail
  return until.getTime() > now.getTime() ? { ...personOf(event), until, reason: typeof reason === 'string' ? reason : null } : null
}

/** Why the agent proposes nothing of its own in an incident; null when people have left it to the agent. */
export function heldBy({ taken, snoozed }: HandlingState): { by: string; words: string } | null {
  if (taken) return { by: taken.by, words: `${taken.name} has taken the incident.` }
  if (snoozed) return { by: snoozed.by, words: `${snoozed.name} has snoozed the incident.` }
  return null
}
