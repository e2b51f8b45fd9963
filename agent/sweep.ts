import type { Log } from './log.ts'
import type { IncidentStore } from './ports.ts'

const PAGE = 200
/** Looked after at a time: a source that hangs costs the others a part of its time, not all of it. */
const AT_ONCE = 4
/** Then the next sweep goes on, long before the queue would take this one for stuck. */
const LONGEST_MS = 30_000

export interface SweepDeps {
  incidents: Pick<IncidentStore, 'list'>
  lookAfter(incidentId: string, signal: AbortSignal): Promise<void>
  now: () => Date
  log: Log
}

/**
 * Looks after every incident that is not over, a page at a time and on from where the last sweep ended: each has its turn before any has its next,
 * however slow the sources are and whatever is wrong with one of them.
 */
export function createSweep({ incidents, lookAfter, now, log }: SweepDeps): (signal: AbortSignal) => Promise<void> {
  let page: string | null = null
  let left: string[] = []

  const lookAfterOne = async (incidentId: string, signal: AbortSignal): Promise<void> => {
    try {
      await lookAfter(incidentId, signal)
    } catch (error) {
      // One incident that cannot be looked after must not cost the others theirs; it is tried again at its next turn.
      signal.throwIfAborted()
      log.error(
        { incident: incidentId, error: error instanceof Error ? error.message : String(error) },
        'an open incident could not be looked after',
      )
    }
  }

  return async (signal) => {
    const end = now().getTime() + LONGEST_MS
    if (left.length === 0) {
      const { items, next } = await incidents.list({ state: 'active', limit: PAGE, ...(page === null ? {} : { cursor: page }) })
      left = items.map(({ id }) => id)
      page = next
    }
    while (left.length > 0 && now().getTime() < end) {
      signal.throwIfAborted()
      const turn = left.slice(0, AT_ONCE)
      // Whoever is begun with has had its turn, also if it is never ended.
      left = left.slice(AT_ONCE)
      await Promise.all(turn.map(async (incidentId) => await lookAfterOne(incidentId, signal)))
    }
  }
}
