import { z } from 'zod'
import type { Action, ActionDefinition, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { SAFE } from './approval-tiers.ts'
import { restored, rolledOut } from './contracts.ts'
import { healthyNeeded } from './disruption.ts'
import { type Change, carryOut, dryRun, type LiveObject, probeMark, readFields } from './live-object.ts'
import { differingFields } from './object-diff.ts'
import { ownerNotes } from './owner-words.ts'
import {
  type ActionDeps,
  type ActionPlace,
  autoscalerOf,
  blamed,
  findWorkload,
  kubectl,
  observeWorkload,
  placeOf,
  workloadChange,
  workloadFields,
} from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.scale',
  version: 1,
  description:
    'Runs another number of pods of a deployment or stateful set: at most twice and at least half as many as now, and never fewer than a disruption budget needs.',
  parameters: z.strictObject({ replicas: z.int().min(1).max(1_000) }),
  reversibility: 'reversible',
  ...SAFE,
}

const RESOURCES = ['deployments', 'statefulsets'] as const
const PINNED = ['uid', 'replicas', 'autoscaler']
const CURES = new Set<string>(['insufficient_replicas', 'traffic_surge', 'pod_cpu_overload'])
const LARGEST_FACTOR = 2

export function createScale(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return workloadChange(place, RESOURCES, async (object, step, signal) => await scaleOperations(place, object, step, signal))
  }
  return {
    definition,
    title: (target, parameters) =>
      `Scale ${target.name} to ${String(parameters['replicas'])} ${parameters['replicas'] === 1 ? 'replica' : 'replicas'}`,
    async suggest({ class: cause, component }, { environment }) {
      const [place, name] = [deps.places.get(environment), blamed(component)]
      const found = CURES.has(cause) && place && name ? await findWorkload(place, RESOURCES, name) : null
      // What scales by itself is bounded by its autoscaler, and a number of ours would not stay.
      if (!place || !name || !found || (await autoscalerOf(place, found)) !== null) return null
      const replicas = found.object.spec.replicas ?? 1
      if (replicas < 1) return null
      const more = replicas + Math.max(1, Math.ceil(replicas / 4))
      return {
        target: { environment, name },
        parameters: { replicas: more },
        why: `${more - replicas} more share the load of the ${replicas} there are.`,
      }
    },
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      return {
        changes: differingFields(specOf(before.raw), specOf(after)).slice(0, 12),
        downtime: `none${told.words}`.slice(0, 200),
        cautions: told.cautions,
      }
    },
    success: (step) => rolledOut(placeOf(deps, step.target).verification, [{ field: 'replicas', equals: replicasOf(step) }]),
    probeWords: 'an annotation of the workload holds the id of the execution that changed it last',
    undo(step, { replicas }) {
      if (replicas < 1) return null
      return {
        parameters: { replicas },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'replicas', equals: replicasOf(step) },
        ],
        success: restored(placeOf(deps, step.target).verification, [{ field: 'replicas', equals: replicas }]),
      }
    },
    effect: async (step, id, signal) => await carryOut(change(step.target.environment), step, id, signal),
    probe: async (step, id, signal) => await probeMark(change(step.target.environment), step, id, signal),
    readState: async (target, fields, signal) => await readFields(change(target.environment), target, fields, signal),
    byHand: {
      defaults: async () => null,
      command: ({ target, parameters }) => kubectl(deps, target, 'scale', '%', `--replicas=${String(parameters['replicas'])}`),
    },
  }
}

async function scaleOperations(place: ActionPlace, object: LiveObject, step: Step, signal?: AbortSignal): Promise<JsonPatch[] | string> {
  const [now, wanted] = [Number(workloadFields(object)['replicas']), replicasOf(step)]
  const found = await findWorkload(place, RESOURCES, step.target.name, signal)
  const scaler = found ? await autoscalerOf(place, found, signal) : null
  if (scaler !== null) return `the autoscaler ${scaler} sets its replicas: change its bounds instead`
  const [least, most] = [Math.ceil(now / LARGEST_FACTOR), Math.max(1, now * LARGEST_FACTOR)]
  if (wanted > most || wanted < least) return `from ${now} it goes to ${Math.max(1, least)} to ${most} in one step, not to ${wanted}`
  const needed = found && wanted < now ? await healthyNeeded(place, found, wanted, signal) : 0
  if (wanted < needed) return `its disruption budget needs ${needed} healthy pods`
  return [
    { op: 'test', path: '/spec/replicas', value: now },
    { op: 'replace', path: '/spec/replicas', value: wanted },
  ]
}

function specOf(raw: unknown): unknown {
  return typeof raw === 'object' && raw !== null && 'spec' in raw ? raw.spec : null
}

function replicasOf({ parameters }: Step): number {
  return typeof parameters['replicas'] === 'number' ? parameters['replicas'] : Number.NaN
}
