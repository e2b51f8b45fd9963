import { z } from 'zod'
import type { SuccessContract } from '../../../agent/domain/plan.ts'
import type { Action, ActionDefinition, Parameters, Step } from '../../ports/action.ts'
import type { JsonPatch } from '../api.ts'
import { type ObjectContainer, type Pod, workloadSchema } from '../objects.ts'
import { quantityOf } from '../quantity.ts'
import { WORKLOAD_KINDS, type WorkloadResource } from '../services.ts'
import { podsOf } from '../workloads.ts'
import { CAUTIOUS } from './approval-tiers.ts'
import {
  BOUNDS,
  type Bound,
  boundsIn,
  containersOf,
  RESOURCES_OF,
  type ResourceBounds,
  readBounds,
  shownQuantity,
  writtenBounds,
} from './container-resources.ts'
import { restored, rolledOut } from './contracts.ts'
import { callsOf, dryRun, type LiveObject } from './live-object.ts'
import { differingFields } from './object-diff.ts'
import { ownerNotes } from './owner-words.ts'
import {
  type ActionDeps,
  type ActionPlace,
  blamed,
  findWorkload,
  kubectl,
  observeWorkload,
  placeOf,
  templateOf,
  workloadChange,
} from './workload-target.ts'

const quantity = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,3})?(m|k|M|G|Ki|Mi|Gi)?$/, 'must be a quantity such as 250m or 512Mi')
  .nullable()
  .default(null)
const definition: ActionDefinition = {
  kind: 'kubernetes.set-resources',
  version: 1,
  description:
    'Gives a container of a deployment, stateful set or daemon set other requests or limits of cpu or memory: each at most twice and at least half of what it is. All its pods are made anew.',
  parameters: z.strictObject({
    container: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a container'),
    /** What is null stays as it is. */
    cpuRequest: quantity,
    cpuLimit: quantity,
    memoryRequest: quantity,
    memoryLimit: quantity,
  }),
  reversibility: 'compensable',
  ...CAUTIOUS,
}

const RESOURCES = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]
const PINNED = ['uid', 'template', 'paused']
/** A plan has room for no more preconditions. */
const MOST_CONTAINERS = 9
const LARGEST_FACTOR = 2
const USUAL_FACTOR = 1.5
const MIB = 2 ** 20
/** How long ago a container may have been killed, where it is not known since when its service is ill. */
const RECENT_MS = 60 * 60_000
/** Telemetry shows the harm by and by; the platform tells of a kill at once. */
const BEFORE_MS = 10 * 60_000

export function createSetResources(deps: ActionDeps): Action {
  const change = (environment: string) =>
    workloadChange(placeOf(deps, { environment }), RESOURCES, async (object, step) => resourceOperations(object, step))
  return {
    definition,
    title: (target, parameters) => `Set ${changedWords(parameters)} of ${String(parameters['container'])} in ${target.name}`,
    async suggest({ class: cause, component, since }, { environment }) {
      const [place, name] = [deps.places.get(environment), blamed(component)]
      const killed =
        cause === 'oom_killed' && place && name
          ? await killedContainer(place, name, since ?? new Date(deps.now().getTime() - RECENT_MS))
          : null
      if (!name || !killed) return null
      const { container, limit } = killed
      const more = `${Math.ceil((limit * USUAL_FACTOR) / MIB)}Mi`
      const why = `${container} was killed at its memory limit of ${shownQuantity('memoryLimit', limit)}; ${more} gives it half as much again.`
      return { target: { environment, name }, parameters: { ...NOTHING, container, memoryLimit: more }, why }
    },
    async observe(where, signal) {
      const place = deps.places.get(where.environment)
      const found = place ? await findWorkload(place, RESOURCES, where.name, signal) : null
      if (!found) return null
      const names = found.object.spec.template.spec.containers.slice(0, MOST_CONTAINERS).map(({ name }) => `${RESOURCES_OF}${name}`)
      return await observeWorkload(deps, RESOURCES, where, [...PINNED, ...names], signal)
    },
    async dryRun(step, signal) {
      const { before, after } = await dryRun(change(step.target.environment), step, signal)
      const told = ownerNotes(placeOf(deps, step.target), step.target, { before: before.raw, after, now: deps.now() })
      const words = `none, if its update strategy keeps pods ready; all pods are made anew${told.words}`
      const changes = differingFields(templateOf(before.raw), templateOf(after)).slice(0, 12)
      return { changes, downtime: words.slice(0, 200), cautions: told.cautions }
    },
    success: (step, { preconditions }) => rolledOut(placeOf(deps, step.target).verification, stateAfter(step, preconditions)),
    probeWords: 'an annotation of the workload holds the id of the execution that changed it last',
    undo(step, { preconditions }) {
      const field = fieldOf(step)
      const before = readBounds(preconditions.find((each) => each.field === field)?.equals)
      if (!before) return null
      const changed = BOUNDS.filter((bound) => wantedOf(step.parameters, bound) !== null)
      const back = changed.map((bound) => [bound, before[bound] === null ? null : shownQuantity(bound, before[bound])] as const)
      return {
        parameters: { ...NOTHING, container: String(step.parameters['container']), ...Object.fromEntries(back) },
        preconditions: [{ field: 'uid', equals: step.target.uid }, ...stateAfter(step, preconditions)],
        success: restored(placeOf(deps, step.target).verification, [{ field, equals: writtenBounds(before) }]),
      }
    },
    ...callsOf(change),
    byHand: {
      defaults: async () => null,
      command: ({ target, parameters }) =>
        kubectl(deps, target, 'set', 'resources', '%', '-c', String(parameters['container']), ...flagsOf(parameters)),
    },
  }
}

