import type { Plan } from './plan.ts'

export const REQUEST_STATES = ['pending', 'authorised', 'denied', 'expired', 'cancelled', 'superseded'] as const
export type RequestState = (typeof REQUEST_STATES)[number]

export const EXECUTION_STATES = [
  'claimed',
  'intent',
  'sent',
  'unknown',
  'succeeded',
  'verified',
  'failed',
  'undetermined',
  'undone',
  'aborted',
] as const
export type ExecutionState = (typeof EXECUTION_STATES)[number]

/** States of an approval as programs outside see them. */
export type ApprovalState = 'pending' | 'authorised' | 'denied' | 'expired' | 'cancelled' | 'superseded' | 'aborted' | 'executing' | 'done'
export type Outcome = 'verified' | 'failed' | 'undetermined' | 'undone'

export type Decision = 'approve' | 'deny'

/** One vote that counts. */
export interface Vote {
  person: string
  personName: string
  decision: Decision
  at: Date
  reason: string | null
}

export interface ExecutionEvent {
  seq: number
  state: ExecutionState
  at: Date
  detail: Record<string, unknown>
}

export interface Execution {
  id: string
  planId: string
  state: ExecutionState
  epoch: number
  events: ExecutionEvent[]
}

/** Everything there is to know about one request for approval; the card is a pure function of it. */
export interface Approval {
  id: string
  incidentId: string
  drillRun: string | null
  plan: Plan
  digest: string
  requestState: RequestState
  /** Who ended it and why, for denied, cancelled and superseded. */
  reason: string | null
  votes: Vote[]
  createdAt: Date
  decidedAt: Date | null
  execution: Execution | null
  /** The undo's own execution, once it was authorised. */
  undoExecution: Execution | null
  /** When the undo may start at the earliest; null unless the action was judged failed after it took place. */
  undoFrom: Date | null
  /** Who pressed Keep, if anyone. */
  keptBy: string | null
  /** The ten minutes for the undo passed without it. */
  undoLapsed: boolean
}

/** Where an approval stands, from its rows alone. */
export function approvalState(approval: Approval): ApprovalState {
  if (approval.requestState !== 'authorised') return approval.requestState
  const { execution } = approval
  if (!execution) return 'authorised'
  if (execution.state === 'aborted') return 'aborted'
  return isSettled(approval) ? 'done' : 'executing'
}

/** Nobody reads a plan, its dry run and its undo faster. */
export const AT_A_GLANCE_SECONDS = 10

/** The outcome of the execution; null while it is not known. */
export function approvalOutcome(approval: Approval): Outcome | null {
  const state = approval.execution?.state
  return state === 'verified' || state === 'failed' || state === 'undetermined' || state === 'undone' ? state : null
}

/** Whether nothing more will happen by this click. A failed action with an undo waits until the undo ended, was kept, or lapsed. */
function isSettled(approval: Approval): boolean {
  const { execution, undoExecution, plan, keptBy, undoLapsed } = approval
  if (!execution) return false
  if (execution.state === 'verified' || execution.state === 'undetermined' || execution.state === 'undone') return true
  if (execution.state !== 'failed') return false
  if (!plan.undo || keptBy !== null || undoLapsed || !wasApplied(execution)) return true
  return undoExecution !== null && ['aborted', 'failed', 'undetermined'].includes(undoExecution.state)
}

/** Whether the effect took place: an action that was found not applied has nothing to undo. */
export function wasApplied(execution: Execution): boolean {
  return execution.events.some((event) => event.state === 'succeeded')
}
