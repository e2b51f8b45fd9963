/** Who calls whom: `from` calls `to`, so trouble travels from `to` to `from`. */
export interface Edge {
  from: string
  to: string
  /** When it was last seen, where calls are known by being seen. */
  seenAt?: Date
  /** In how many traces, there too; nothing is counted beyond three. */
  traces?: number
  /** Where; left out: wherever these services are. */
  environment?: string
}

/** A call graph. Unknown services have no neighbours; cycles are walked once. */
export interface DependencyGraph {
  edges: readonly Edge[]
  services: ReadonlySet<string>
  /** What the service calls, directly or through others, with the number of calls between. */
  dependenciesOf(service: string): ReadonlyMap<string, number>
  /** What calls the service, directly or through others, with the number of calls between. */
  dependentsOf(service: string): ReadonlyMap<string, number>
  /** Services that nobody calls and that call others: where users come in. */
  frontDoors: ReadonlySet<string>
  /** Of the services, those of somebody else: called from here, and no part of what is looked after. */
  outside: ReadonlySet<string>
  /** The calls of one environment: services elsewhere may have the same names. */
  within(environment: string): DependencyGraph
  /** The calls that a platform states, without those that are known by being seen: whoever sends spans draws these. */
  stated(): DependencyGraph
}

export function createDependencyGraph(said: readonly Edge[], outside: Iterable<string> = []): DependencyGraph {
  const edges = onceEach(said)
  const others = [...outside]
  const parts = new Map<string, DependencyGraph>()
  const part = (name: string, isOf: (edge: Edge) => boolean): DependencyGraph => {
    const known = parts.get(name) ?? createDependencyGraph(edges.filter(isOf), others)
    parts.set(name, known)
    return known
  }
  const calls = neighbours(edges.map(({ from, to }) => [from, to]))
  const calledBy = neighbours(edges.map(({ from, to }) => [to, from]))
  return {
    edges,
    services: new Set(edges.flatMap(({ from, to }) => [from, to])),
    dependenciesOf: (service) => reachable(calls, service),
    dependentsOf: (service) => reachable(calledBy, service),
    frontDoors: new Set([...calls.keys()].filter((service) => !calledBy.has(service))),
    outside: new Set(others),
    within: (place) => part(`within ${place}`, ({ environment }) => environment === undefined || environment === place),
    stated: () => part('stated', ({ seenAt }) => !seenAt),
  }
}

/** The services on one path of calls with this one, itself first, the nearest next; at most `limit`. */
export function servicesNear(graph: DependencyGraph, service: string, limit: number): string[] {
  const distances = new Map([...graph.dependentsOf(service), ...graph.dependenciesOf(service)])
  const byDistance = [...distances].sort(([a, near], [b, far]) => near - far || (a < b ? -1 : 1))
  return [service, ...byDistance.map(([name]) => name)].slice(0, limit)
}

/** Two sources may know of one call: what is configured stands for what was seen, and what was seen last for what was seen before. */
function onceEach(edges: readonly Edge[]): Edge[] {
  const byEnds = new Map<string, Edge>()
  for (const edge of edges) {
    const key = JSON.stringify([edge.from, edge.to, edge.environment ?? null])
    const before = byEnds.get(key)
    if (!before || (before.seenAt && (!edge.seenAt || edge.seenAt > before.seenAt))) byEnds.set(key, edge)
  }
  return [...byEnds.values()]
}

function neighbours(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const map = new Map<string, string[]>()
  for (const [a, b] of pairs) if (a !== b) map.set(a, [...(map.get(a) ?? []), b])
  return map
}

function reachable(next: ReadonlyMap<string, readonly string[]>, start: string): Map<string, number> {
  const distances = new Map<string, number>([[start, 0]])
  for (const [service, distance] of distances) {
    for (const neighbour of next.get(service) ?? []) if (!distances.has(neighbour)) distances.set(neighbour, distance + 1)
  }
  distances.delete(start)
  return distances
}