const NOTHING = { cpuRequest: null, cpuLimit: null, memoryRequest: null, memoryLimit: null }

function resourceOperations({ raw }: LiveObject, { parameters }: Step): JsonPatch[] | string {
  if (workloadSchema.parse(raw).spec.paused) return 'its rollout is paused: nothing would change until it is resumed'
  const all = containersOf(raw)
  const index = all.findIndex(({ name }) => name === parameters['container'])
  const container = all[index]
  if (!container) return `it has no container ${String(parameters['container'])}`
  const now = boundsIn(container)
  const wanted = after(now, parameters)
  for (const bound of BOUNDS) {
    const [from, to] = [now[bound], wanted[bound]]
    if (to === from) continue
    if (from === null || to === null) return `${container.name} has no ${WORDS[bound]} now: set the first one by hand`
    if (to > from * LARGEST_FACTOR || to < from / LARGEST_FACTOR) {
      const [least, most] = [from / LARGEST_FACTOR, from * LARGEST_FACTOR].map((each) => shownQuantity(bound, each))
      return `${WORDS[bound]} goes from ${shownQuantity(bound, from)} to ${least} to ${most} in one step, not to ${shownQuantity(bound, to)}`
    }
  }
  if (exceeds(wanted.cpuRequest, wanted.cpuLimit) || exceeds(wanted.memoryRequest, wanted.memoryLimit))
    return 'a request may not be more than its limit'
  if (BOUNDS.every((bound) => wanted[bound] === now[bound])) return `${container.name} has these requests and limits already`
  const path = `/spec/template/spec/containers/${index}`
  const replaced = BOUNDS.filter((bound) => wanted[bound] !== now[bound]).map(
    (bound): JsonPatch => ({ op: 'replace', path: `${path}/resources/${PLACES[bound]}`, value: wantedOf(parameters, bound) }),
  )
  return [{ op: 'test', path: `${path}/name`, value: container.name }, ...replaced]
}

const PLACES: Readonly<Record<Bound, string>> = {
  cpuRequest: 'requests/cpu',
  cpuLimit: 'limits/cpu',
  memoryRequest: 'requests/memory',
  memoryLimit: 'limits/memory',
}
const WORDS: Readonly<Record<Bound, string>> = {
  cpuRequest: 'cpu request',
  cpuLimit: 'cpu limit',
  memoryRequest: 'memory request',
  memoryLimit: 'memory limit',
}

function exceeds(request: number | null, limit: number | null): boolean {
  return request !== null && limit !== null && request > limit
}

function wantedOf(parameters: Parameters, bound: Bound): string | null {
  const value = parameters[bound]
  return typeof value === 'string' ? value : null
}

function after(now: ResourceBounds, parameters: Parameters): ResourceBounds {
  const values = BOUNDS.map((bound) => [bound, quantityOf(wantedOf(parameters, bound)) ?? now[bound]])
  return Object.fromEntries(values) as ResourceBounds
}

function fieldOf({ parameters }: Pick<Step, 'parameters'>): string {
  return `${RESOURCES_OF}${String(parameters['container'])}`
}

/** What the container has then; nothing is checked of one that was not seen. */
function stateAfter(step: Step, preconditions: Step['preconditions']): SuccessContract['state'] {
  const field = fieldOf(step)
  const before = readBounds(preconditions.find((each) => each.field === field)?.equals)
  return before ? [{ field, equals: writtenBounds(after(before, step.parameters)) }] : []
}

function changedWords(parameters: Parameters): string {
  const given = BOUNDS.flatMap((bound) => {
    const value = wantedOf(parameters, bound)
    return value === null ? [] : [`${WORDS[bound]} ${value}`]
  })
  return given.join(', ') || 'nothing'
}

function flagsOf(parameters: Parameters): string[] {
  const flag = (name: string, cpu: Bound, memory: Bound): string[] => {
    const [ofCpu, ofMemory] = [wantedOf(parameters, cpu), wantedOf(parameters, memory)]
    const pairs = [...(ofCpu === null ? [] : [`cpu=${ofCpu}`]), ...(ofMemory === null ? [] : [`memory=${ofMemory}`])]
    return pairs.length === 0 ? [] : [`--${name}=${pairs.join(',')}`]
  }
  return [...flag('requests', 'cpuRequest', 'memoryRequest'), ...flag('limits', 'cpuLimit', 'memoryLimit')]
}

/**
 * The container that was killed for its memory in this incident, as the template has it now, with its limit in bytes; null where none has a limit:
 * then its node was full.
 */
async function killedContainer(place: ActionPlace, name: string, since: Date): Promise<{ container: string; limit: number } | null> {
  const found = await findWorkload(place, RESOURCES, name)
  if (!found) return null
  for (const container of found.object.spec.template.spec.containers) {
    const limit = limitOf(container)
    const killed = podsOf(place.cache, found).filter((pod) => wasKilled(pod, container.name, since.getTime() - BEFORE_MS))
    // A pod of an earlier template says nothing of this one.
    const isOfTemplate = killed.some(({ spec }) =>
      spec.containers.some((each) => each.name === container.name && each.image === container.image && limitOf(each) === limit),
    )
    if (isOfTemplate && limit !== null && limit > 0) return { container: container.name, limit }
  }
  return null
}

function wasKilled({ status }: Pod, container: string, from: number): boolean {
  const own = status.containerStatuses.filter(({ name }) => name === container)
  return own.some(({ state, lastState }) =>
    [state, lastState].some((each) => each?.terminated?.reason === 'OOMKilled' && (each.terminated.finishedAt?.getTime() ?? 0) >= from),
  )
}

function limitOf({ resources }: ObjectContainer): number | null {
  return quantityOf(resources?.limits['memory'])
}
