import { z } from 'zod'
import type { SuccessContract } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, EffectResult, ProbeResult, Step } from '../../ports/action.ts'
import type { Query } from '../api.ts'
import { pathOf } from '../cluster-cache.ts'
import { ID, statusOf } from '../faults.ts'
import { type Meta, type Pod, podSchema, workloadSchema } from '../objects.ts'
import { type NamedWorkload, WORKLOAD_KINDS, type WorkloadResource } from '../services.ts'
import { SAFE } from './approval-tiers.ts'
import { rolledOut } from './contracts.ts'
import { digestOf, endOf, type Fields, type LiveObject, readFields, readObject, stale, unsent } from './live-object.ts'
import { ownerWords } from './owner-words.ts'
import {
  type ActionDeps,
  type ActionPlace,
  findWorkload,
  kubectl,
  observeWorkload,
  pathOfWorkload,
  placeOf,
  replicaSetsOf,
  templateOf,
  withoutHash,
  workloadChange,
} from './workload-target.ts'

const definition: ActionDefinition = {
  kind: 'kubernetes.delete-pod',
  version: 1,
  description:
    'Evicts one pod of a deployment, stateful set or daemon set, which makes another of the same template in its place. Whether a disruption budget lets it go, the API server says.',
  parameters: z.strictObject({
    /** The name that people know it by. */
    pod: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be the name of a pod'),
    /** What decides: a stateful set gives its next pod the same name. */
    uid: z.string().min(1).max(100),
  }),
  reversibility: 'reversible',
  ...SAFE,
}

const RESOURCES = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]
const PINNED = ['uid', 'template']
/** What a stateful set writes on its pods. */
const REVISION_HASH = 'controller-revision-hash'
/** How the API server answers where a disruption budget lets no pod go now. */
const TOO_MANY = 429
/** How a field names a pod: 'pod payments-0 (a uid)'; its value is 'gone' or 'there'. */
const POD_FIELD = /^pod (\S+) \((\S+)\)$/

/** The target is the workload, so that nothing else changes it at the same time; the pod is a parameter. */
export function createDeletePod(deps: ActionDeps): Action {
  return {
    definition,
    title: (target, { pod }) => `Delete pod ${String(pod)} of ${target.name}`,
    // Only somebody who looked at the pod can tell that it is the one.
    suggest: async () => null,
    observe: async (where, signal) => await observeWorkload(deps, RESOURCES, where, PINNED, signal),
    async dryRun(step, signal) {
      const place = placeOf(deps, step.target)
      const looked = await look(place, step, signal)
      if ('result' in looked) throw new IntegrationError(ID, 'refused', looked.words)
      await tryEviction(place, looked, step, signal)
      const local = looked.hasLocalData ? '; what it keeps in emptyDir volumes is lost' : ''
      return {
        changes: [{ field: 'pod', from: looked.pod.metadata.name, to: 'ended; another is made in its place' }],
        downtime: `${readyWords(looked.othersReady)}${local}${ownerWords(looked.owner, looked.owner, deps.now())}`.slice(0, 200),
      }
    },
    success: (step): SuccessContract => rolledOut(placeOf(deps, step.target).verification, [{ field: podField(step), equals: 'gone' }]),
    probeWords: 'the pod with this uid is gone, or is ending',
    // There is no way back to a pod that has ended.
    undo: () => null,
    effect: async (step, _id, signal) => await end(placeOf(deps, step.target), step, signal),
    probe: async (step, _id, signal) => await probe(placeOf(deps, step.target), step, signal),
    async readState(target, fields, signal) {
      const place = placeOf(deps, target)
      const change = workloadChange(place, RESOURCES, async () => [])
      const own = await readFields(change, target, fields, signal)
      const pods = fields.filter((field) => POD_FIELD.test(field))
      const read = await Promise.all(pods.map(async (field) => [field, await podState(place, target.name, field, signal)] as const))
      return { ...own, ...Object.fromEntries(read) } satisfies Fields
    },
    byHand: {
      async defaults({ environment, name }) {
        const place = deps.places.get(environment)
        const found = place ? await findWorkload(place, RESOURCES, name) : null
        // Of several that are not well a person has to say which.
        const [pod, ...others] = place && found ? podsMadeBy(place, found).filter(isUnwell) : []
        return pod && others.length === 0 ? { pod: pod.metadata.name, uid: pod.metadata.uid } : null
      },
      command: ({ target, parameters }) => kubectl(deps, target, 'delete', 'pod', String(parameters['pod'])),
    },
  }
}

