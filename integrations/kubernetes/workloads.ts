import { IntegrationError } from '../errors.ts'
import type { Workload, WorkloadsPort } from '../ports/workloads.ts'
import { REVISION } from './annotations.ts'
import type { Applications } from './argocd/applications.ts'
import { applicationLines } from './argocd/evidence.ts'
import { type ClusterCache, type Kind, seenAt } from './cluster-cache.ts'
import { ID } from './faults.ts'
import type { ObjectEvent, ObjectWorkload, Pod } from './objects.ts'
import { groupOwned } from './owned.ts'
import { revisionsOf, versionOf } from './revisions.ts'
import { fits, type NamedWorkload, namedWorkloads, WORKLOAD_KINDS } from './services.ts'

const MAX_EVENTS = 20
/** How long the first answer about something is waited for. */
export const FIRST_ANSWER_MS = 3_000
/** What a service is told from: without an answer about one of these nothing is said. Its events are waited for as well, and may be missing. */
const NEEDED = ['deployments', 'statefulsets', 'daemonsets', 'replicasets', 'pods'] as const

export interface Place {
  environment: string
  namespaces: readonly string[]
  cache: ClusterCache
  /** Of Argo CD, where it is told where they are. */
  applications: Applications
}

/** Deployments, stateful sets and daemon sets of one environment as services. */
export function createWorkloads(place: Place): WorkloadsPort {
  return {
    async find(service, signal) {
      const [all] = await Promise.all([readWorkloads(place, signal), place.applications.settled(signal)])
      const found = all.find((each) => each.service === service)
      if (!found) return null
      const query = `${WORKLOAD_KINDS[found.resource]} ${found.object.metadata.name} in ${found.namespace}, with its pods and events`
      const own = { pods: podsOf(place.cache, found), replicaSets: replicaSetsOf(place.cache, found) }
      return { query, workload: describe(place, found, { ...own, events: true }) }
    },
    async list(signal) {
      const all = await readWorkloads(place, signal)
      const owned = groupOwned(place.cache, place.namespaces)
      return all.map((found) => describe(place, found, { pods: owned.pods(found), replicaSets: owned.replicaSets(found), events: false }))
    },
    // The platform does not know who calls whom.
    dependencies: async () => ({ query: 'calls (not known to the platform)', edges: [] }),
  }
}

/** @throws IntegrationError when the workloads could not be read, or not everything that tells of them has been read yet */
export async function readWorkloads({ cache, namespaces }: Place, signal?: AbortSignal): Promise<NamedWorkload[]> {
  const timeout = AbortSignal.timeout(FIRST_ANSWER_MS)
  await cache.settled(signal ? AbortSignal.any([signal, timeout]) : timeout, [...NEEDED, 'events'])
  const found = namedWorkloads(cache, namespaces)
  const problem = found ? null : problemOf(cache, namespaces)
  if (problem) throw problem
  const isRead = (kind: Kind): boolean =>
    namespaces.every((namespace) => cache.list(kind, namespace) !== null || cache.problem(kind, namespace) !== null)
  if (!found || !NEEDED.every(isRead)) throw new IntegrationError(ID, 'timeout', 'the API server has not answered yet')
  return found
}

function problemOf(cache: ClusterCache, namespaces: readonly string[]): IntegrationError | null {
  return namespaces.map((namespace) => cache.problem('deployments', namespace)).find((each) => each !== null) ?? null
}

/** The pods that a workload's selector chooses. */
export function podsOf(cache: ClusterCache, { namespace, object }: Pick<NamedWorkload, 'namespace' | 'object'>): Pod[] {
  return (cache.list('pods', namespace) ?? []).filter(({ metadata }) => fits(metadata.labels, object.spec.selector))
}

function replicaSetsOf(cache: ClusterCache, { namespace, object }: NamedWorkload): ObjectWorkload[] {
  const all = cache.list('replicasets', namespace) ?? []
  return all.filter(({ metadata }) => metadata.ownerReferences.some(({ uid }) => uid === object.metadata.uid))
}

interface Own {
  pods: readonly Pod[]
  replicaSets: readonly ObjectWorkload[]
}

