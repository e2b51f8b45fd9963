import type { DependencyGraph } from '../topology/dependency-graph.ts'

/** As many as are counted of a call. */
const SEVERAL_TRACES = 3

/**
 * Whether it is certain enough that `service` depends on `other` for an alert of the one to need no incident, and no page, of its own: a platform
 * says so, directly or through others, or this very call was seen in several traces. A chain of calls of which each was only seen proves nothing.
 */
export function surelyDependsOn(graph: DependencyGraph, service: string, other: string): boolean {
  if (graph.stated().dependenciesOf(service).has(other)) return true
  return service !== other && graph.edges.some(({ from, to, traces = 0 }) => from === service && to === other && traces >= SEVERAL_TRACES)
}
