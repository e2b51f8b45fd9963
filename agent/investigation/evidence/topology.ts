import type { TopologyContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const MAX_NAME = 120
const NAMES_TOLD = 10

/** Who calls whom around the service, from the inventory that intake has read already. */
export function collectTopology(sourceId: string, { service, near, inventory, from, to }: Scope): NewEvidence {
  const { graph } = inventory
  const isNear = new Set(near)
  const content: TopologyContent = {
    service: named(service),
    edges: graph.edges
      .filter((edge) => isNear.has(edge.from) && isNear.has(edge.to))
      .map(({ from: caller, to: called, seenAt }) => ({
        ...{ from: named(caller), to: named(called) },
        seen: seenAt?.toISOString() ?? null,
      })),
    dependencies: [...graph.dependenciesOf(service).keys()].map(named),
    dependents: [...graph.dependentsOf(service).keys()].map(named),
    frontDoors: near.filter((name) => graph.frontDoors.has(name)).map(named),
    outside: inventory.outside
      .filter(({ name }) => isNear.has(name))
      .map(({ name, owner, contact }) => ({ name: named(name), owner: oneLine(owner, MAX_NAME), contact: oneLine(contact, MAX_NAME) })),
  }
  // Whoever may send spans to a server of traces draws such calls, and what others are said to depend on follows from any of them.
  const trust = graph.edges.some(({ seenAt }) => seenAt) ? ('log' as const) : ('platform' as const)
  const frame = { kind: 'topology', source: sourceId, trust, from, to, link: null, query: 'call graph', content }
  if (graph.edges.length === 0 && inventory.missing.length > 0) return { ...frame, status: 'failed', summary: inventory.missing.join('; ') }
  const hasEdges = content.edges.length > 0
  return {
    ...frame,
    status: hasEdges ? 'ok' : 'empty',
    summary: hasEdges ? summaryOf(content) : `no calls from or to ${content.service} are known`,
  }
}

function summaryOf({ service, dependencies, dependents }: TopologyContent): string {
  const calls = dependencies.length > 0 ? `calls ${listed(dependencies)}` : 'calls no other service'
  const calledBy = dependents.length > 0 ? `is called by ${listed(dependents)}` : 'is called by no other service'
  return `${service} ${calls} and ${calledBy}`
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_TOLD
  return `${names.slice(0, NAMES_TOLD).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Names of services are what their spans say that they are. */
function named(service: string): string {
  return oneLine(service, MAX_NAME)
}
