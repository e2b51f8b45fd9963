import { z } from 'zod'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { JOB, JOB_OF } from '../catalogue.ts'
import { restartJob } from '../equipment.ts'
import {
  type ActionDeps,
  blamedService,
  COMMON_DEFINITION,
  carryOut,
  commonReads,
  doCommand,
  expectedField,
  observeService,
  requireTarget,
} from './carry-out.ts'
import { healthyContract } from './contracts.ts'

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.restart-job',
  version: 1,
  description:
    'Ends the thread of a batch job of the local target wherever it is, and starts a new one, which takes the work that the old one held. The service around it goes on.',
  parameters: z.strictObject({}),
  reversibility: 'reversible',
  risk: 'safe',
}

const PINNED = ['uid', 'jobRun']
const AGE_BOUND = '5'
const QUEUE_BOUND = '50'

export function createRestartJob(deps: ActionDeps): Action {
  const pinnedRun = (step: Parameters<Action['success']>[0]): number => Number(expectedField(deps, step, 'jobRun'))
  return {
    ...commonReads(deps),
    definition,
    title: (target) => `Restart the job ${JOB} of ${target.name}`,
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (cause !== 'job_stuck' || name !== JOB_OF) return null
      return { target: { environment, name }, parameters: {}, why: `A new run of ${JOB} takes the work that the stuck one holds.` }
    },
    observe: async (where) => (where.name === JOB_OF ? observeService(deps, where, PINNED) : null),
    async dryRun(step) {
      requireTarget(deps, step)
      const run = pinnedRun(step)
      return { changes: [{ field: `job ${JOB}`, from: `run ${run}`, to: `run ${run + 1}` }], downtime: 'none, only the job is ended' }
    },
    success: (step) =>
      healthyContract(
        step.target.name,
        [{ field: 'jobRun', equals: pinnedRun(step) + 1 }],
        [
          { service: step.target.name, metric: 'job_age_seconds', comparator: '<=', threshold: AGE_BOUND, unit: 's' },
          { service: step.target.name, metric: 'queue_depth', comparator: '<=', threshold: QUEUE_BOUND, unit: '' },
        ],
      ),
    // There is no way back into a thread that has ended, and nobody would want one.
    undo: () => null,
    effect: (step, id, signal) =>
      carryOut(deps, step, { summary: `the job ${JOB} of ${step.target.name} was started anew`, change: restartJob }, { id, signal }),
    byHand: { defaults: async () => ({}), command: (step) => doCommand('restart-job', step) },
  }
}
