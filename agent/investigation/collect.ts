import type { NewEvidence } from '../domain/evidence.ts'
import type { WarningLog } from './ask-source.ts'
import { collectChanges } from './evidence/changes.ts'
import { collectClusters } from './evidence/cluster.ts'
import { collectCommits } from './evidence/commits.ts'
import { collectLogs } from './evidence/logs.ts'
import { collectMetrics } from './evidence/metrics.ts'
import { rankNumbers } from './evidence/ranking.ts'
import { readSymptom, type SymptomReading } from './evidence/symptom.ts'
import { collectTopology } from './evidence/topology.ts'
import { collectTraces } from './evidence/traces.ts'
import { collectWorkload } from './evidence/workload.ts'
import { type Scope, type Source, sourcesFor } from './scope.ts'

const DEADLINE_MS = 3_000
/** Logs and workload are read where a cause may lie, and no further than this. */
const MAX_DEEP = 6

export interface Collected {
  evidence: NewEvidence[]
  /** Null when the alert states no trigger, or no source reads metrics. */
  symptom: SymptomReading | null
}

/**
 * Asks everything at once. Whatever is late or broken becomes an item that says so, so this takes no longer than the deadline and never throws;
 * `signal` ends it early.
 */
export async function collect(
  scope: Scope,
  deps: { sources: readonly Source[]; log: WarningLog; signal: AbortSignal; deadlineMs?: number },
): Promise<Collected> {
  const { log } = deps
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(deps.deadlineMs ?? DEADLINE_MS)])
  const sources = sourcesFor(deps.sources, scope.environment)
  const deep = [scope.service, ...scope.dependencies].slice(0, MAX_DEEP)
  const metrics = sources.flatMap(({ id, metrics: port }) => (port ? [{ id, metrics: port }] : []))
  const [first] = metrics
  const changed = sources.flatMap(({ id, changes }) => (changes ? [{ id, changes }] : []))
  const clusters = sources.flatMap(({ id, clusterState }) => (clusterState ? [{ id, clusterState }] : []))
  const [symptom, ...items] = await Promise.all([
    first && scope.trigger ? readSymptom(first, scope.trigger, { startedAt: scope.startedAt, now: scope.to }, signal, log) : null,
    Promise.all(metrics.flatMap((source) => scope.near.map((service) => collectMetrics(source, service, scope, signal, log)))),
    collectChanges(changed, scope, signal, log).then(async (changes) => [
      ...changes,
      ...(await collectCommits(sources, changes, scope, signal, log)),
    ]),
    Promise.all(
      sources.flatMap(({ id, workloads }) =>
        workloads ? deep.map((service) => collectWorkload({ id, workloads }, service, scope, signal, log)) : [],
      ),
    ),
    collectClusters(clusters, scope, signal, log),
    Promise.all(sources.flatMap(({ id, traces }) => (traces ? [collectTraces({ id, traces }, scope.service, scope, signal, log)] : []))),
    Promise.all(
      sources.flatMap(({ id, logs }) => (logs ? deep.map((service) => collectLogs({ id, logs }, service, scope, signal, log)) : [])),
    ),
  ])
  const topology = sources.flatMap(({ id, workloads, traces }) => (workloads || traces ? [collectTopology(id, scope)] : []))
  const asked = [...(symptom ? [symptom.evidence] : []), ...items.flat(), ...topology.slice(0, 1)]
  return { evidence: [...asked, ...rankNumbers(asked, scope)], symptom }
}
