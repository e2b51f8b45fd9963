import type {
  ClusterState,
  ConnectionCheck,
  LogExcerpt,
  PlatformEvent,
  PodState,
  ServiceState,
  WorkloadState,
} from '../ports/cluster-state.ts'
import { alertsIn } from './alerts.ts'
import type { Answer } from './answers.ts'
import { callsIn } from './calls.ts'
import { readDescription, type Section, textOf } from './describe.ts'
import {
  networkPolicyOfDescription,
  nodeOfDescription,
  quotaOfDescription,
  quotaOfRow,
  routeOfDescription,
  serviceOfDescription,
  volumeOfDescription,
  workloadOfDescription,
} from './described-objects.ts'
import { momentIn } from './json-text.ts'
import { measuresIn } from './measures.ts'
import { claimOf, objectsIn, type PlatformObject, quotaOf, routeOf, serviceOf, volumeOf, workloadSpecOf } from './objects.ts'
import { partsOf } from './platform-parts.ts'
import { eventsOfDescription, podOfDescription, podOfRow, workloadOf } from './pods.ts'
import {
  type Autoscaler,
  autoscalerOfDescription,
  autoscalerOfRow,
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
  quota: 'resourcequota',
  ing: 'ingress',
  ingress: 'ingress',
  ingresses: 'ingress',
  hpa: 'horizontalpodautoscaler',
  netpol: 'networkpolicy',
  rs: 'replicaset',
}

/** The state that the answers of a recording tell of. What was not asked is null. */
export function readState(answers: readonly Answer[], { namespace, at }: { namespace: string; at: Date }): ClusterState {
  const own = answers.filter(({ args }) => args.namespace === undefined || args.namespace === namespace || args.namespace === 'all')
  const rows = (kind: string): Row[] | null => rowsOf(own, kind, namespace)
  const described = (kind: string): Section[][] => describedOf(own, kind)
  const objects = own
    .filter(({ tool, text }) => tool === 'yaml' || (tool === 'get' && /^(apiVersion|kind|items):/m.test(text)))
    .flatMap(({ text }) => objectsIn(text))
  const ofKind = <T>(kind: string, read: (object: PlatformObject) => T | null): T[] =>
    objects.filter((object) => object.kind === kind).flatMap((object) => read(object) ?? [])
  const workloads = withAutoscaling(
    workloadsOf(
      Object.entries(WORKLOADS).flatMap(([kind, name]) => rows(kind)?.map((row) => workloadOfRow(name, row, at)) ?? []),
      Object.entries(WORKLOADS).flatMap(([kind, name]) => described(kind).map((sections) => ({ name, sections }))),
      objects,
    ),
    [...(rows('horizontalpodautoscaler') ?? []).map(autoscalerOfRow), ...described('horizontalpodautoscaler').map(autoscalerOfDescription)],
  )
  const pods = podsOf(rows('pod')?.map((row) => podOfRow(row, at)) ?? [], described('pod'), at)
  return {
    namespace,
    at,
    pods: pods.length > 0 || rows('pod') !== null ? pods.map((pod) => withSpec(pod, workloads)) : null,
    workloads: workloads.length > 0 || rows('deployment') !== null ? workloads : null,
    services: servicesOf(
      byName(rows('service')?.map(serviceOfRow) ?? null, described('service').map(serviceOfDescription), ofKind('Service', serviceOf)),
      rows('endpoint')?.map(endpointsOfRow) ?? [],
    ),
    // A table of ingresses does not tell where they lead.
    routes: byName(null, described('ingress').map(routeOfDescription), ofKind('Ingress', routeOf)),
    nodes: byName(rows('node')?.map((row) => nodeOfRow(row, at)) ?? null, described('node').map(nodeOfDescription)),
    claims: byName(
      rows('persistentvolumeclaim')?.map(claimOfRow) ?? null,
      described('persistentvolumeclaim').map(claimOfDescription),
      ofKind('PersistentVolumeClaim', claimOf),
    ),
    volumes: byName(
      rows('persistentvolume')?.map(volumeOfRow) ?? null,
      described('persistentvolume').map(volumeOfDescription),
      ofKind('PersistentVolume', volumeOf),
    ),
    storageClasses: rows('storageclass')?.map(storageClassOfRow) ?? null,
    quotas: byName(
      rows('resourcequota')?.map(quotaOfRow) ?? null,
      described('resourcequota').map(quotaOfDescription),
      ofKind('ResourceQuota', quotaOf),
    ),
    networkPolicies: byName(
      rows('networkpolicy')?.map(networkPolicyOfRow) ?? null,
      described('networkpolicy').map(networkPolicyOfDescription),
    ),
    secrets: rows('secret')?.map(namedOfRow) ?? null,
    configMaps: rows('configmap')?.map(namedOfRow) ?? null,
    serviceAccounts: rows('serviceaccount')?.map(({ NAME }) => NAME ?? '') ?? null,
    events: eventsOf(
      rows('event')?.map((row) => eventOfRow(row, at)) ?? null,
      own.filter(({ tool }) => tool === 'describe'),
      at,
    ),
    parts: partsOf(own, systemPods(answers, at)),
    logs: logsOf(own),
    connections: own.filter(({ tool }) => tool === 'connectivity').map(connectionOf),
    alerts: toldBy(own, 'alerts', ({ text }) => alertsIn(text)),
    calls: toldBy(own, 'dependencies', ({ text, args }) => callsIn(text, args.app)),
    spans: own.filter(({ tool }) => tool === 'trace').flatMap(({ text }) => spansIn(text)),
    measures: own.filter(({ tool }) => tool === 'metrics').flatMap(({ text, args }) => measuresIn(text, args.query ?? '')),
  }
}

