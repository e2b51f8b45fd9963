import { type Approval, type Execution, type ExecutionState, wasApplied } from '../../agent/domain/approval.ts'
import { type CardBlock, list } from './card.ts'
import { type Span, say } from './span.ts'
import { time } from './time-words.ts'

const STEP_WORDS: Readonly<Record<ExecutionState, string>> = {
  claimed: 'taken up, rules checked again',
  intent: 'target checked again, about to send',
  sent: 'sent, once',
  unknown: 'no answer, looking at the target',
  succeeded: 'took effect',
  verified: 'verified by telemetry',
  failed: 'judged failed',
  undetermined: 'too little telemetry to tell',
  undone: 'undone',
  aborted: 'stopped before anything was sent',
}
const STEPS_SHOWN = 10

/** What was done so far, step by step with times; nothing before the first step. */
export function approvalSteps({ execution, undoExecution }: Approval): CardBlock[] {
  return [...list('What was done', stepsOf(execution)), ...list('The undo', stepsOf(undoExecution))]
}

function stepsOf(execution: Execution | null): Span[][] {
  if (!execution) return []
  const words = wasApplied(execution) ? STEP_WORDS : { ...STEP_WORDS, failed: 'found not applied' }
  return execution.events.slice(-STEPS_SHOWN).map((event) => say`${time(event.at)} ${words[event.state]}`)
}