type Objection = Extract<EffectResult, { result: 'refused' }>

interface Looked {
  workload: NamedWorkload
  /** The workload as the API server has it. */
  owner: unknown
  pod: Pod
  path: string
  hasLocalData: boolean
  othersReady: number
}

/** The pod as it is now and what it belongs to, or why it is left alone. @throws IntegrationError when something is not known */
async function look(place: ActionPlace, { target, parameters, preconditions }: Step, signal?: AbortSignal): Promise<Looked | Objection> {
  const workload = await findWorkload(place, RESOURCES, target.name, signal)
  const owner = workload ? await readObject(place.api, pathOfWorkload(workload), signal) : null
  if (!workload || owner?.uid !== target.uid) return stale(`there is no ${target.kind} ${target.name} as it was seen`)
  const seen = preconditions.find(({ field }) => field === 'template')?.equals
  if (digestOf(templateOf(owner.raw)) !== seen) return stale(`the template of ${target.name} is another than the one that was seen`)
  const path = podPath(workload, String(parameters['pod']))
  const live = await readObject(place.api, path, signal)
  if (!live || live.uid !== parameters['uid']) return stale(`pod ${String(parameters['pod'])} is gone`)
  const pod = podSchema.parse(live.raw)
  if (pod.metadata.deletionTimestamp !== null) return stale(`pod ${pod.metadata.name} is ending already`)
  const maker = await makerOf(place, { workload, owner }, pod, signal)
  if (maker === null) return against(`pod ${pod.metadata.name} is not one that ${target.name} replaces`)
  if (!maker.isCurrent)
    return against(`pod ${pod.metadata.name} is of another template than ${target.name} has now: its rollout is not over`)
  const others = podsMadeBy(place, workload).filter(({ metadata }) => metadata.uid !== pod.metadata.uid)
  const hasLocalData = JSON.stringify(live.raw['spec'] ?? {}).includes('"emptyDir"')
  return { workload, owner: owner.raw, pod, path, hasLocalData, othersReady: others.filter(isReady).length }
}

/** Whether a pod was made by this workload, and by the template that it has now; null where it was not. Owners are told by their uid: labels anybody can set. */
async function makerOf(
  place: ActionPlace,
  { workload, owner }: { workload: NamedWorkload; owner: LiveObject },
  { metadata }: Pod,
  signal?: AbortSignal,
): Promise<{ isCurrent: boolean } | null> {
  const uid = controllerOf(metadata)
  if (workload.resource === 'deployments') {
    const own = (await replicaSetsOf(place, owner, signal)).find(({ object }) => object.metadata.uid === uid)
    return own ? { isCurrent: digestOf(withoutHash(templateOf(own.raw))) === digestOf(templateOf(owner.raw)) } : null
  }
  if (uid !== owner.uid) return null
  const { status } = workloadSchema.parse(owner.raw)
  // Of a daemon set only the whole is told: as long as one pod is of another template, this one may be it.
  if (workload.resource === 'daemonsets') return { isCurrent: isUpdated(owner) }
  return { isCurrent: status.updateRevision !== null && metadata.labels[REVISION_HASH] === status.updateRevision }
}

/** Of a daemon set: all its pods are of the template it has now, ready or not. */
function isUpdated({ raw }: LiveObject): boolean {
  const { metadata, status } = workloadSchema.parse(raw)
  const isSeen = (status.observedGeneration ?? 0) >= metadata.generation
  return isSeen && status.desiredNumberScheduled !== null && status.updatedNumberScheduled === status.desiredNumberScheduled
}