type Row = Record<string, string>

/** What the answers of one tool tell together; null when it was not asked. */
function toldBy<T>(answers: readonly Answer[], tool: string, read: (answer: Answer) => readonly T[]): T[] | null {
  const asked = answers.filter((answer) => answer.tool === tool)
  return asked.length === 0 ? null : asked.flatMap(read)
}

function describedOf(answers: readonly Answer[], kind: string): Section[][] {
  return answers.filter(({ tool, args }) => tool === 'describe' && kindOf(args.kind) === kind).flatMap(({ text }) => readDescription(text))
}

/** Each object once, from whoever tells most of it; what one does not tell is kept from the one before. Null where nobody told of any. */
function byName<T extends { name: string }>(rows: readonly T[] | null, ...others: readonly (readonly T[])[]): T[] | null {
  const told = others.flat()
  if (rows === null && told.length === 0) return null
  const objects = new Map<string, T>()
  for (const one of [...(rows ?? []), ...told]) objects.set(one.name, filled(one, objects.get(one.name)))
  return [...objects.values()]
}

function filled<T extends object>(one: T, before: T | undefined): T {
  const known = Object.entries(one).filter(([, value]) => !isEmpty(value))
  return before ? { ...before, ...Object.fromEntries(known) } : one
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
}

/** All rows of one kind, from every answer that told of it; null when none was asked. */
function rowsOf(answers: readonly Answer[], kind: string, namespace: string): Row[] | null {
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
  const lower = (kind ?? '').toLowerCase().replace(/\..*$/, '')
  return SHORT[lower] ?? lower.replace(/(?<=networkpolic)ies$/, 'y').replace(/s$/, '')
}

/** A described pod replaces its row, and keeps from the row what a description does not tell. */
function podsOf(rows: readonly PodState[], described: readonly Section[][], at: Date): PodState[] {
  const told = described.map((sections) => podOfDescription(sections, at))
  const pods = new Map(rows.map((pod) => [pod.name, pod]))
  for (const pod of told) {
    const row = pods.get(pod.name)
    pods.set(pod.name, { ...pod, deletedAt: pod.deletedAt ?? row?.deletedAt ?? null, createdAt: row?.createdAt ?? pod.createdAt })
  }
  return [...pods.values()]
}

/** A pod that does not say what it asks for runs what its workload's template says; a description does not tell of affinity. */
function withSpec(pod: PodState, workloads: readonly WorkloadState[]): PodState {
  const workload = workloads.find(({ name }) => name === pod.workload)
  const labels = Object.keys(pod.labels).length > 0 ? pod.labels : (workload?.templateLabels ?? {})
  const template = workload?.template ?? null
  if (pod.spec === null || template === null) return { ...pod, labels, spec: pod.spec ?? template }
  const { nodeAffinity, podAffinity, podAntiAffinity, imagePullSecrets } = template
  return { ...pod, labels, spec: { ...pod.spec, nodeAffinity, podAffinity, podAntiAffinity, imagePullSecrets } }
}

function workloadsOf(
  rows: readonly WorkloadState[],
  described: readonly { name: string; sections: readonly Section[] }[],
  objects: readonly PlatformObject[],
): WorkloadState[] {
  const workloads = new Map(rows.map((row) => [row.name, row]))
  for (const object of objects.filter(({ kind }) => Object.values(WORKLOADS).includes(kind))) {
    const { name, labels } = object.metadata
    const row = workloads.get(name) ?? workloadOfRow(object.kind, { NAME: name }, new Date(0))
    const { desired, ...spec } = workloadSpecOf(object)
    workloads.set(name, { ...row, ...spec, desired: row.desired ?? desired, labels: labels ?? row.labels })
  }
  for (const { name: kind, sections } of described) {
    const name = textOf(sections, 'Name') ?? ''
    workloads.set(name, workloadOfDescription(sections, workloads.get(name) ?? workloadOfRow(kind, { NAME: name }, new Date(0))))
  }
  return [...workloads.values()]
}

function withAutoscaling(workloads: readonly WorkloadState[], scalers: readonly Autoscaler[]): WorkloadState[] {
  return workloads.map((workload) => {
    const scaler = scalers.findLast(({ target }) => target === workload.name)
    return scaler ? { ...workload, autoscaling: scaler.autoscaling } : workload
  })
}

function servicesOf(
  services: readonly ServiceState[] | null,
  endpoints: readonly { name: string; endpoints: string[] }[],
): ServiceState[] | null {
  if (services === null) return null
  return services.map((service) => ({
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
  daemonset: 'DaemonSet',
  job: 'Job',
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

/** Where the platform runs its own pods. */
const SYSTEM = 'kube-system'

function systemPods(answers: readonly Answer[], at: Date): PodState[] | null {
  const rows = rowsOf(
    answers.filter(({ args, text }) => args.namespace === SYSTEM || text.includes(SYSTEM)),
    'pod',
    SYSTEM,
  )
  return rows === null || rows.length === 0 ? null : rows.map((row) => podOfRow(row, at))
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
