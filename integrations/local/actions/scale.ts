import { z } from 'zod'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { MAX_REPLICAS } from '../catalogue.ts'
import { workloadOf } from '../target-state.ts'
import {
  type ActionDeps,
  blamedService,
  COMMON_DEFINITION,
  carryOut,
  commonReads,
  doCommand,
  expectedField,
  numberOf,
  observeService,
  readFields,
  requireTarget,
} from './carry-out.ts'
import { healthyContract, restoredContract } from './contracts.ts'

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.scale',
  version: 1,
  description: 'Runs another number of processes of a service of the local target, 1 to 4.',
  parameters: z.strictObject({ replicas: z.int().min(1).max(MAX_REPLICAS) }),
  reversibility: 'reversible',
  risk: 'safe',
}

const PINNED = ['uid', 'replicas']
const CURES = new Set<string>(['insufficient_replicas', 'traffic_surge'])

export function createScale(deps: ActionDeps): Action {
  return {
    ...commonReads(deps),
    definition,
    title: (target, parameters) =>
      scaleTitle(target.name, readFields(deps, target, ['replicas'])['replicas'], numberOf(parameters, 'replicas')),
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (!CURES.has(cause) || !name) return null
      const { replicas } = workloadOf(deps.state.current(), name)
      if (replicas >= MAX_REPLICAS) return null
      return {
        target: { environment, name },
        parameters: { replicas: replicas + 1 },
        why: `One more process shares the load of the ${replicas} there are.`,
      }
    },
    observe: async (where) => observeService(deps, where, PINNED),
    async dryRun(step) {
      requireTarget(deps, step)
      const replicas = numberOf(step.parameters, 'replicas')
      return { changes: [{ field: 'replicas', from: expectedField(deps, step, 'replicas'), to: replicas }], downtime: 'none' }
    },
    success: (step) => healthyContract(step.target.name, stateAt(numberOf(step.parameters, 'replicas'))),
    undo(step, observation) {
      return {
        parameters: { replicas: observation.replicas },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'replicas', equals: numberOf(step.parameters, 'replicas') },
        ],
        success: restoredContract(stateAt(observation.replicas)),
      }
    },
    async effect(step, id, signal) {
      const { replicas } = step.parameters
      const valid = definition.parameters.safeParse({ replicas }).success
      if (!valid || typeof replicas !== 'number')
        return { result: 'refused', reason: 'invalid', words: `replicas has to be 1 to ${MAX_REPLICAS}` }
      return carryOut(deps, step, { kind: 'scale', replicas }, { id, signal })
    },
    byHand: { defaults: async () => null, command: (step) => doCommand('scale', step) },
  }
}

function stateAt(replicas: number): { field: string; equals: number }[] {
  return [
    { field: 'replicas', equals: replicas },
    { field: 'updatedReplicas', equals: replicas },
  ]
}

function scaleTitle(service: string, from: unknown, to: number): string {
  const words = `${to} ${to === 1 ? 'replica' : 'replicas'}`
  return from === to ? `Put ${service} back to ${words}` : `Scale ${service} from ${from} to ${words}`
}
