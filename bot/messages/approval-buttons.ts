import type { Approval } from '../../agent/domain/approval.ts'
import type { ApprovalPhase } from './approval-phase.ts'
import { type ActionButton, button, buttons, type CardBlock } from './card.ts'
import { fitsOnCard } from './plan-facts.ts'

/** What can be pressed now; none once there is nothing left to decide. */
export function approvalButtons(approval: Approval, phase: ApprovalPhase, context: { now: Date; whoMay: readonly string[] }): CardBlock[] {
  return buttons(row(approval, phase, context), null)
}

function row(approval: Approval, phase: ApprovalPhase, { now, whoMay }: { now: Date; whoMay: readonly string[] }): ActionButton[] {
  const { id, plan } = approval
  switch (phase) {
    case 'asking': {
      const mayBeApproved = whoMay.length > 0 && fitsOnCard(plan)
      return [...(mayBeApproved ? [button('approve', 'Approve', id, 'primary')] : []), button('deny', 'Deny', id), button('ask', 'Ask', id)]
    }
    case 'undo-waiting':
      return approval.undoFrom && approval.undoFrom.getTime() > now.getTime() ? [button('keep', 'Keep', id)] : []
    case 'aborted':
    case 'restored':
    case 'expired':
      return [button('check-again', 'Check again', id)]
    default:
      return []
  }
}
