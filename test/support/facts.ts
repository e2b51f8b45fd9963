import type {
  ChangesContent,
  ClusterContent,
  CommitsContent,
  Finding,
  LogsContent,
  RankingContent,
  SymptomContent,
  WorkloadContent,
} from '../../agent/diagnosis/evidence-content.ts'
import type { Cited, Facts, ServiceFacts } from '../../agent/diagnosis/facts.ts'
import { createDependencyGraph, type Edge } from '../../agent/topology/dependency-graph.ts'
import type { MetricName } from '../../integrations/ports/metrics.ts'
import { SHOP_EDGES, SHOP_SERVICES } from './shop-inventory.ts'

/** Seconds from here on are what the tables speak of; the alert began at second 60. */
const ZERO = Date.parse('2026-03-01T10:41:00.000Z')
export const at = (second: number): string => new Date(ZERO + second * 1_000).toISOString()
export const STARTED_AT = new Date(at(60))
export const NOW = new Date(at(75))

export function finding(metric: MetricName, said: Partial<Finding> = {}): Finding {
  return { metric, samples: 75, before: null, now: null, peak: null, low: null, began: null, ended: null, risingSince: null, ...said }
}

/** A metric as it was all along. */
export function calm(metric: MetricName, value: number): Finding {
  return finding(metric, { before: value, now: value, peak: value, low: value })
}

/** A metric that jumped from one value to another, and is still there unless it ended. */
export function moved(metric: MetricName, before: number, now: number, began: number, said: Partial<Finding> = {}): Finding {
  return finding(metric, { before, now, peak: Math.max(before, now), low: Math.min(before, now), began: at(began), ...said })
}

const CALM: readonly Finding[] = [
  calm('request_rate', 20),
  calm('error_ratio', 0),
  calm('latency_p99', 0.02),
  calm('memory_used_ratio', 0.2),
  calm('cpu_used_ratio', 0.1),
  calm('restarts', 0),
]

export interface SaidOfService {
  metrics?: readonly Finding[]
  logs?: Partial<LogsContent> | null
  workload?: Partial<WorkloadContent> | null
}

export type Change = ChangesContent['changes'][number]
export function change(kind: Change['kind'], service: string, second: number, said: Partial<Change> = {}): Change {
  return {
    id: `${kind}-${second}`,
    at: at(second),
    kind,
    service,
    summary: `${kind} of ${service}`,
    by: 'pipeline',
    from: 'v41',
    to: 'v42',
    ...said,
  }
}

/** The facts of a shop in which all is well but for what is said. Labels are the names of what they stand for. */
export function facts(said: {
  service?: string
  services?: Record<string, SaidOfService>
  changes?: readonly Change[] | null
  commits?: readonly Cited<CommitsContent>[]
  symptom?: Partial<SymptomContent> | null
  ranking?: Cited<RankingContent>
  /** More calls than the shop's own, or `false` when nobody knows who calls whom. */
  edges?: readonly Edge[] | false
  outside?: Iterable<[string, { owner: string; contact: string }]>
  /** What a platform says; null, as in the shop, where none can be asked. */
  cluster?: Partial<ClusterContent> | null
  missing?: string[]
  now?: Date
}): Facts {
  const names = new Set([...SHOP_SERVICES, ...Object.keys(said.services ?? {})])
  const services = new Map([...names].map((name) => [name, serviceFacts(name, said.services?.[name] ?? {})]))
  const changes = said.changes === undefined ? [] : said.changes
  return {
    service: said.service ?? 'payments',
    startedAt: STARTED_AT,
    now: said.now ?? NOW,
    services,
    changes:
      changes === null ? null : { services: [...SHOP_SERVICES], from: at(-1_740), to: at(75), changes: [...changes], label: 'changes' },
    commits: said.commits ?? [],
    cluster: said.cluster ? clusterContent(said.cluster) : null,
    graph: createDependencyGraph(said.edges === false ? [] : [...SHOP_EDGES, ...(said.edges ?? [])]),
    outside: new Map(said.outside ?? []),
    graphLabel: said.edges === false ? null : 'topology',
    symptom: said.symptom ? symptom(said.symptom) : null,
    ranking: said.ranking ?? null,
    missing: said.missing ?? [],
  }
}

function clusterContent(said: Partial<ClusterContent>): Cited<ClusterContent> {
  const nothing = { service: 'payments', namespace: 'shop', pods: null, workloads: [], unwell: [], findings: [], unread: [] }
  return { ...nothing, ...said, label: 'cluster' }
}

function symptom(said: Partial<SymptomContent>): Cited<SymptomContent> {
  return {
    ...{ service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.2, samples: 60, now: 0, points: [] },
    ...{ lastBreach: at(66), healthySince: at(67), contradicted: false, label: 'symptom' },
    ...said,
  }
}

function serviceFacts(service: string, { metrics = [], logs = {}, workload = {} }: SaidOfService): ServiceFacts {
  const findings = new Map([...CALM, ...metrics].map((each) => [each.metric, { ...each, label: `metrics-${service}` }]))
  const running: WorkloadContent = {
    ...{
      service,
      environment: 'shop',
      version: 'v41',
      previousVersion: null,
      desiredReplicas: 1,
      readyReplicas: 1,
      restarts: 0,
      startedAt: null,
      events: [],
    },
    ...workload,
  }
  return {
    service,
    metrics: Object.fromEntries(findings),
    logs: logs === null ? null : { service, lines: 0, omitted: 0, patterns: [], ...logs, label: `logs-${service}` },
    workload: workload === null ? null : { ...running, label: `workload-${service}` },
  }
}
