import type { TopologyContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { oneLine } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const MAX_PARTY_TEXT = 120

/** Who calls whom around the service, from the inventory that intake has read already. */
export function collectTopology(sourceId: string, { service, near, inventory, from, to }: Scope): NewEvidence {
  const { graph } = inventory
  const isNear = new Set(near)
  const content: TopologyContent = {
    service,
    edges: graph.edges
      .filter((edge) => isNear.has(edge.from) && isNear.has(edge.to))
      .map(({ from: caller, to: called, seenAt }) => ({
        ...{ from: caller, to: called },
        seen: seenAt?.toISOString() ?? null,
      })),
    dependencies: [...graph.dependenciesOf(service).keys()],
    dependents: [...graph.dependentsOf(service).keys()],
    frontDoors: near.filter((name) => graph.frontDoors.has(name)),
    outside: inventory.outside
      .filter(({ name }) => isNear.has(name))
      .map(({ name, owner, contact }) => ({ name, owner: oneLine(owner, MAX_PARTY_TEXT), contact: oneLine(contact, MAX_PARTY_TEXT) })),
  }
  const frame = { kind: 'topology', source: sourceId, trust: 'platform' as const, from, to, link: null, query: 'call graph', content }
  if (graph.edges.length === 0 && inventory.missing.length > 0) return { ...frame, status: 'failed', summary: inventory.missing.join('; ') }
  const hasEdges = content.edges.length > 0
  return {
    ...frame,
    status: hasEdges ? 'ok' : 'empty',
    summary: hasEdges ? summaryOf(content) : `no calls from or to ${service} are known`,
  }
}

function summaryOf({ service, dependencies, dependents }: TopologyContent): string {
  const calls = dependencies.length > 0 ? `calls ${dependencies.join(', ')}` : 'calls no other service'
  const calledBy = dependents.length > 0 ? `is called by ${dependents.join(', ')}` : 'is called by no other service'
  return `${service} ${calls} and ${calledBy}`
}
