import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { withoutHash } from '../../agent/diagnosis/cluster/finding.ts'
import type {
  ContainerState,
  LogExcerpt,
  NodeState,
  PlatformEvent,
  PodState,
  WorkloadState,
} from '../../integrations/ports/cluster-state.ts'
import { type ClusterCase, emptyState } from './case.ts'

const text = z.string().nullish()
const alertSchema = z.object({
  commonLabels: z.record(z.string(), z.string()).default({}),
  commonAnnotations: z.record(z.string(), z.string()).default({}),
})
const stateSchema = z.object({
  running: z.boolean().nullish(),
  waiting: z.boolean().nullish(),
  terminated: z.boolean().nullish(),
  reason: text,
  message: text,
  exit_code: z.number().nullish(),
  started_at: text,
})
const podsSchema = z.object({
  pods: z.array(
    z.object({
      name: z.string(),
      phase: z.string(),
      node_name: text,
      start_time: text,
      deletion_timestamp: text,
      containers: z.array(z.object({ name: z.string(), ready: z.boolean(), restart_count: z.number(), state: stateSchema })).default([]),
      conditions: z
        .array(z.object({ type: z.string(), status: z.enum(['True', 'False', 'Unknown']), reason: text, message: text }))
        .default([]),
    }),
  ),
})
const eventsSchema = z.object({
  warning_events: z.array(
    z.object({
      reason: z.string(),
      message: z.string(),
      count: z.number().default(1),
      involved_object: z.string(),
      first_time: text,
      last_time: text,
    }),
  ),
})
const deploymentsSchema = z.object({
  deployments: z.array(z.object({ name: z.string(), desired: z.number(), ready: z.number(), available: z.number() })),
})
const nodesSchema = z.object({ nodes: z.array(z.looseObject({ name: z.string(), ready: z.enum(['True', 'False', 'Unknown']) })) })
const podLogsSchema = z.object({ pod_name: z.string(), logs: z.string() })
const logsSchema = z.object({
  logs: z.array(z.object({ timestamp: text, message: z.string(), status: text, service: z.string().default('unknown') })),
})

