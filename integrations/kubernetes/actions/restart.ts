import { z } from 'zod'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { RESTARTED_AT } from '../annotations.ts'
import type { JsonPatch } from '../api.ts'
import { WORKLOAD_KINDS, type WorkloadResource } from '../services.ts'
import { SAFE } from './approval-tiers.ts'
import { rolledOut } from './contracts.ts'
import { carryOut, dryRun, type LiveObject, probeMark, readFields } from './live-object.ts'
import { differingFields } from './object-diff.ts'
import { ownerNotes } from './owner-words.ts'
import { type ActionDeps, blamed, findWorkload, kubectl, observeWorkload, placeOf, templateOf, workloadChange } from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.restart',
  version: 1,
  description:
    'Replaces all pods of a deployment, stateful set or daemon set by new ones of the same template, as kubectl rollout restart does.',
  parameters: z.strictObject({}),
  reversibility: 'reversible',
  ...SAFE,
}

const RESOURCES = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]
/** Not the number of replicas: an autoscaler may change it meanwhile, and the action means the same. */
const PINNED = ['uid', 'template', 'paused']
const CURES = new Set<string>(['memory_leak', 'deadlock_or_hang', 'thread_or_handle_exhaustion', 'connection_pool_exhausted'])

export function createRestart(deps: ActionDeps): Action {
  const change = (environment: string) =>
    workloadChange(placeOf(deps, { environment }), RESOURCES, async (object) => restartOperations(object, deps.now()))
  return {
    definition,
    title: (target) => `Restart ${target.name}`,
    async suggest({ class: cause, component }, { environment }) {
      const [place, name] = [deps.places.get(environment), blamed(component)]
      if (!CURES.has(cause) || !place || !name || !(await findWorkload(place, RESOURCES, name))) return null
      const why = cause === 'memory_leak' ? 'New pods start with empty heaps.' : 'New pods are not stuck where the old ones are.'
      return { target: { environment, name }, parameters: {}, why }
    },
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      const changes = differingFields(templateOf(before.raw), templateOf(after)).filter(({ field }) => !field.endsWith(RESTARTED_AT))
      const anew = { field: 'pods', from: 'as they run', to: 'all new, of the same template' }
      return {
        changes: [anew, ...changes],
        downtime: `none, if its update strategy keeps pods ready${told.words}`.slice(0, 200),
        cautions: told.cautions,
      }
    },
    success: (step) => rolledOut(placeOf(deps, step.target).verification),
    probeWords: 'an annotation of the workload holds the id of the execution that changed it last',
    // There is no way back to a pod that has ended.
    undo: () => null,
    effect: async (step, id, signal) => await carryOut(change(step.target.environment), step, id, signal),
    probe: async (step, id, signal) => await probeMark(change(step.target.environment), step, id, signal),
    readState: async (target, fields, signal) => await readFields(change(target.environment), target, fields, signal),
    byHand: { defaults: async () => ({}), command: ({ target }) => kubectl(deps, target, 'rollout', 'restart', '%') },
  }
}

function restartOperations({ raw }: LiveObject, now: Date): JsonPatch[] | string {
  const template = templateOf(raw)
  const metadata = z
    .object({ annotations: z.record(z.string(), z.string()).nullish() })
    .nullish()
    .catch(null)
    .parse(template['metadata'])
  const at = now.toISOString()
  if (!metadata) return 'its template has no metadata'
  return metadata.annotations
    ? [{ op: 'add', path: `/spec/template/metadata/annotations/${RESTARTED_AT.replace('/', '~1')}`, value: at }]
    : [{ op: 'add', path: '/spec/template/metadata/annotations', value: { [RESTARTED_AT]: at } }]
}
