import type { Located } from '../domain/workspace.ts'
import { createDependencyGraph } from '../topology/dependency-graph.ts'
import type { Inventory, Topology } from '../topology/inventory.ts'

/** The inventory of whoever sees only so much: services, and calls between two of them or to somebody outside that one of them calls. */
export function seenInventory(inventory: Inventory, isSeen: (thing: Located) => boolean): Inventory {
  const workloads = inventory.workloads.filter(isSeen)
  const known = new Set(inventory.workloads.map(({ service }) => service))
  const seen = new Set(workloads.map(({ service }) => service))
  const edges = inventory.graph.edges.filter(({ from, to }) => seen.has(from) && (seen.has(to) || !known.has(to)))
  const graph = createDependencyGraph(edges, inventory.graph.outside)
  return { ...inventory, bounded: true, workloads, graph, outside: inventory.outside.filter(({ name }) => graph.services.has(name)) }
}

export function seenTopology(topology: Topology, isSeen: (thing: Located) => boolean): Topology {
  return { inventory: async () => seenInventory(await topology.inventory(), isSeen) }
}
