import { z } from 'zod'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { JOURNAL_OF } from '../catalogue.ts'
import { moveBatch, nextBatch } from '../equipment.ts'
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
  requireTarget,
  textOf,
} from './carry-out.ts'
import { healthyContract, restoredContract } from './contracts.ts'

const WAYS = ['archive', 'put-back'] as const

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.archive-logs',
  version: 1,
  description:
    'Moves the old files of a log directory of the local target into an archive beside it, as one numbered batch. Nothing is deleted; a batch can be put back.',
  parameters: z.strictObject({ way: z.enum(WAYS), batch: z.int().min(1).max(1_000_000) }),
  reversibility: 'compensable',
  risk: 'caution',
}

const PINNED = ['uid', 'lastArchived']
/** Well under the bound of the alert. */
const USED_BOUND = '0.5'

export function createArchiveLogs(deps: ActionDeps): Action {
  return {
    ...commonReads(deps),
    definition,
    title: (target, parameters) => {
      const batch = numberOf(parameters, 'batch')
      return textOf(parameters, 'way') === 'put-back'
        ? `Put the archived logs of ${target.name} back (batch ${batch})`
        : `Archive the old logs of ${target.name} (batch ${batch})`
    },
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (cause !== 'log_volume_full' || name !== JOURNAL_OF) return null
      const parameters = { way: 'archive', batch: nextBatch(deps.state.current().equipment) }
      return { target: { environment, name }, parameters, why: 'Old files can be kept elsewhere; the service needs room for new ones.' }
    },
    observe: async (where) => (where.name === JOURNAL_OF ? observeService(deps, where, PINNED) : null),
    async dryRun(step) {
      requireTarget(deps, step)
      const [here, there] = ['in the log directory', `in the archive, batch ${numberOf(step.parameters, 'batch')}`]
      const files = { field: 'old log files', from: here, to: there }
      const isBack = textOf(step.parameters, 'way') === 'put-back'
      const changes = [isBack ? { ...files, from: there, to: here } : files]
      return { changes, downtime: 'none' }
    },
    success: (step) =>
      healthyContract(
        step.target.name,
        [{ field: 'lastArchived', equals: numberOf(step.parameters, 'batch') }],
        [{ service: step.target.name, metric: 'log_volume_used_ratio', comparator: '<=', threshold: USED_BOUND, unit: 'ratio' }],
      ),
    undo(step) {
      const batch = numberOf(step.parameters, 'batch')
      const captured = expectedField(deps, step, 'lastArchived')
      if (textOf(step.parameters, 'way') === 'put-back' || typeof captured !== 'number') return null
      return {
        parameters: { way: 'put-back', batch },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'lastArchived', equals: batch },
        ],
        success: restoredContract([{ field: 'lastArchived', equals: captured }]),
      }
    },
    async effect(step, id, signal) {
      const parsed = definition.parameters.safeParse(step.parameters)
      if (!parsed.success) return { result: 'refused', reason: 'invalid', words: 'a batch is archived or put back, by its number' }
      const batch = numberOf(step.parameters, 'batch')
      const isBack = textOf(step.parameters, 'way') === 'put-back'
      const summary = `old logs of ${step.target.name} were ${isBack ? 'put back' : 'archived'} (batch ${batch})`
      const change = {
        summary,
        change: (equipment: Parameters<typeof moveBatch>[0]) => moveBatch(equipment, batch, isBack ? 'put-back' : 'archived'),
      }
      return carryOut(deps, step, change, { id, signal })
    },
    byHand: {
      defaults: async () => ({ way: 'archive', batch: nextBatch(deps.state.current().equipment) }),
      command: (step) => doCommand('archive-logs', step),
    },
  }
}
