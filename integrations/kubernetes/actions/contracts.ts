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
  return syncedBack(verification, [...state, ROLLED_OUT])
}

/** Argo CD deployed it and finds it healthy; what the alert measures is added where the plan is made. */
export function synced(verification: Verification, state: SuccessContract['state']): SuccessContract {
  const weaker = 'The alert names no metric that can be read: only that the sync succeeded and the application is healthy is checked.'
  return { metrics: [], state: [...state, { field: 'health', equals: 'Healthy' }], ...verification, minSamples: MIN_SAMPLES, weaker }
}

/** For the way back of what takes a while: what was captured is there again. */
export function syncedBack(verification: Verification, state: SuccessContract['state']): SuccessContract {
  return {
    metrics: [],
    state,
    settleSeconds: 0,
    holdSeconds: Math.min(5, verification.holdSeconds),
    withinSeconds: Math.max(verification.withinSeconds, UNDO_WITHIN_SECONDS),
    minSamples: 1,
    weaker: 'An undo puts back what was there before: only the state of the target is checked.',
  }
}

/** For a setting that helps by what others do because of it: it is as approved, and stays so; what the alert measures is added where the plan is made. */
export function fieldIs(verification: Verification, state: SuccessContract['state']): SuccessContract {
  return { metrics: [], state, ...verification, minSamples: MIN_SAMPLES, weaker: 'Only that the setting is as approved is checked.' }
}

/** For what keeps more harm away and heals none that is there: whatever the alert measures says nothing about it. */
export function heldOff(state: SuccessContract['state']): SuccessContract {
  const weaker = 'It heals nothing by itself: only that the setting is as approved is checked, and the incident stays open.'
  return { metrics: [], state, ...AT_ONCE, weaker, heals: false }
}

/** For the way back of a setting. */
export function fieldRestored(state: SuccessContract['state']): SuccessContract {
  return { metrics: [], state, ...AT_ONCE, weaker: 'An undo puts back what was there before: only the setting is checked.' }
}

const AT_ONCE = { settleSeconds: 0, holdSeconds: 3, withinSeconds: 60, minSamples: 2 }
