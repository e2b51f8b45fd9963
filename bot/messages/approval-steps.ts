import { type Approval, type Execution, type ExecutionState, wasApplied } from '../../agent/domain/approval.ts'
import { byWhat } from '../../agent/domain/plan.ts'
import { type CardBlock, list } from './card.ts'
import { type Span, say } from './span.ts'
import { time } from './time-words.ts'

/** Of an undo: what an action is verified by depends on its plan. */
const STEP_WORDS: Readonly<Record<ExecutionState, string>> = {
  claimed: 'taken up, rules checked again',
  intent: 'target checked again, about to send',
  sent: 'sent, once',
  unknown: 'no answer, looking at the target',
  succeeded: 'took effect',
  verified: 'verified: what was there before is back',
  failed: 'judged failed',
  undetermined: 'too little telemetry to tell',
  undone: 'undone',
  aborted: 'stopped before anything was sent',
}
const STEPS_SHOWN = 10

/** What was done so far, step by step with times; nothing before the first step. */
export function approvalSteps({ plan, execution, undoExecution }: Approval): CardBlock[] {
  const own = { ...STEP_WORDS, verified: `verified ${byWhat(plan)}` }
  return [...list('What was done', stepsOf(execution, own)), ...list('The undo', stepsOf(undoExecution, STEP_WORDS))]
}

function stepsOf(execution: Execution | null, told: typeof STEP_WORDS): Span[][] {
  if (!execution) return []
  const words = wasApplied(execution) ? told : { ...told, failed: 'found not applied' }
  return execution.events.slice(-STEPS_SHOWN).map((event) => say`${time(event.at)} ${words[event.state]}`)
}
