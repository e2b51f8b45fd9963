import { type Approval, approvalState } from '../domain/approval.ts'
import type { Plan } from '../domain/plan.ts'
import { abortReason } from './lifecycle.ts'

type Candidate = Pick<Plan, 'action' | 'resource' | 'parameters'>

/** Why an action is not proposed (again) in this incident; null when nothing speaks against it. `asked` is true when a person asked for it. */
export function objectionToRepeat(candidate: Candidate, approvals: readonly Approval[], asked: boolean): string | null {
  const open = approvals.find((approval) => ['pending', 'authorised', 'executing'].includes(approvalState(approval)))
  if (open) return `${open.plan.action.title} is still open`
  if (asked) return null
  for (const approval of approvals) {
    if (!sameAction(candidate, approval.plan)) continue
    const state = approvalState(approval)
    if (state === 'denied' || state === 'cancelled' || state === 'expired')
      return `${approval.plan.action.title} was ${state} in this incident`
    if (state === 'done') return `${approval.plan.action.title} was already carried out in this incident`
    if (state === 'aborted' && abortReason(approval) === 'healed')
      return `${approval.plan.action.title} was not needed: it recovered by itself`
  }
  return null
}

function sameAction(candidate: Candidate, plan: Plan): boolean {
  return (
    candidate.action.kind === plan.action.kind &&
    candidate.resource === plan.resource &&
    JSON.stringify(candidate.parameters) === JSON.stringify(plan.parameters)
  )
}

/** What was sent in this incident so far, undos aside: against any cause, and against this one. */
export function attemptsSpent(
  approvals: readonly Approval[],
  cause: Pick<Plan['cause'], 'class' | 'component'>,
): { ofIncident: number; ofCause: number } {
  const sent = approvals.filter(({ execution }) => execution?.events.some(({ state }) => state === 'sent'))
  const ofCause = sent.filter(({ plan }) => plan.cause.class === cause.class && plan.cause.component === cause.component)
  return { ofIncident: sent.length, ofCause: ofCause.length }
}
