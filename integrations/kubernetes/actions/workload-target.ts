import { z } from 'zod'
import type { Target } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Observation } from '../../ports/action.ts'
import type { DurableWay } from '../../ports/durable-ways.ts'
import { REVISION } from '../annotations.ts'
import type { KubernetesApi } from '../api.ts'
import { type Kind, listNow, type ObjectOf, pathOf } from '../cluster-cache.ts'
import { ID } from '../faults.ts'
import { type ObjectWorkload, workloadSchema } from '../objects.ts'
import { versionOf } from '../revisions.ts'
import { type NamedWorkload, WORKLOAD_KINDS, type WorkloadResource } from '../services.ts'
import { FIRST_ANSWER_MS, type Place, readWorkloads } from '../workloads.ts'
import { resourceFields } from './container-resources.ts'
import { type Change, digestOf, type Fields, type LiveObject, observe } from './live-object.ts'

/** One environment in which something may be done. */
export interface ActionPlace extends Place {
  api: KubernetesApi
  /** The name of the context in the kubeconfig, for the command by hand. */
  context: string
  verification: Verification
  /** Where Argo CD keeps its applications; null where that is not said. */
  argocdNamespace: string | null
  /** Kinds of actions that are allowed there. */
  actions: readonly string[]
  /** How what is deployed there can be changed where it is written down. */
  durable: readonly DurableWay[]
}

/** When a change is judged, in seconds after it. */
export interface Verification {
  settleSeconds: number
  holdSeconds: number
  withinSeconds: number
}

export interface ActionDeps {
  /** Where the action is allowed, by environment. */
  places: ReadonlyMap<string, ActionPlace>
  /** All environments that are read, whatever is allowed there: what a cluster has of its own may be theirs as well. */
  all: readonly ActionPlace[]
  now: () => Date
}

const LIVE_ANSWER_MS = 10_000

const rawSchema = z.looseObject({ spec: z.looseObject({ template: z.looseObject({}) }) })

/** The pod template of a workload, whole. */
export function templateOf(raw: unknown): Record<string, unknown> {
  return rawSchema.parse(raw).spec.template
}

/** The controller puts it on replica sets and their pods; on a deployment it would be foreign. */
const HASH_LABEL = 'pod-template-hash'
const templateSchema = z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()).nullish() }).nullish() })

