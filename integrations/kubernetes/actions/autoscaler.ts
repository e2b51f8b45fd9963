import { z } from 'zod'
import type { SuccessContract } from '../../../agent/domain/plan.ts'
import type { Action, ActionDefinition, Parameters, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { pathOf } from '../cluster-cache.ts'
import { type Autoscaler, autoscalerSchema } from '../objects.ts'
import { type NamedWorkload, WORKLOAD_KINDS } from '../services.ts'
import { SAFE } from './approval-tiers.ts'
import { fieldIs, fieldRestored } from './contracts.ts'
import { healthyNeeded } from './disruption.ts'
import { type Change, callsOf, dryRun, type Fields, type LiveObject, observe } from './live-object.ts'
import { ownerNotes } from './owner-words.ts'
import { type ActionDeps, type ActionPlace, blamed, findWorkload, knownIn, kubectl, placeOf } from './workload-target.ts'

const count = z.int().min(1).max(1_000)
const definition: ActionDefinition = {
  kind: 'kubernetes.autoscaler',
  version: 1,
  description:
    'Sets between how many pods the autoscaler of a service may scale it: each bound to at most twice and at least half of what it is, and none lowered below what a disruption budget needs.',
  parameters: z.strictObject({ minReplicas: count, maxReplicas: count }),
  reversibility: 'reversible',
  ...SAFE,
}

const RESOURCES = ['deployments', 'statefulsets'] as const
/** Not the number of pods: to change that is what it is there for. */
const PINNED = ['uid', 'minReplicas', 'maxReplicas', 'scales']
const CURES = new Set<string>(['insufficient_replicas', 'traffic_surge', 'pod_cpu_overload'])
const LARGEST_FACTOR = 2

export function createAutoscaler(deps: ActionDeps): Action {
  const change = (environment: string): Change => {
    const place = placeOf(deps, { environment })
    return {
      api: place.api,
      async find(name, signal) {
        const found = await scalerOf(place, name, signal)
        return found ? { path: pathOfScaler(found), beside: {} } : null
      },
      fields,
      operations: async (object, step, signal) => await boundsOperations(place, object, step, signal),
    }
  }
  return {
    definition,
    title: (target, parameters) => `Let ${target.name} scale between ${boundsWords(parameters)}`,
    async suggest({ class: cause, component }, { environment }) {
      const [place, name] = [deps.places.get(environment), blamed(component)]
      const found = CURES.has(cause) && place && name ? await scalerOf(place, name) : null
      if (!name || !found || !isAtItsEnd(found.scaler)) return null
      const { min, max } = boundsOf(found.scaler)
      const more = max + Math.max(1, Math.ceil(max / 2))
      const why = `Its autoscaler is at its end: ${max} of at most ${max} pods.`
      return { target: { environment, name }, parameters: { minReplicas: min, maxReplicas: more }, why }
    },
    async observe(where, signal) {
      const place = deps.places.get(where.environment)
      if (!place) return null
      return await observe(change(where.environment), { ...where, kind: 'HorizontalPodAutoscaler' }, PINNED, signal)
    },
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      const [from, to] = [before.raw, after].map((raw) => boundsOf(autoscalerSchema.parse(raw))) as [Bounds, Bounds]
      const changes = [
        { field: 'minReplicas', from: from.min, to: to.min },
        { field: 'maxReplicas', from: from.max, to: to.max },
      ]
      const now = autoscalerSchema.parse(before.raw).status?.currentReplicas ?? null
      const fewer = now !== null && to.max < now ? `${now - to.max} of ${now} pods end` : 'none'
      return {
        changes: changes.filter((line) => line.from !== line.to),
        downtime: `${fewer}${told.words}`.slice(0, 200),
        cautions: told.cautions,
      }
    },
    success: (step) => fieldIs(placeOf(deps, step.target).verification, stateOf(step.parameters)),
    probeWords: 'an annotation of the autoscaler holds the id of the execution that changed it last',
    undo(step, { preconditions }) {
      const seen = (field: string) => preconditions.find((each) => each.field === field)?.equals
      const [minReplicas, maxReplicas] = [seen('minReplicas'), seen('maxReplicas')]
      if (typeof minReplicas !== 'number' || typeof maxReplicas !== 'number') return null
      return {
        parameters: { minReplicas, maxReplicas },
        preconditions: [{ field: 'uid', equals: step.target.uid }, ...stateOf(step.parameters)],
        success: fieldRestored(stateOf({ minReplicas, maxReplicas })),
      }
    },
    ...callsOf(change),
    byHand: {
      defaults: async () => null,
      command: ({ target, parameters: { minReplicas, maxReplicas } }) =>
        kubectl(deps, target, 'patch', '%', '-p', JSON.stringify({ spec: { minReplicas, maxReplicas } })),
    },
  }
}

