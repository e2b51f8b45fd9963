import type { DrillScenario } from '../../ports/drills.ts'
import { type ChangeOrigin, changeWorkload, type TargetState } from '../target-state.ts'

/** A scenario is a change of what should run, or of what runs: the supervisor makes it real. */
export interface Scenario extends DrillScenario {
  apply(state: TargetState, origin: Origin): TargetState
}

export type Origin = Pick<ChangeOrigin, 'id' | 'at'>

/** A release as the delivery pipeline makes it. */
export function release(state: TargetState, service: string, version: string, origin: Origin): TargetState {
  return changeWorkload(state, service, { kind: 'release', version }, { ...origin, by: 'delivery pipeline', executionId: null })
}