/** The template of a replica set as its deployment has it. */
export function withoutHash(raw: unknown): Record<string, unknown> {
  const template = templateSchema.parse(raw)
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

const listSchema = z.object({ items: z.array(z.unknown()).max(1_000) })

/** The replica sets that a deployment made, as they are now. @throws IntegrationError */
export async function replicaSetsOf(
  place: ActionPlace,
  deployment: LiveObject,
  signal?: AbortSignal,
): Promise<{ raw: unknown; object: ObjectWorkload }[]> {
  const { metadata, spec } = workloadSchema.parse(deployment.raw)
  const labelSelector = Object.entries(spec.selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const answer = await place.api.get(pathOf('replicasets', metadata.namespace), labelSelector === '' ? {} : { labelSelector }, signal)
  const listed = listSchema.safeParse(answer)
  if (!listed.success) throw new IntegrationError(ID, 'invalid_response', 'the replica sets cannot be read', { cause: listed.error })
  return listed.data.items.flatMap((raw) => {
    const { success, data: object } = workloadSchema.safeParse(raw)
    const isOwn = success && object.metadata.ownerReferences.some(({ uid, controller }) => controller && uid === deployment.uid)
    return isOwn ? [{ raw, object }] : []
  })
}

/** The fields of a workload that preconditions and state checks may name. */
export function workloadFields(object: LiveObject): Fields {
  const { metadata, spec, status } = workloadSchema.parse(object.raw)
  const replicas = spec.replicas ?? status.desiredNumberScheduled ?? 1
  const updated = status.updatedReplicas ?? status.updatedNumberScheduled ?? 0
  const ready = status.readyReplicas ?? status.numberReady ?? 0
  const available = status.availableReplicas ?? status.numberAvailable ?? 0
  const isSeen = (status.observedGeneration ?? 0) >= metadata.generation
  const isThere = updated === replicas && ready === replicas && available === replicas && (status.replicas ?? replicas) === replicas
  return {
    template: digestOf(templateOf(object.raw)),
    version: versionOf(spec.template, metadata.annotations[REVISION]),
    revision: Number(metadata.annotations[REVISION] ?? 0),
    replicas,
    paused: spec.paused,
    ...resourceFields(object.raw),
    readyReplicas: ready,
    rollout: isSeen && isThere ? 'complete' : 'in progress',
  }
}

/** How workloads of these kinds are found by their service's name, and changed. */
export function workloadChange(place: ActionPlace, resources: readonly WorkloadResource[], operations: Change['operations']): Change {
  return {
    api: place.api,
    async find(name, signal) {
      const found = await findWorkload(place, resources, name, signal)
      return found ? { path: pathOfWorkload(found), beside: { autoscaler: async () => await autoscalerOf(place, found, signal) } } : null
    },
    fields: workloadFields,
    operations,
  }
}

export async function findWorkload(
  place: ActionPlace,
  resources: readonly WorkloadResource[],
  name: string,
  signal?: AbortSignal,
): Promise<NamedWorkload | null> {
  const all = await readWorkloads(place, signal)
  return all.find(({ service, resource }) => service === name && resources.includes(resource)) ?? null
}

export function pathOfWorkload({ resource, namespace, object }: NamedWorkload): string {
  return `${pathOf(resource, namespace)}/${encodeURIComponent(object.metadata.name)}`
}

/** The name of what scales it by itself; null when nothing does. @throws IntegrationError when that is not known */
export async function autoscalerOf(
  place: ActionPlace,
  { resource, namespace, object }: NamedWorkload,
  signal?: AbortSignal,
): Promise<string | null> {
  const kind = WORKLOAD_KINDS[resource]
  const scalers = await knownIn(place, { kind: 'horizontalpodautoscalers', words: 'an autoscaler scales it' }, namespace, signal)
  const scaler = scalers.find(({ spec }) => spec.scaleTargetRef.kind === kind && spec.scaleTargetRef.name === object.metadata.name)
  return scaler?.metadata.name ?? null
}

/** What is asked of all objects of a kind, in words that go on 'it is not known whether'. */
interface Question<K extends Kind> {
  kind: K
  words: string
}

/**
 * All of a kind that stands for a bound, as the watches tell: what cannot be read is not taken for none, and what may be old is not taken for
 * what is there.
 *
 * @throws IntegrationError that says what is not known
 */
export async function knownIn<K extends Kind>(
  { cache }: ActionPlace,
  question: Question<K>,
  namespace: string,
  signal?: AbortSignal,
): Promise<readonly ObjectOf<K>[]> {
  const { kind } = question
  const late = AbortSignal.timeout(FIRST_ANSWER_MS)
  await cache.settled(signal ? AbortSignal.any([signal, late]) : late, [kind])
  const [known, problem] = [cache.list(kind, namespace), cache.problem(kind, namespace)]
  if (known !== null && problem === null) return known
  throw unknown(question, namespace, problem ?? new IntegrationError(ID, 'timeout', 'the API server has not answered yet'))
}

/** The same, read from the API server now: right before an effect, what a watch told a moment ago is too old. */
export async function presentIn<K extends Kind>(
  { api }: ActionPlace,
  question: Question<K>,
  namespace: string | null,
  signal?: AbortSignal,
): Promise<readonly ObjectOf<K>[]> {
  const late = AbortSignal.timeout(LIVE_ANSWER_MS)
  try {
    return await listNow(api, question.kind, namespace, signal ? AbortSignal.any([signal, late]) : late)
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    throw unknown(question, namespace, error)
  }
}

function unknown({ kind, words }: Question<Kind>, namespace: string | null, { code, message }: IntegrationError): IntegrationError {
  const where = namespace === null || namespace === '' ? 'the cluster' : namespace
  return new IntegrationError(ID, code, `it is not known whether ${words}: the ${kind} of ${where} cannot be read (${message})`)
}

/** The service a hypothesis blames: 'service/payments' → 'payments'. */
export function blamed(component: string): string | null {
  const [kind = '', ...rest] = component.split('/')
  const name = rest.join('/')
  return ['service', 'app', 'deployment', 'workload', 'statefulset'].includes(kind) && name !== '' ? name : null
}

/** Looks at a workload in an environment, if it is one of these kinds. */
export async function observeWorkload(
  deps: ActionDeps,
  resources: readonly WorkloadResource[],
  where: { environment: string; name: string },
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Observation | null> {
  const place = deps.places.get(where.environment)
  const found = place ? await findWorkload(place, resources, where.name, signal) : null
  if (!place || !found) return null
  const change = workloadChange(place, resources, async () => [])
  return await observe(change, { ...where, kind: WORKLOAD_KINDS[found.resource] }, names, signal)
}

/** One line for a shell. */
export function kubectl(deps: ActionDeps, target: Target, ...words: readonly string[]): string {
  const place = deps.places.get(target.environment)
  const found = place ? nameInCluster(place, target) : { name: target.name, namespace: null }
  const where = [...(place ? ['--context', place.context] : []), ...(found.namespace ? ['-n', found.namespace] : [])]
  const given = words.map((word) => word.replace('%', `${target.kind.toLowerCase()}/${found.name}`))
  return ['kubectl', ...where, ...given].map(inShell).join(' ')
}

function nameInCluster({ cache, namespaces }: ActionPlace, target: Target): { name: string; namespace: string | null } {
  if (target.kind === 'Node') return { name: target.name, namespace: null }
  for (const namespace of namespaces)
    for (const resource of [...(Object.keys(WORKLOAD_KINDS) as WorkloadResource[]), 'horizontalpodautoscalers'] as const) {
      const found = cache.list(resource, namespace)?.find(({ metadata }) => metadata.uid === target.uid)
      if (found) return { name: found.metadata.name, namespace }
    }
  return { name: target.name, namespace: namespaces.length === 1 ? (namespaces[0] ?? null) : null }
}

/** One word for a shell, whatever is in it. */
export function inShell(word: string): string {
  return /^[\w.:/=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** @throws Error for an environment that no action is offered in: the catalogue asks for none */
export function placeOf({ places }: ActionDeps, { environment }: Pick<Target, 'environment'>): ActionPlace {
  const place = places.get(environment)
  if (!place) throw new Error(`nothing is done in ${environment}`)
  return place
}
