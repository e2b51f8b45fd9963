import { type Approval, approvalOutcome } from '../domain/approval.ts'
import type { IncidentEvent } from '../domain/incident.ts'
import type { Log } from '../log.ts'
import type { ApprovalKernel, IncidentStore } from '../ports.ts'
import type { Catalog } from './catalog.ts'
import { stepOf } from './recheck.ts'

export interface FollowUpDeps {
  approvals: Pick<ApprovalKernel, 'approvals'>
  incidents: Pick<IncidentStore, 'timeline' | 'record'>
  catalog: Pick<Catalog, 'find' | 'entries'>
  now: () => Date
  log: Log
}

const EVERY_MS = 5 * 60_000
/** What nobody ended by then is not asked about any more. */
const LONGEST_MS = 14 * 86_400_000
const APPROVALS_READ = 200
const READ_MS = 10_000
const ENDED = 'request-ended'

/**
 * Looks now and then at what was opened for people to finish elsewhere, and tells once, in the thread of its incident, how they ended it; whether or
 * not the incident is over. A source that does not answer is asked again at the next look.
 */
export function createFollowUp({ approvals, incidents, catalog, now, log }: FollowUpDeps): (signal: AbortSignal) => Promise<void> {
  let looked: number | null = null
  const isAnyFollowed = catalog.entries.some(({ action }) => action.standing !== undefined)

  const followUp = async (approval: Approval, signal: AbortSignal): Promise<void> => {
    const { plan, incidentId } = approval
    const standing = catalog.find(plan.action.kind, plan.action.version)?.action.standing
    if (!standing || approvalOutcome(approval) !== 'verified') return
    const isTold = (timeline: readonly IncidentEvent[]): boolean =>
      timeline.some(({ kind, detail }) => kind === ENDED && detail['approval'] === approval.id)
    if (isTold(await incidents.timeline(incidentId))) return
    const { isOver, words } = await standing(stepOf(plan), AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]))
    if (isOver)
      await incidents.record(incidentId, { kind: ENDED, text: words, detail: { approval: approval.id }, tell: true, unless: isTold })
  }

  return async (signal) => {
    const at = now().getTime()
    if (!isAnyFollowed || (looked !== null && at - looked < EVERY_MS)) return
    looked = at
    const { items } = await approvals.approvals({ state: 'authorised', limit: APPROVALS_READ })
    for (const approval of items.filter(({ createdAt }) => at - createdAt.getTime() < LONGEST_MS)) {
      signal.throwIfAborted()
      try {
        await followUp(approval, signal)
      } catch (error) {
        signal.throwIfAborted()
        log.warn({ approval: approval.id, err: error }, 'how a request stands could not be read; it is asked again later')
      }
    }
  }
}
