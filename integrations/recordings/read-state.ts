import type {
  ClaimState,
  ClusterState,
  ConnectionCheck,
  LogExcerpt,
  PlatformEvent,
  PlatformPart,
  PodState,
  ServiceState,
  WorkloadState,
} from '../ports/cluster-state.ts'
import type { Answer } from './answers.ts'
import { readDescription } from './describe.ts'
import { objectsIn, type PlatformObject, serviceOf, workloadSpecOf } from './objects.ts'
import { eventsOfDescription, podOfDescription, podOfRow, workloadOf } from './pods.ts'
import {
  claimOfDescription,
  claimOfRow,
  endpointsOfRow,
  eventOfRow,
  namedOfRow,
  networkPolicyOfRow,
  nodeOfRow,
  serviceOfRow,
  storageClassOfRow,
  volumeOfRow,
  workloadOfRow,
} from './rows.ts'
import { spansIn } from './spans.ts'
import { readTable } from './tables.ts'

const WORKLOADS: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  job: 'Job',
}
const SHORT: Readonly<Record<string, string>> = {
  po: 'pod',
  deploy: 'deployment',
  sts: 'statefulset',
  ds: 'daemonset',
  svc: 'service',
  ep: 'endpoint',
  endpoints: 'endpoint',
  no: 'node',
  pvc: 'persistentvolumeclaim',
  pv: 'persistentvolume',
  sc: 'storageclass',
  storageclasses: 'storageclass',
  cm: 'configmap',
  sa: 'serviceaccount',
  ev: 'event',
}

/** The state that the answers of a recording tell of. What was not asked is null. */
export function readState(answers: readonly Answer[], { namespace, at }: { namespace: string; at: Date }): ClusterState {
  const own = answers.filter(({ args }) => args.namespace === undefined || args.namespace === namespace || args.namespace === 'all')
  const rows = (kind: string): Record<string, string>[] | null => rowsOf(own, kind, namespace)
  const described = own.filter(({ tool }) => tool === 'describe')
  const objects = own.filter(({ tool }) => tool === 'yaml').flatMap(({ text }) => objectsIn(text))
  const workloads = workloadsOf(
    Object.entries(WORKLOADS).flatMap(([kind, name]) => rows(kind)?.map((row) => workloadOfRow(name, row, at)) ?? []),
    objects,
  )
  const pods = podsOf(rows('pod')?.map((row) => podOfRow(row, at)) ?? [], described, at)
  return {
    namespace,
    at,
    pods: pods.length > 0 || rows('pod') !== null ? pods.map((pod) => withSpec(pod, workloads)) : null,
    workloads: workloads.length > 0 || rows('deployment') !== null ? workloads : null,
    services: servicesOf(rows('service')?.map(serviceOfRow) ?? null, rows('endpoint')?.map(endpointsOfRow) ?? [], objects),
    routes: null,
    nodes: rows('node')?.map((row) => nodeOfRow(row, at)) ?? null,
    claims: claimsOf(rows('persistentvolumeclaim')?.map(claimOfRow) ?? null, described),
    volumes: rows('persistentvolume')?.map(volumeOfRow) ?? null,
    storageClasses: rows('storageclass')?.map(storageClassOfRow) ?? null,
    quotas: null,
    networkPolicies: rows('networkpolicy')?.map(networkPolicyOfRow) ?? null,
    secrets: rows('secret')?.map(namedOfRow) ?? null,
    configMaps: rows('configmap')?.map(namedOfRow) ?? null,
    serviceAccounts: rows('serviceaccount')?.map(({ NAME }) => NAME ?? '') ?? null,
    events: eventsOf(rows('event')?.map((row) => eventOfRow(row, at)) ?? null, described, at),
    parts: partsOf(own),
    logs: logsOf(own),
    connections: own.filter(({ tool }) => tool === 'connectivity').map(connectionOf),
    alerts: null,
    calls: null,
    spans: own.filter(({ tool }) => tool === 'trace').flatMap(({ text }) => spansIn(text)),
  }
}

/** All rows of one kind, from every answer that told of it; null when none was asked. */
function rowsOf(answers: readonly Answer[], kind: string, namespace: string): Record<string, string>[] | null {
  const asked = answers.filter(({ tool, args }) => tool === 'get' && kindOf(args.kind) === kind)
  if (asked.length === 0) return null
  const rows = asked
    .flatMap(({ text }) => readTable(text))
    .filter((row) => row['NAMESPACE'] === undefined || row['NAMESPACE'] === namespace)
  return [
    ...new Map(
      rows.map((row) => [`${row['NAME'] ?? ''} ${row['OBJECT'] ?? ''} ${row['REASON'] ?? ''} ${row['MESSAGE'] ?? ''}`, row]),
    ).values(),
  ]
}

function kindOf(kind: string | undefined): string {
  const lower = (kind ?? '').toLowerCase()
  return SHORT[lower] ?? lower.replace(/(?<=networkpolic)ies$/, 'y').replace(/s$/, '')
}

