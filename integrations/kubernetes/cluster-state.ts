import type {
  ClaimState,
  ClusterState,
  ClusterStatePort,
  NetworkPolicyState,
  NodeState,
  PlatformEvent,
  PodState,
  QuotaState,
  RouteState,
  ServiceState,
  StorageClassState,
  VolumeState,
  WorkloadState,
} from '../ports/cluster-state.ts'
import { DEFAULT_CLASS } from './annotations.ts'
import { type ClusterCache, seenAt } from './cluster-cache.ts'
import type {
  Autoscaler,
  Claim,
  EndpointSlice,
  Ingress,
  NetworkPolicy,
  Node,
  ObjectEvent,
  ObjectWorkload,
  Pod,
  Quota,
  Service,
  StorageClass,
  Volume,
} from './objects.ts'
import { groupOwned } from './owned.ts'
import { amounts, condition, podSpec, podState } from './pod-state.ts'
import { quantityOf } from './quantity.ts'
import { revisionsOf } from './revisions.ts'
import { WORKLOAD_KINDS, type WorkloadResource } from './services.ts'
import { type Place, readWorkloads } from './workloads.ts'

const SLICE_OF = 'kubernetes.io/service-name'
const MAX_EVENTS = 500
/** What has not come by then is unknown. */
const ALL_WITHIN_MS = 2_000

/** The state of one namespace out of the cache: as the watches left it, and null for what could not be read. */
export function createClusterState(place: Place, { now }: { now: () => Date }): ClusterStatePort {
  const { cache } = place
  const port: ClusterStatePort = {
    async around({ service, signal }) {
      const all = await readWorkloads(place, signal)
      const namespace = all.find((each) => each.service === service)?.namespace
      if (namespace === undefined) return null
      const services = all.filter((each) => each.namespace === namespace).map((each) => [each.object.metadata.name, each.service] as const)
      const query = `pods, workloads, events, services, claims, quotas and policies of namespace ${namespace}, nodes and volumes`
      return { query, state: await port.read({ namespace, ...(signal ? { signal } : {}) }), services: new Map(services) }
    },
    async read({ namespace, signal }) {
      await readWorkloads(place, signal)
      const late = AbortSignal.timeout(ALL_WITHIN_MS)
      await cache.settled(signal ? AbortSignal.any([signal, late]) : late)
      const list = <K extends Parameters<ClusterCache['list']>[0]>(kind: K) => cache.list(kind, namespace)
      return {
        namespace,
        at: now(),
        pods: list('pods')?.map((pod) => podState(pod, workloadOf(pod))) ?? null,
        workloads: workloads(cache, namespace),
        services: list('services')?.map((service) => serviceState(service, list('endpointslices'))) ?? null,
        routes: list('ingresses')?.map(route) ?? null,
        nodes: list('nodes')?.map(nodeState) ?? null,
        claims: list('persistentvolumeclaims')?.map(claim) ?? null,
        volumes: list('persistentvolumes')?.map(volume) ?? null,
        storageClasses: list('storageclasses')?.map(storageClass) ?? null,
        quotas: list('resourcequotas')?.map(quota) ?? null,
        networkPolicies: list('networkpolicies')?.map(networkPolicy) ?? null,
        // Who may list secrets may read them: they are not asked for, and what is missing shows in the events.
        secrets: null,
        configMaps: list('configmaps')?.map(({ metadata }) => ({ name: metadata.name, keys: null })) ?? null,
        serviceAccounts: list('serviceaccounts')?.map(({ metadata }) => metadata.name) ?? null,
        events:
          list('events')
            ?.toSorted((a, b) => seenAt(b) - seenAt(a))
            .slice(0, MAX_EVENTS)
            .map(platformEvent) ?? null,
        parts: null,
        logs: [],
        connections: [],
        alerts: null,
        calls: null,
      } satisfies ClusterState
    },
  }
  return port
}

/** The name behind a pod: a replica set is called after its deployment, with a hash at the end. */
function workloadOf({ metadata }: Pod): PodState['workload'] {
  const owner = metadata.ownerReferences.find(({ controller }) => controller)
  if (!owner) return null
  const hash = metadata.labels['pod-template-hash']
  return owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -hash.length - 1) : owner.name
}

function workloads(cache: ClusterCache, namespace: string): WorkloadState[] | null {
  const resources = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]
  const read = resources.map((resource) => ({ resource, objects: cache.list(resource, namespace) }))
  if (read.every(({ objects }) => objects === null)) return null
  const scalers = cache.list('horizontalpodautoscalers', namespace) ?? []
  const owned = groupOwned(cache, [namespace])
  return read.flatMap(({ resource, objects }) =>
    (objects ?? []).map((object) => workload(resource, object, scalers, owned.replicaSets({ namespace, object }))),
  )
}

