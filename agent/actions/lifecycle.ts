import { type Approval, approvalOutcome, approvalState } from '../domain/approval.ts'
import { ENDED_STATES, type IncidentState } from '../domain/incident.ts'
import { byWhat } from '../domain/plan.ts'

/** Where an incident has to be, and the sentence its timeline gets for it. */
export interface Move {
  state: IncidentState
  text: string
}

/**
 * The state of an incident as its approvals have it; null when it is there already. Only a verified outcome resolves: failed, undone and
 * undetermined leave it open for people.
 */
export function moveByApprovals(state: IncidentState, approvals: readonly Approval[]): Move | null {
  if (ENDED_STATES.includes(state)) return null
  const newest = approvals
    .filter((approval) => approval.requestState !== 'superseded')
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
  if (!newest) return null
  const move = moveBy(newest)
  // A new look is under way: what came of the last approval is not its answer.
  if (state === 'investigating' && move.state === 'observing') return null
  return move.state === state ? null : move
}

function moveBy(approval: Approval): Move {
  const { title } = approval.plan.action
  switch (approvalState(approval)) {
    case 'pending':
    case 'authorised':
      return { state: 'awaiting-approval', text: `Waiting for a decision: ${title}.` }
    case 'executing':
      return approval.execution?.state === 'succeeded' || approval.execution?.state === 'failed'
        ? { state: 'verifying', text: `Checking whether it helped: ${title}.` }
        : { state: 'acting', text: `Carrying out: ${title}.` }
    case 'done':
      if (approvalOutcome(approval) === 'verified' && approval.plan.success.heals === false)
        return { state: 'observing', text: `Done, and still open: ${title} heals nothing by itself.` }
      return approvalOutcome(approval) === 'verified'
        ? { state: 'resolved', text: `Resolved: ${title} was verified ${byWhat(approval.plan)}.` }
        : { state: 'observing', text: `Not resolved: ${title} ended ${approvalOutcome(approval)}.` }
    default:
      return { state: 'observing', text: `Nothing was run: ${title} (${approvalState(approval)}).` }
  }
}

/** Abortions after which the world is looked at again and a fresh card is posted without being asked. */
const FRESH_CARD_AFTER: readonly unknown[] = ['stale-target', 'restarted', 'lost-authority', 'dry-run-failed']
const FRESH_CARDS = 2

/** Whether an abortion calls for a fresh look and card, bounded so that a busy target cannot make cards for ever. */
export function wantsFreshCard(approvals: readonly Approval[]): boolean {
  const aborted = approvals.filter((approval) => FRESH_CARD_AFTER.includes(abortReason(approval)))
  const newest = approvals.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
  return newest !== undefined && aborted.includes(newest) && aborted.length <= FRESH_CARDS
}

/** The code an execution was aborted with; null when it was not. */
export function abortReason(approval: Approval): string | null {
  const last = approval.execution?.events.at(-1)
  return last?.state === 'aborted' ? String(last.detail['reason'] ?? 'unknown') : null
}