/** A described pod replaces its row, and keeps from the row what a description does not tell. */
function podsOf(rows: readonly PodState[], described: readonly Answer[], at: Date): PodState[] {
  const told = described
    .filter(({ args }) => kindOf(args.kind) === 'pod')
    .flatMap(({ text }) => readDescription(text))
    .map((sections) => podOfDescription(sections, at))
  const pods = new Map(rows.map((pod) => [pod.name, pod]))
  for (const pod of told) pods.set(pod.name, { ...pod, deletedAt: pod.deletedAt ?? pods.get(pod.name)?.deletedAt ?? null })
  return [...pods.values()]
}

function claimsOf(rows: readonly ClaimState[] | null, described: readonly Answer[]): ClaimState[] | null {
  const told = described
    .filter(({ args }) => kindOf(args.kind) === 'persistentvolumeclaim')
    .flatMap(({ text }) => readDescription(text))
    .map(claimOfDescription)
  if (rows === null && told.length === 0) return null
  return [...new Map([...(rows ?? []), ...told].map((claim) => [claim.name, claim])).values()]
}

/** A pod that does not say what it asks for runs what its workload's template says. */
function withSpec(pod: PodState, workloads: readonly WorkloadState[]): PodState {
  const workload = workloads.find(({ name }) => name === pod.workload)
  const labels = Object.keys(pod.labels).length > 0 ? pod.labels : (workload?.templateLabels ?? {})
  return { ...pod, labels, spec: pod.spec ?? workload?.template ?? null }
}

function workloadsOf(rows: readonly WorkloadState[], objects: readonly PlatformObject[]): WorkloadState[] {
  const workloads = new Map(rows.map((row) => [row.name, row]))
  for (const object of objects.filter(({ kind }) => Object.values(WORKLOADS).includes(kind))) {
    const { name, labels } = object.metadata
    const row = workloads.get(name) ?? workloadOfRow(object.kind, { NAME: name }, new Date(0))
    const { desired, ...spec } = workloadSpecOf(object)
    workloads.set(name, { ...row, ...spec, desired: row.desired ?? desired, labels: labels ?? row.labels })
  }
  return [...workloads.values()]
}

function servicesOf(
  rows: readonly ServiceState[] | null,
  endpoints: readonly { name: string; endpoints: string[] }[],
  objects: readonly PlatformObject[],
): ServiceState[] | null {
  const services = new Map((rows ?? []).map((row) => [row.name, row]))
  for (const object of objects.filter(({ kind }) => kind === 'Service')) {
    const service = serviceOf(object)
    if (service) services.set(service.name, service)
  }
  if (rows === null && services.size === 0) return null
  return [...services.values()].map((service) => ({
    ...service,
    endpoints: endpoints.find(({ name }) => name === service.name)?.endpoints ?? service.endpoints,
  }))
}

const DESCRIBED: Readonly<Record<string, string>> = {
  pod: 'Pod',
  node: 'Node',
  deployment: 'Deployment',
  replicaset: 'ReplicaSet',
  statefulset: 'StatefulSet',
  persistentvolumeclaim: 'PersistentVolumeClaim',
}

function eventsOf(rows: readonly PlatformEvent[] | null, described: readonly Answer[], at: Date): PlatformEvent[] | null {
  const told = described.flatMap(({ text, args }) => {
    const kind = DESCRIBED[kindOf(args.kind)] ?? args.kind ?? ''
    return readDescription(text).flatMap((sections) => eventsOfDescription(sections, kind, at))
  })
  if (rows === null && described.length === 0) return null
  const all = [...(rows ?? []), ...told]
  return [...new Map(all.map((event) => [`${event.object.name} ${event.reason} ${event.message}`, event])).values()]
}

const IS_DOWN = /inactive|dead|failed|not running|stopped|unavailable|exited|false/i

function partsOf(answers: readonly Answer[]): PlatformPart[] | null {
  const asked = answers.filter(({ tool }) => tool === 'node_service')
  if (asked.length === 0) return null
  return asked.map(({ args, text }) => ({
    name: args.service ?? '',
    node: args.node ?? null,
    healthy: !IS_DOWN.test(text),
    words: text.slice(0, 400),
  }))
}

const MAX_LINES = 400

function logsOf(answers: readonly Answer[]): LogExcerpt[] {
  return answers
    .filter(({ tool }) => tool === 'logs')
    .map(({ args, text }) => ({
      workload: workloadOf(args.app ?? args.name ?? ''),
      pod: null,
      container: null,
      level: args.level === 'error' ? ('error' as const) : ('all' as const),
      lines: text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-MAX_LINES)
        .map((line) => ({ at: momentIn(line), text: line })),
    }))
}

function momentIn(line: string): Date | null {
  const [stamp] = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/.exec(line) ?? []
  const time = Date.parse(stamp ?? '')
  return Number.isNaN(time) ? null : new Date(time)
}

const IS_REFUSED = /refused|timed? ?out|unreachable|fail|no route|not resolve|false|error/i

function connectionOf({ args, text }: Answer): ConnectionCheck {
  const port = Number(args.port)
  return {
    from: args.from ?? '',
    to: args.to ?? '',
    port: Number.isFinite(port) ? port : null,
    ok: !IS_REFUSED.test(text),
    words: text.slice(0, 400),
  }
}