function workload(
  resource: WorkloadResource,
  object: ObjectWorkload,
  scalers: readonly Autoscaler[],
  replicaSets: readonly ObjectWorkload[],
): WorkloadState {
  const { metadata, spec, status } = object
  const kind = WORKLOAD_KINDS[resource]
  const scaler = scalers.find(({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === kind && scaleTargetRef.name === metadata.name)
  const isDaemon = resource === 'daemonsets'
  return {
    kind,
    name: metadata.name,
    labels: metadata.labels,
    selector: spec.selector?.matchLabels ?? {},
    desired: isDaemon ? status.desiredNumberScheduled : spec.replicas,
    // The API leaves out what is zero.
    ready: (isDaemon ? status.numberReady : status.readyReplicas) ?? 0,
    available: (isDaemon ? status.numberAvailable : status.availableReplicas) ?? 0,
    updated: (isDaemon ? status.updatedNumberScheduled : status.updatedReplicas) ?? 0,
    autoscaling: scaler
      ? { min: scaler.spec.minReplicas, max: scaler.spec.maxReplicas, current: scaler.status?.currentReplicas ?? null }
      : null,
    conditions: status.conditions.map(condition),
    template: podSpec(spec.template.spec),
    templateLabels: spec.template.metadata?.labels ?? {},
    createdAt: metadata.creationTimestamp,
    rolledOutAt: resource === 'deployments' ? (revisionsOf(object, replicaSets)[0]?.object.metadata.creationTimestamp ?? null) : null,
  }
}

function serviceState({ metadata, spec }: Service, slices: readonly EndpointSlice[] | null): ServiceState {
  const own = slices?.filter((slice) => slice.metadata.labels[SLICE_OF] === metadata.name)
  const endpoints = own?.flatMap((slice) =>
    slice.endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.flatMap((address) => slice.ports.map(({ port }) => `${address}:${port ?? ''}`))),
  )
  return {
    name: metadata.name,
    type: spec.type,
    selector: spec.selector,
    ports: spec.ports.map(({ name, port, targetPort, protocol, appProtocol }) => ({
      name,
      port,
      target: targetPort ?? null,
      protocol,
      appProtocol,
    })),
    endpoints: endpoints ?? null,
    externalName: spec.externalName,
  }
}

function route({ metadata, spec }: Ingress): RouteState {
  const to = (backend: NonNullable<Ingress['spec']['defaultBackend']> | null | undefined, host: string | null, path: string | null) =>
    backend?.service
      ? [{ host, path, service: backend.service.name, port: backend.service.port?.number ?? backend.service.port?.name ?? null }]
      : []
  const rules = spec.rules.flatMap(({ host, http }) => (http?.paths ?? []).flatMap(({ path, backend }) => to(backend, host, path)))
  return { name: metadata.name, rules: [...rules, ...to(spec.defaultBackend, null, null)] }
}

/** Only the pods of one namespace are known here, so what a node's pods ask for together is not. */
function nodeState({ metadata, spec, status }: Node): NodeState {
  return {
    name: metadata.name,
    labels: metadata.labels,
    unschedulable: spec.unschedulable,
    taints: spec.taints,
    conditions: (status?.conditions ?? []).map(condition),
    allocatable: amounts(status?.allocatable),
    requested: { cpu: null, memory: null },
    createdAt: metadata.creationTimestamp,
  }
}

function claim({ metadata, spec, status }: Claim): ClaimState {
  return {
    name: metadata.name,
    phase: status?.phase ?? 'Pending',
    storageClass: spec.storageClassName,
    accessModes: spec.accessModes,
    requested: quantityOf(spec.resources?.requests['storage']),
    volume: spec.volumeName,
    selector: spec.selector?.matchLabels ?? {},
  }
}

function volume({ metadata, spec, status }: Volume): VolumeState {
  return {
    name: metadata.name,
    phase: status?.phase ?? 'Available',
    storageClass: spec.storageClassName,
    accessModes: spec.accessModes,
    capacity: quantityOf(spec.capacity['storage']),
    claim: spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : null,
    labels: metadata.labels,
  }
}

function storageClass({ metadata, provisioner, volumeBindingMode }: StorageClass): StorageClassState {
  return { name: metadata.name, provisioner, isDefault: metadata.annotations[DEFAULT_CLASS] === 'true', bindingMode: volumeBindingMode }
}

function quota({ metadata, status }: Quota): QuotaState {
  const limits = Object.entries(status?.hard ?? {}).flatMap(([resource, text]) => {
    const hard = quantityOf(text)
    return hard === null ? [] : [{ resource, used: quantityOf(status?.used[resource]) ?? 0, hard }]
  })
  return { name: metadata.name, limits }
}

function networkPolicy({ metadata, spec }: NetworkPolicy): NetworkPolicyState {
  const labelsOf = (peers: readonly { podSelector?: { matchLabels: Record<string, string> } | null | undefined }[]) =>
    peers.flatMap(({ podSelector }) => (podSelector ? [podSelector.matchLabels] : []))
  const portsOf = (ports: readonly { port?: number | string | null | undefined }[]) =>
    ports.flatMap(({ port }) => (typeof port === 'number' ? [port] : []))
  return {
    name: metadata.name,
    selector: spec.podSelector?.matchLabels ?? {},
    directions: spec.policyTypes.map((type) => (type === 'Ingress' ? 'ingress' : 'egress')),
    allows: [
      ...spec.ingress.map(({ from, ports }) => ({ direction: 'ingress' as const, peers: labelsOf(from), ports: portsOf(ports) })),
      ...spec.egress.map(({ to, ports }) => ({ direction: 'egress' as const, peers: labelsOf(to), ports: portsOf(ports) })),
    ],
    createdAt: metadata.creationTimestamp,
  }
}

function platformEvent(event: ObjectEvent): PlatformEvent {
  const { type, reason, message, involvedObject, count, series, firstTimestamp, metadata } = event
  return {
    type,
    reason,
    message,
    object: { kind: involvedObject.kind, name: involvedObject.name },
    count: count ?? series?.count ?? 1,
    firstAt: firstTimestamp ?? metadata.creationTimestamp,
    lastAt: new Date(seenAt(event)),
  }
}