/** `<suite>/<case>/{alert.json,*.json}`. A file that a case does not have is that of the healthy case beside it, as its authors lay them. */
export function readOpensre(dir: string): ClusterCase[] {
  return globSync('**/alert.json', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
    .map((folder) => readCase(dir, folder))
}

function readCase(dir: string, folder: string): ClusterCase {
  const read = <T>(name: string, schema: z.ZodType<T>): T | null => {
    const path = [join(dir, folder, name), join(dir, dirname(folder), '000-healthy', name)].find((each) => existsSync(each))
    return path === undefined ? null : schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  }
  const alert = read('alert.json', alertSchema)
  const labels = { ...alert?.commonLabels, ...alert?.commonAnnotations }
  const events = read('eks_events.json', eventsSchema)?.warning_events.map(toEvent) ?? null
  const answer = answerOf(join(dir, folder, 'answer.yml'))
  const logs = [...podLogs(read('eks_pod_logs.json', podLogsSchema)), ...serviceLogs(read('datadog_logs.json', logsSchema))]
  const state = {
    ...emptyState(labels['namespace'] ?? 'default', latest(events ?? [], logs)),
    pods: read('eks_pods.json', podsSchema)?.pods.map(toPod) ?? null,
    workloads: read('eks_deployments.json', deploymentsSchema)?.deployments.map(toWorkload) ?? null,
    nodes: read('eks_node_health.json', nodesSchema)?.nodes.map(toNode) ?? null,
    events,
    logs,
  }
  return {
    id: folder,
    suite: 'opensre',
    state,
    about: [labels['workload_name'], labels['service']].filter((name) => name !== undefined),
    keywords: answer?.required_keywords ?? null,
    isHealthy: answer ? answer.root_cause_category === 'healthy' : null,
  }
}

const answerSchema = z.object({ required_keywords: z.array(z.string()), root_cause_category: z.string() })

function answerOf(path: string): z.infer<typeof answerSchema> | null {
  return existsSync(path) ? answerSchema.parse(parse(readFileSync(path, 'utf8'))) : null
}

/** The recording's own present: the newest thing in it. */
function latest(events: readonly PlatformEvent[], logs: readonly LogExcerpt[]): Date {
  const times = [...events.map(({ lastAt }) => lastAt), ...logs.flatMap(({ lines }) => lines.map(({ at }) => at))]
  return new Date(Math.max(0, ...times.flatMap((at) => (at ? [at.getTime()] : []))))
}

function dateOf(moment: string | null | undefined): Date | null {
  const time = Date.parse(moment ?? '')
  return Number.isNaN(time) ? null : new Date(time)
}

type RawPod = z.infer<typeof podsSchema>['pods'][number]

function toPod(pod: RawPod): PodState {
  return {
    name: pod.name,
    labels: {},
    owner: null,
    // The recording does not say whose a pod is: the first container of these deployments has their name.
    workload: pod.containers[0]?.name ?? withoutHash(pod.name),
    node: pod.node_name == null || pod.node_name === 'unscheduled' || pod.node_name === '' ? null : pod.node_name,
    phase: pod.phase,
    reason: null,
    message: null,
    createdAt: null,
    startedAt: dateOf(pod.start_time),
    deletedAt: dateOf(pod.deletion_timestamp),
    conditions: pod.conditions.map((each) => ({ ...each, reason: each.reason ?? null, message: each.message ?? null, since: null })),
    containers: pod.containers.map(toContainer),
    spec: null,
  }
}

function toContainer({ name, ready, restart_count, state }: RawPod['containers'][number]): ContainerState {
  const kind = state.running ? 'running' : state.waiting ? 'waiting' : state.terminated ? 'terminated' : 'unknown'
  return {
    name,
    image: null,
    isInit: false,
    ready,
    restarts: restart_count,
    state: {
      kind,
      reason: state.reason || null,
      message: state.message || null,
      exitCode: state.exit_code ?? null,
      startedAt: dateOf(state.started_at),
      finishedAt: null,
    },
    last: null,
  }
}

function toEvent(event: z.infer<typeof eventsSchema>['warning_events'][number]): PlatformEvent {
  const [kind = '', name = ''] = event.involved_object.split('/')
  const { reason, message, count } = event
  return {
    type: 'Warning',
    reason,
    message,
    count,
    object: { kind, name },
    firstAt: dateOf(event.first_time),
    lastAt: dateOf(event.last_time),
  }
}

function toWorkload({ name, desired, ready, available }: z.infer<typeof deploymentsSchema>['deployments'][number]): WorkloadState {
  return {
    kind: 'Deployment',
    name,
    labels: {},
    selector: {},
    desired,
    ready,
    available,
    updated: null,
    autoscaling: null,
    conditions: [],
    template: null,
    templateLabels: {},
    createdAt: null,
    rolledOutAt: null,
  }
}

const NODE_CONDITIONS = { MemoryPressure: 'memory_pressure', DiskPressure: 'disk_pressure', PIDPressure: 'pid_pressure' } as const

function toNode(node: z.infer<typeof nodesSchema>['nodes'][number]): NodeState {
  const pressures = Object.entries(NODE_CONDITIONS).map(([type, key]) => ({
    type,
    status: node[key] === 'True' ? ('True' as const) : node[key] === 'Unknown' ? ('Unknown' as const) : ('False' as const),
  }))
  return {
    name: node.name,
    labels: {},
    unschedulable: false,
    taints: [],
    conditions: [{ type: 'Ready', status: node.ready }, ...pressures].map((each) => ({
      ...each,
      reason: null,
      message: null,
      since: null,
    })),
    allocatable: { cpu: null, memory: null },
    requested: { cpu: null, memory: null },
    createdAt: null,
  }
}

function podLogs(logs: z.infer<typeof podLogsSchema> | null): LogExcerpt[] {
  if (logs === null) return []
  const lines = logs.logs.split('\n').filter((line) => line !== '')
  return [
    {
      workload: withoutHash(logs.pod_name),
      pod: logs.pod_name,
      container: null,
      level: 'all',
      lines: lines.map((line) => ({ at: dateOf(line.split(' ')[0]), text: line })),
    },
  ]
}

function serviceLogs(logs: z.infer<typeof logsSchema> | null): LogExcerpt[] {
  return [...Map.groupBy(logs?.logs ?? [], ({ service }) => service)].map(([workload, lines]) => ({
    workload,
    pod: null,
    container: null,
    level: 'all' as const,
    lines: lines.map(({ timestamp, message }) => ({ at: dateOf(timestamp), text: message })),
  }))
}
