import type { DataKind } from '../domain/model-data.ts'
import type { Tool } from './define-tool.ts'
import { describeWorkload } from './describe-workload.ts'
import { listChanges } from './list-changes.ts'
import { openEvidence } from './open-evidence.ts'
import { readLogs } from './read-logs.ts'
import { readMetrics } from './read-metrics.ts'
import { readTraces } from './read-traces.ts'
import { searchRunbooks } from './search-runbooks.ts'
import { showDependencies } from './show-dependencies.ts'

/** Every tool there is. */
const TOOLS: readonly Tool[] = [
  readMetrics,
  readLogs,
  readTraces,
  listChanges,
  describeWorkload,
  showDependencies,
  searchRunbooks,
  openEvidence,
]

/** The tools that may be offered to a provider that may have these kinds of data, by their names. */
export function toolsFor(allowed: ReadonlySet<DataKind>): ReadonlyMap<string, Tool> {
  return new Map(TOOLS.filter(({ kind }) => kind === null || allowed.has(kind)).map((tool) => [tool.name, tool]))
}
