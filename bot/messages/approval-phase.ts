import { type Approval, approvalState, wasApplied } from '../../agent/domain/approval.ts'

/** Where an approval stands, as finely as a card tells it apart. */
export type ApprovalPhase =
  | 'asking'
  | 'time-over'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'superseded'
  | 'authorised'
  | 'checking'
  | 'aborted'
  | 'restored'
  | 'running'
  | 'no-answer'
  | 'verifying'
  | 'verified'
  | 'undetermined'
  | 'not-applied'
  | 'failed'
  | 'undo-waiting'
  | 'undoing'
  | 'undone'
  | 'kept'
  | 'undo-failed'
  | 'undo-lapsed'

/** A pure function of the rows and the moment: a request whose time is over asks nobody any more, even before it is marked expired. */
export function approvalPhase(approval: Approval, now: Date): ApprovalPhase {
  const state = approvalState(approval)
  if (state === 'pending') return now.getTime() >= Date.parse(approval.plan.expiresAt) ? 'time-over' : 'asking'
  if (state === 'aborted') return approval.execution?.events.at(-1)?.detail['reason'] === 'restored' ? 'restored' : 'aborted'
  if (state !== 'executing' && state !== 'done') return state
  switch (approval.execution?.state) {
    case 'claimed':
    case 'intent':
      return 'checking'
    case 'sent':
      return 'running'
    case 'unknown':
      return 'no-answer'
    case 'succeeded':
      return 'verifying'
    case 'verified':
    case 'undetermined':
    case 'undone':
      return approval.execution.state
    default:
      return failedPhase(approval)
  }
}

function failedPhase(approval: Approval): ApprovalPhase {
  const { execution, undoExecution, plan, keptBy, undoLapsed } = approval
  if (!execution || !wasApplied(execution)) return 'not-applied'
  if (!plan.undo) return 'failed'
  if (keptBy !== null) return 'kept'
  if (undoExecution) return ['aborted', 'failed', 'undetermined'].includes(undoExecution.state) ? 'undo-failed' : 'undoing'
  return undoLapsed ? 'undo-lapsed' : 'undo-waiting'
}
