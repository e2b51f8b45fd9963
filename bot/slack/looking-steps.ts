import type { Looked } from '../../agent/agent.ts'
import type { StreamStep } from './slack-api.ts'

/** What a model asks of the sources while it looks for an answer. */
export type LookingStep = Looked

/** Our words for its tools: what a model calls things itself is never shown. */
const TOOL_WORDS: Readonly<Record<string, string>> = {
  read_metrics: 'Read metrics',
  read_logs: 'Read logs',
  read_traces: 'Read traces',
  list_changes: 'List recent changes',
  describe_workload: 'Look at the workload',
  show_dependencies: 'Look at what it depends on',
  search_runbooks: 'Search the runbooks',
  open_evidence: 'Open stored evidence',
}
const OTHER = 'Look something up'
const STATES = { asked: 'in_progress', found: 'complete', failed: 'error' } as const
/** More of them nobody reads. */
const MOST_STEPS = 12

/** The steps with one more, or with one of them changed. What was looked at before a model asks is done by then. */
export function withStep(steps: readonly StreamStep[], { nth, tool, state }: LookingStep): StreamStep[] {
  const step: StreamStep = { id: `asked-${nth}`, title: TOOL_WORDS[tool] ?? OTHER, status: STATES[state] }
  const before = steps.map((each, index) => (index === 0 ? { ...each, status: 'complete' as const } : each))
  if (before.some(({ id }) => id === step.id)) return before.map((each) => (each.id === step.id ? step : each))
  return before.length >= MOST_STEPS ? before : [...before, step]
}
