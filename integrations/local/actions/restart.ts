import { z } from 'zod'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { workloadOf } from '../target-state.ts'
import {
  type ActionDeps,
  blamedService,
  COMMON_DEFINITION,
  carryOut,
  commonReads,
  doCommand,
  observeService,
  requireTarget,
} from './carry-out.ts'
import { healthyContract } from './contracts.ts'

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.restart',
  version: 1,
  description:
    'Replaces all processes of a service of the local target by new ones of the same version. New processes take over before the old ones end.',
  parameters: z.strictObject({}),
  reversibility: 'reversible',
  risk: 'safe',
}

const PINNED = ['uid', 'generation']
const CURES = new Set<string>(['memory_leak', 'deadlock_or_hang'])
/** Well under the bound of the memory alert, so that a heap that only just fell is no success. */
const MEMORY_BOUND = '0.7'

export function createRestart(deps: ActionDeps): Action {
  return {
    ...commonReads(deps),
    definition,
    title: (target) => `Restart ${target.name}`,
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (!CURES.has(cause) || !name) return null
      const why = cause === 'memory_leak' ? 'A new process starts with an empty heap.' : 'A new process is not stuck where the old one is.'
      return { target: { environment, name }, parameters: {}, why }
    },
    observe: async (where) => observeService(deps, where, PINNED),
    async dryRun(step) {
      requireTarget(deps, step)
      // The same words for the same state, whichever processes happen to run: a crash of one of them makes no other action of it.
      const { replicas } = workloadOf(deps.state.current(), step.target.name)
      const changes = [{ field: 'processes', from: `${replicas} running`, to: `${replicas} new` }]
      return { changes, downtime: 'none, new processes take over before the old ones end' }
    },
    success: (step, { replicas }) =>
      healthyContract(
        step.target.name,
        [{ field: 'updatedReplicas', equals: replicas }],
        [{ service: step.target.name, metric: 'memory_used_ratio', comparator: '<=', threshold: MEMORY_BOUND, unit: 'ratio' }],
      ),
    // There is no way back to a process that has ended.
    undo: () => null,
    effect: (step, id, signal) => carryOut(deps, step, { kind: 'restart' }, { id, signal }),
    byHand: { defaults: async () => ({}), command: (step) => doCommand('restart', step) },
  }
}
