import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { findService } from '../catalogue.ts'
import { isKnownVersion, previousVersionOf, versionOf, workloadOf } from '../target-state.ts'
import {
  type ActionDeps,
  blamedService,
  COMMON_DEFINITION,
  carryOut,
  commonReads,
  doCommand,
  expectedField,
  observeService,
  readFields,
  requireTarget,
  textOf,
} from './carry-out.ts'
import { healthyContract, restoredContract } from './contracts.ts'

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.rollback',
  version: 1,
  description:
    'Runs another released version of a service of the local target, usually the one before. New processes take over before the old ones end.',
  parameters: z.strictObject({ version: z.string().regex(/^v\d{1,4}$/) }),
  reversibility: 'compensable',
  risk: 'caution',
  requesterMayApprove: false,
}

const PINNED = ['uid', 'version']
const CURES = new Set<string>(['bad_release', 'crash_on_start'])

export function createRollback(deps: ActionDeps): Action {
  return {
    ...commonReads(deps),
    definition,
    title: (target, parameters) =>
      rollbackTitle(target.name, String(readFields(deps, target, ['version'])['version']), textOf(parameters, 'version')),
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (!CURES.has(cause) || !name) return null
      const workload = workloadOf(deps.state.current(), name)
      const [version, previous] = [versionOf(workload), previousVersionOf(workload)]
      if (previous === null) return null
      return {
        target: { environment, name },
        parameters: { version: previous },
        why: `${name} has run ${version} since its latest release; ${previous} ran before it.`,
      }
    },
    observe: async (where) => observeService(deps, where, PINNED),
    async dryRun(step) {
      requireTarget(deps, step)
      const version = textOf(step.parameters, 'version')
      if (!isKnownVersion(step.target.name, version)) {
        throw new IntegrationError('local', 'not_found', `${step.target.name} was never released as ${version}`)
      }
      const changes = [{ field: 'version', from: expectedField(deps, step, 'version'), to: version }]
      return { changes, downtime: 'none, new processes take over before the old ones end' }
    },
    success: (step, { replicas }) => healthyContract(step.target.name, stateAt(textOf(step.parameters, 'version'), replicas)),
    undo(step, observation) {
      const captured = observation.preconditions.find(({ field }) => field === 'version')?.equals
      if (typeof captured !== 'string') return null
      return {
        parameters: { version: captured },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'version', equals: textOf(step.parameters, 'version') },
        ],
        success: restoredContract(stateAt(captured, observation.replicas)),
      }
    },
    async effect(step, id, signal) {
      const version = textOf(step.parameters, 'version')
      if (!isKnownVersion(step.target.name, version)) {
        return { result: 'refused', reason: 'invalid', words: `${step.target.name} was never released as ${version}` }
      }
      return carryOut(deps, step, { kind: 'rollback', version }, { id, signal })
    },
    byHand: {
      defaults: async ({ name }) => {
        const previous = findService(name) ? previousVersionOf(workloadOf(deps.state.current(), name)) : null
        return previous === null ? null : { version: previous }
      },
      noDefaults: 'It has run no other version before this one, so there is none to go back to.',
      command: (step) => doCommand('rollback', step),
    },
  }
}

function stateAt(version: string, replicas: number): { field: string; equals: string | number }[] {
  return [
    { field: 'version', equals: version },
    { field: 'updatedReplicas', equals: replicas },
  ]
}

function rollbackTitle(service: string, from: string, to: string): string {
  const number = (version: string): number => Number(version.slice(1))
  if (from === to) return `Put ${service} back to ${to}`
  return number(to) < number(from) ? `Roll back ${service} from ${from} to ${to}` : `Roll ${service} forward from ${from} to ${to}`
}
