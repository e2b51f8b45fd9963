import type { DependencyGraph } from './dependency-graph.ts'

export interface Reach {
  /** Services whose users or calls feel trouble in this one, the nearest first. */
  dependents: string[]
  /** Where users come in and would notice; the service itself when it is such a place. */
  frontDoors: string[]
  /** The service and its dependents, without what is somebody else's. */
  affected: number
  /** All services of the graph but those of somebody else. */
  total: number
}

/** Who feels it when `service` fails or restarts; null when the graph does not hold the service, which is not the same as nobody. */
export function reachOf(graph: DependencyGraph, service: string): Reach | null {
  if (!graph.services.has(service)) return null
  const dependents = [...graph.dependentsOf(service).keys()]
  const frontDoors = [service, ...dependents].filter((name) => graph.frontDoors.has(name))
  const own = (names: Iterable<string>): number => [...names].filter((name) => !graph.outside.has(name)).length
  return { dependents, frontDoors, affected: own([service, ...dependents]), total: own(graph.services) }
}