function describe(place: Place, found: NamedWorkload, { pods, replicaSets, events }: Own & { events: boolean }): Workload {
  const { object, resource, service } = found
  const [current, ...earlier] = resource === 'deployments' ? revisionsOf(object, replicaSets) : []
  const version = versionOf(object.spec.template, object.metadata.annotations[REVISION])
  const { status, spec } = object
  return {
    service,
    environment: place.environment,
    uid: object.metadata.uid,
    version,
    previousVersion: current ? (earlier.find((each) => each.version !== version)?.version ?? null) : null,
    desiredReplicas: (resource === 'daemonsets' ? status.desiredNumberScheduled : spec.replicas) ?? 1,
    readyReplicas: (resource === 'daemonsets' ? status.numberReady : status.readyReplicas) ?? 0,
    restarts: pods.flatMap((pod) => pod.status.containerStatuses).reduce((sum, { restartCount }) => sum + restartCount, 0),
    startedAt: newest(pods.map(({ status: { startTime } }) => startTime)),
    events: events ? eventsOf(place.cache, found, { pods, replicaSets }) : [],
    ...(events ? keptBy(place, found) : {}),
  }
}

/**
 * What the platform says of the workload, its replica sets and its pods, and what the pods' own states say. The newest first; where it is too much,
 * what pods are in now stays before warnings, and warnings before what goes as usual: a rollout of fifty pods tells of hundreds of usual things.
 */
function eventsOf(cache: ClusterCache, { namespace, object }: NamedWorkload, { pods, replicaSets }: Own): Workload['events'] {
  const name = object.metadata.name
  const names = new Set([name, ...pods.map(({ metadata }) => metadata.name), ...replicaSets.map(({ metadata }) => metadata.name)])
  const own = (cache.list('events', namespace) ?? []).filter(({ involvedObject }) => names.has(involvedObject.name))
  const told = (type: ObjectEvent['type']): Workload['events'] => own.filter((event) => event.type === type).map(eventLine)
  const byWeight = [pods.flatMap(statesOf), told('Warning'), told('Normal')].flatMap((lines) => lines.toSorted(newestFirst))
  return byWeight.slice(0, MAX_EVENTS).sort(newestFirst)
}

function keptBy({ applications }: Place, found: NamedWorkload): Pick<Workload, 'keepers'> {
  const keepers = applicationLines(applications, found)
  return keepers.length > 0 ? { keepers } : {}
}

function eventLine(event: ObjectEvent): Workload['events'][number] {
  return {
    at: new Date(seenAt(event)),
    text: `${event.involvedObject.kind} ${event.involvedObject.name}: ${event.reason}: ${event.message}`,
  }
}

function newestFirst(a: { at: Date }, b: { at: Date }): number {
  return b.at.getTime() - a.at.getTime()
}

/** Containers that wait or ended badly, in words with reason and exit code. */
function statesOf({ metadata, status }: Pod): Workload['events'] {
  return [...status.initContainerStatuses, ...status.containerStatuses].flatMap(({ name, state, lastState, restartCount }) => {
    const subject = `Pod ${metadata.name}: container ${name}`
    const waiting =
      state?.waiting?.reason && state.waiting.reason !== 'ContainerCreating' && state.waiting.reason !== 'PodInitializing'
        ? state.waiting
        : null
    const ended = state?.terminated ?? lastState?.terminated ?? null
    const at = ended?.finishedAt ?? metadata.creationTimestamp ?? new Date(0)
    return [
      ...(waiting
        ? [{ at, text: `${subject} waits: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''} (${restartCount} restarts)` }]
        : []),
      ...(ended && ended.exitCode !== 0
        ? [{ at, text: `${subject} ended: ${ended.reason ?? 'no reason'}, exit code ${ended.exitCode ?? 'unknown'}` }]
        : []),
    ]
  })
}

function newest(moments: readonly (Date | null)[]): Date | null {
  const known = moments.flatMap((at) => (at ? [at.getTime()] : []))
  return known.length > 0 ? new Date(Math.max(...known)) : null
}
