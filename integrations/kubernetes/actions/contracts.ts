import type { SuccessContract } from '../../../agent/domain/plan.ts'
import type { Verification } from './workload-target.ts'

const MIN_SAMPLES = 3
const UNDO_WITHIN_SECONDS = 600
const ROLLED_OUT = { field: 'rollout', equals: 'complete' }

/** The rollout is complete and stays so; what the alert measures is added where the plan is made. */
export function rolledOut(verification: Verification, state: SuccessContract['state'] = []): SuccessContract {
  const weaker = 'The alert names no metric that can be read: only that the rollout is complete and every pod is ready is checked.'
  return { metrics: [], state: [...state, ROLLED_OUT], ...verification, minSamples: MIN_SAMPLES, weaker }
}

/** For the way back: what was captured is there again. */
export function restored(verification: Verification, state: SuccessContract['state']): SuccessContract {
  return {
    metrics: [],
    state: [...state, ROLLED_OUT],
    settleSeconds: 0,
    holdSeconds: Math.min(5, verification.holdSeconds),
    withinSeconds: Math.max(verification.withinSeconds, UNDO_WITHIN_SECONDS),
    minSamples: 1,
    weaker: 'An undo puts back what was there before: only the state of the workload is checked.',
  }
}

/** For what shows at once: a field has the value that it was given. */
export function fieldIs(state: SuccessContract['state']): SuccessContract {
  return {
    metrics: [],
    state,
    settleSeconds: 0,
    holdSeconds: 3,
    withinSeconds: 60,
    minSamples: 2,
    weaker: 'Only that the setting is as approved is checked.',
  }
}
