import type { Located } from '../domain/workspace.ts'
import { createDependencyGraph } from '../topology/dependency-graph.ts'
import type { Inventory, Topology } from '../topology/inventory.ts'

/**
 * The inventory of whoever sees only so much: services, and calls between two of them or to somebody outside that one of them calls. Who is
 * outside the platform says: what nobody knows but by the traces may well be somebody else's service here.
 */
export function seenInventory(inventory: Inventory, isSeen: (thing: Located) => boolean): Inventory {
  const workloads = inventory.workloads.filter(isSeen)
  const running = new Set(inventory.workloads.map(({ service }) => service))
  const outside = new Set(inventory.outside.map(({ name }) => name).filter((name) => !running.has(name)))
  const seenIn = Map.groupBy(workloads, ({ service }) => service)
  const isSeenThere = (service: string, place: string | undefined): boolean =>
    seenIn.get(service)?.some(({ environment }) => place === undefined || environment === place) ?? false
  const edges = inventory.graph.edges.filter(
    ({ from, to, environment }) => isSeenThere(from, environment) && (isSeenThere(to, environment) || outside.has(to)),
  )
  const graph = createDependencyGraph(edges, inventory.graph.outside)
  return { ...inventory, bounded: true, workloads, graph, outside: inventory.outside.filter(({ name }) => graph.services.has(name)) }
}

export function seenTopology(topology: Topology, isSeen: (thing: Located) => boolean): Topology {
  return { inventory: async () => seenInventory(await topology.inventory(), isSeen) }
}
