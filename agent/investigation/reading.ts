import type { NewEvidence } from '../domain/evidence.ts'
import { runbookEvidence } from '../knowledge/find-runbook.ts'
import type { RunbookStore } from '../ports.ts'
import type { Reader } from '../tools/define-tool.ts'
import type { WarningLog } from './ask-source.ts'
import { collectChanges } from './evidence/changes.ts'
import { collectCommits } from './evidence/commits.ts'
import { collectLogs } from './evidence/logs.ts'
import { collectMetrics } from './evidence/metrics.ts'
import { collectTopology } from './evidence/topology.ts'
import { collectTraces, openTrace } from './evidence/traces.ts'
import { collectWorkload } from './evidence/workload.ts'
import { type Scope, type Source, sourcesFor } from './scope.ts'

const RUNBOOKS_FOUND = 2

/** The questions of a round of investigation, one at a time: the same sources, window and bounds, and nothing outside of them. */
export function createReader(
  scope: Scope,
  deps: { sources: readonly Source[]; runbooks?: Pick<RunbookStore, 'search'>; signal: AbortSignal; log: WarningLog },
): Reader {
  const { signal, log } = deps
  const sources = sourcesFor(deps.sources, scope.environment)
  const each = async (ask: (source: Source) => Promise<NewEvidence> | null): Promise<NewEvidence[]> =>
    await Promise.all(sources.flatMap((source) => ask(source) ?? []))
  return {
    metrics: (service) =>
      each(({ id, metrics }) => (metrics ? collectMetrics({ id, metrics }, service, { ...scope, service }, signal, log) : null)),
    logs: (service) => each(({ id, logs }) => (logs ? collectLogs({ id, logs }, service, scope, signal, log) : null)),
    traces: (service) => each(({ id, traces }) => (traces ? collectTraces({ id, traces }, service, scope, signal, log) : null)),
    trace: (service, trace) =>
      each(({ id, traces }) => (traces ? openTrace({ id, traces }, { service, trace }, scope, signal, log) : null)),
    workload: (service) =>
      each(({ id, workloads }) => (workloads ? collectWorkload({ id, workloads }, service, scope, signal, log) : null)),
    async changes() {
      const told = sources.flatMap(({ id, changes }) => (changes ? [{ id, changes }] : []))
      const changes = await collectChanges(told, scope, signal, log)
      return [...changes, ...(await collectCommits(sources, changes, scope, signal, log))]
    },
    dependencies: async () =>
      sources.flatMap(({ id, workloads, traces }) => (workloads || traces ? [collectTopology(id, scope)] : [])).slice(0, 1),
    async runbooks(words) {
      if (!deps.runbooks) return []
      const query = { words: words.split(/\s+/), services: [], alerts: [], classes: [], limit: RUNBOOKS_FOUND }
      return runbookEvidence(await deps.runbooks.search(query), query, scope, [])
    },
  }
}
