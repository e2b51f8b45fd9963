import type { Edge } from '../../topology/dependency-graph.ts'

/**
 * What a number measures, as far as it decides how trouble travels. `cpu`, `memory` and `io` are a component's own affair; `latency` and
 * `errors` travel from the called to the caller, `traffic` from the caller to the called; `calls` is what a component sees of those it calls;
 * `network` is the time between the two ends of one call.
 */
export type MeasureKind = 'cpu' | 'memory' | 'io' | 'latency' | 'errors' | 'traffic' | 'calls' | 'network' | 'other'

/** One series of one component. */
export interface Track {
  component: string
  /** The same name for the same measure of other components: only such are compared. */
  metric: string
  /** Latencies of one question share a unit; errors are shares from 0 to 1. */
  kind: MeasureKind
  /** For `network`: the caller, while `component` is the called. */
  caller?: string
  /** In its own unit, where that is known: the usual spread is never taken for less. */
  floor?: number
  /** [seconds since 1970, value], oldest first; a moment without a value has no point. */
  points: readonly (readonly [number, number])[]
}

/** What a ranking is asked. */
export interface RankingQuestion {
  tracks: readonly Track[]
  /** Who calls whom, as far as it is known. */
  calls: readonly Edge[]
  /** When the trouble was noticed, seconds since 1970. It may have begun before. */
  noticedAt: number
  /** Where it was noticed and as what; null when nobody said. */
  symptom: { component: string; kind: MeasureKind } | null
  /** What is known only by what its callers measured: an address behind which a known component may stand. */
  seenByCallersOnly: ReadonlySet<string>
}