interface Bounds {
  min: number
  max: number
}

interface Scaled {
  workload: NamedWorkload
  scaler: Autoscaler
}

async function scalerOf(place: ActionPlace, name: string, signal?: AbortSignal): Promise<Scaled | null> {
  const workload = await findWorkload(place, RESOURCES, name, signal)
  if (!workload) return null
  const all = await knownIn(place, { kind: 'horizontalpodautoscalers', words: 'an autoscaler scales it' }, workload.namespace, signal)
  const [kind, own] = [WORKLOAD_KINDS[workload.resource], workload.object.metadata.name]
  const scaler = all.find(({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === kind && scaleTargetRef.name === own)
  return scaler ? { workload, scaler } : null
}

function pathOfScaler({ workload, scaler }: Scaled): string {
  return `${pathOf('horizontalpodautoscalers', workload.namespace)}/${encodeURIComponent(scaler.metadata.name)}`
}

function boundsOf({ spec }: Autoscaler): Bounds {
  return { min: spec.minReplicas ?? 1, max: spec.maxReplicas }
}

function isAtItsEnd({ spec, status }: Autoscaler): boolean {
  return Math.max(status?.currentReplicas ?? 0, status?.desiredReplicas ?? 0) >= spec.maxReplicas
}

function fields({ raw }: LiveObject): Fields {
  const scaler = autoscalerSchema.parse(raw)
  const { min, max } = boundsOf(scaler)
  const { kind, name } = scaler.spec.scaleTargetRef
  return { minReplicas: min, maxReplicas: max, scales: `${kind}/${name}`, replicas: scaler.status?.currentReplicas ?? min }
}

async function boundsOperations(place: ActionPlace, { raw }: LiveObject, step: Step, signal?: AbortSignal): Promise<JsonPatch[] | string> {
  const now = boundsOf(autoscalerSchema.parse(raw))
  const wanted = { min: Number(step.parameters['minReplicas']), max: Number(step.parameters['maxReplicas']) }
  if (wanted.min > wanted.max) return `the least (${wanted.min}) is more than the most (${wanted.max})`
  for (const bound of ['min', 'max'] as const) {
    const [least, most] = [Math.ceil(now[bound] / LARGEST_FACTOR), now[bound] * LARGEST_FACTOR]
    if (wanted[bound] < least || wanted[bound] > most)
      return `${bound}Replicas goes from ${now[bound]} to ${least} to ${most} in one step, not to ${wanted[bound]}`
  }
  // A lower least number lets the autoscaler go down to it, as a lower upper one makes it.
  for (const bound of ['min', 'max'] as const) {
    const found = wanted[bound] < now[bound] ? await findWorkload(place, RESOURCES, step.target.name, signal) : null
    const needed = found ? await healthyNeeded(place, found, wanted[bound], signal) : 0
    if (wanted[bound] < needed) return `its disruption budget needs ${needed} healthy pods`
  }
  return [
    { op: 'add', path: '/spec/minReplicas', value: wanted.min },
    { op: 'replace', path: '/spec/maxReplicas', value: wanted.max },
  ]
}

function stateOf({ minReplicas, maxReplicas }: Parameters): SuccessContract['state'] {
  return [
    { field: 'minReplicas', equals: Number(minReplicas) },
    { field: 'maxReplicas', equals: Number(maxReplicas) },
  ]
}

function boundsWords({ minReplicas, maxReplicas }: Parameters): string {
  return `${String(minReplicas)} and ${String(maxReplicas)} pods`
}