/** The pods of a workload as the cache has them, by the uid of what made them. */
function podsMadeBy({ cache }: ActionPlace, { namespace, object }: NamedWorkload): Pod[] {
  const sets = (cache.list('replicasets', namespace) ?? []).filter(({ metadata }) => controllerOf(metadata) === object.metadata.uid)
  const makers = new Set([object.metadata.uid, ...sets.map(({ metadata }) => metadata.uid)])
  return (cache.list('pods', namespace) ?? []).filter(({ metadata }) => makers.has(controllerOf(metadata) ?? ''))
}

function controllerOf({ ownerReferences }: Meta): string | null {
  return ownerReferences.find(({ controller }) => controller)?.uid ?? null
}

function against(words: string): Objection {
  return { result: 'refused', reason: 'invalid', words }
}

async function end(place: ActionPlace, step: Step, signal: AbortSignal): Promise<EffectResult> {
  let looked: Looked | Objection
  try {
    looked = await look(place, step, signal)
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return unsent(error)
  }
  if ('result' in looked) return looked
  try {
    await evict(place, looked, step, {}, signal)
    return { result: 'applied' }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    // Another pod has the name by now.
    if (statusOf(error) === 409) return stale(error.message)
    // It is gone: perhaps by this very request, where it was delivered twice on the way. The probe looks.
    if (statusOf(error) === 404) return { result: 'unknown', words: error.message }
    return endOf(error)
  }
}

/** @throws IntegrationError that says why it would not be evicted, such as a disruption budget */
async function tryEviction(place: ActionPlace, looked: Looked, step: Step, signal?: AbortSignal): Promise<void> {
  try {
    await evict(place, looked, step, { dryRun: 'All' }, signal)
  } catch (error) {
    if (statusOf(error) !== TOO_MANY) throw error
    throw new IntegrationError(ID, 'refused', (error as Error).message, { cause: error })
  }
}

/** Only tried where the query says so; the API server wants it in the body as well, and refuses where the two differ. */
async function evict(place: ActionPlace, looked: Looked, { parameters }: Step, query: Query, signal?: AbortSignal): Promise<void> {
  const { name, namespace } = looked.pod.metadata
  const preconditions = { uid: String(parameters['uid']) }
  const deleteOptions = { preconditions, ...(query['dryRun'] === undefined ? {} : { dryRun: [query['dryRun']] }) }
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions }
  await place.api.post(`${looked.path}/eviction`, eviction, { query, asGroup: true, ...(signal ? { signal } : {}) })
}

async function probe(place: ActionPlace, { target, parameters }: Step, signal: AbortSignal): Promise<ProbeResult> {
  const workload = await findWorkload(place, RESOURCES, target.name, signal)
  if (!workload) return 'unknown'
  return (await isGone(place, workload, String(parameters['pod']), String(parameters['uid']), signal)) ? 'applied' : 'not-applied'
}

async function podState(place: ActionPlace, service: string, field: string, signal?: AbortSignal): Promise<'gone' | 'there' | null> {
  const [, name = '', uid = ''] = POD_FIELD.exec(field) ?? []
  const workload = await findWorkload(place, RESOURCES, service, signal)
  if (!workload) return null
  const live = await readObject(place.api, podPath(workload, name), signal)
  return live?.uid === uid ? 'there' : 'gone'
}

/** Gone, or on its way: from then on it gets no requests. */
async function isGone(place: ActionPlace, workload: NamedWorkload, name: string, uid: string, signal: AbortSignal): Promise<boolean> {
  const live = await readObject(place.api, podPath(workload, name), signal)
  return live?.uid !== uid || podSchema.parse(live.raw).metadata.deletionTimestamp !== null
}

function podPath({ namespace }: NamedWorkload, name: string): string {
  return `${pathOf('pods', namespace)}/${encodeURIComponent(name)}`
}

function podField({ parameters }: Step): string {
  return `pod ${String(parameters['pod'])} (${String(parameters['uid'])})`
}

function isUnwell(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === null && !isReady(pod)
}

function isReady({ status, metadata }: Pod): boolean {
  return metadata.deletionTimestamp === null && status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True')
}

function readyWords(others: number): string {
  if (others === 0) return 'no other pod of it is ready: nothing answers until the next one is'
  return `none, if the ${others} other ${others === 1 ? 'pod that is' : 'pods that are'} ready can do the work`
}
