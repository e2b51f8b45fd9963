import type { z } from 'zod'
import type { MetricName } from '../../integrations/ports/metrics.ts'
import type { EvidenceItem } from '../domain/evidence.ts'
import { createDependencyGraph, type DependencyGraph } from '../topology/dependency-graph.ts'
import {
  type ChangesContent,
  type ClusterContent,
  type CommitsContent,
  changesContentSchema,
  clusterContentSchema,
  commitsContentSchema,
  type Finding,
  type LogsContent,
  logsContentSchema,
  metricsContentSchema,
  type RankingContent,
  rankingContentSchema,
  type SymptomContent,
  symptomContentSchema,
  topologyContentSchema,
  type WorkloadContent,
  workloadContentSchema,
} from './evidence-content.ts'

/** Something that was read, with the label under which claims cite it. */
export type Cited<T> = T & { label: string }

/** All that evidence says about one service. What nobody answered is absent. */
export interface ServiceFacts {
  service: string
  metrics: Partial<Record<MetricName, Cited<Finding>>>
  logs: Cited<LogsContent> | null
  workload: Cited<WorkloadContent> | null
}

/** What a diagnosis may depend on: stored evidence, and nothing else. */
export interface Facts {
  /** The service the incident is about. */
  service: string
  startedAt: Date
  now: Date
  services: ReadonlyMap<string, ServiceFacts>
  changes: Cited<ChangesContent> | null
  /** What is known of changes in their repositories. */
  commits: readonly Cited<CommitsContent>[]
  /** What the platform says around the service; null where no platform that can be asked runs it. */
  cluster: Cited<ClusterContent> | null
  graph: DependencyGraph
  graphLabel: string | null
  /** Whose the called services are that are somebody else's, by their names. */
  outside: ReadonlyMap<string, { owner: string; contact: string }>
  symptom: Cited<SymptomContent> | null
  /** What the numbers alone say; null where there were none. */
  ranking: Cited<RankingContent> | null
  /** One line for each source that gave no answer. */
  missing: readonly string[]
}

/** Reads evidence of one round back into facts. An item whose content is not of its kind's shape counts as missing. */
export function readFacts(about: { service: string; startedAt: Date; now: Date }, evidence: readonly EvidenceItem[]): Facts {
  const services = new Map<string, ServiceFacts>()
  const of = (service: string): ServiceFacts => {
    const facts = services.get(service) ?? { service, metrics: {}, logs: null, workload: null }
    services.set(service, facts)
    return facts
  }
  for (const { label, ...content } of read(evidence, 'metrics', metricsContentSchema)) {
    const { metrics } = of(content.service)
    for (const finding of content.findings) metrics[finding.metric as MetricName] = { ...finding, label }
  }
  for (const logs of read(evidence, 'logs', logsContentSchema)) of(logs.service).logs = logs
  for (const workload of read(evidence, 'workload', workloadContentSchema)) of(workload.service).workload = workload
  const topology = read(evidence, 'topology', topologyContentSchema).at(-1)
  return {
    ...about,
    services,
    changes: read(evidence, 'changes', changesContentSchema).at(-1) ?? null,
    commits: read(evidence, 'commits', commitsContentSchema),
    cluster: read(evidence, 'cluster', clusterContentSchema).at(-1) ?? null,
    graph: createDependencyGraph(topology?.edges ?? []),
    graphLabel: topology?.label ?? null,
    outside: new Map(topology?.outside.map((party) => [party.name, party]) ?? []),
    symptom: read(evidence, 'symptom', symptomContentSchema).at(-1) ?? null,
    ranking: read(evidence, 'ranking', rankingContentSchema).at(-1) ?? null,
    missing: evidence.filter(({ status }) => status === 'failed' || status === 'denied').map(({ summary }) => summary),
  }
}

/** Items that were answered, an answer without rows included: that nothing changed is a fact too. */
function read<T extends object>(evidence: readonly EvidenceItem[], kind: string, schema: z.ZodType<T>): Cited<T>[] {
  return evidence
    .filter((item) => item.kind === kind && (item.status === 'ok' || item.status === 'empty'))
    .flatMap((item) => {
      const parsed = schema.safeParse(item.content)
      return parsed.success ? [{ ...parsed.data, label: item.label }] : []
    })
}
