import type { Incident } from '../../agent/domain/incident.ts'
import { createDependencyGraph } from '../../agent/topology/dependency-graph.ts'
import type { Inventory } from '../../agent/topology/inventory.ts'
import type { Integration } from '../../integrations/contract.ts'
import { IntegrationError } from '../../integrations/errors.ts'
import { createKubernetes } from '../../integrations/kubernetes/index.ts'
import { testDeps, VERIFICATION } from '../../test/support/kubernetes/shop-cluster.ts'

const ENVIRONMENT = 'production'
export const SERVICE = 'service-0'

/** One namespace to read, and nothing to change. */
export function openIntegration(kubeconfig: string, namespace: string): Integration {
  const place = {
    name: ENVIRONMENT,
    context: null,
    namespaces: [namespace],
    argocdNamespace: null,
    actions: [],
    impersonateGroup: null,
    podLogs: false,
  }
  const [reading] = createKubernetes(testDeps(), { kubeconfig, environments: [{ ...place, verification: VERIFICATION }] })
  if (!reading) throw new Error('there is nothing to read by')
  return reading
}

export function incidentIn(now: Date): Incident {
  return {
    ...{ id: 'inc-1', title: 'service-0', service: SERVICE, environment: ENVIRONMENT, severity: 2, severityReason: 'measured' },
    ...{ state: 'open', openedAt: now, endedAt: null, drillRun: null },
  }
}

/** Null while the platform has not answered yet. */
export async function readInventory({ workloads }: Integration): Promise<Inventory | null> {
  try {
    const known = (await workloads?.list()) ?? []
    return { workloads: known, graph: createDependencyGraph([]), outside: [], missing: [], readAt: new Date() }
  } catch (error) {
    if (error instanceof IntegrationError && error.code === 'timeout') return null
    throw error
  }
}
