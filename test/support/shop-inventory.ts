import { createDependencyGraph, type Edge } from '../../agent/topology/dependency-graph.ts'
import type { Inventory } from '../../agent/topology/inventory.ts'
import type { Workload, WorkloadsPort } from '../../integrations/ports/workloads.ts'

/** storefront → checkout → payments, inventory: each service calls what is to the right. */
export const SHOP_EDGES: readonly Edge[] = [
  { from: 'storefront', to: 'checkout' },
  { from: 'checkout', to: 'payments' },
  { from: 'checkout', to: 'inventory' },
]
export const SHOP_SERVICES = ['storefront', 'checkout', 'payments', 'inventory'] as const

export function workload(service: string, said: Partial<Workload> = {}): Workload {
  return {
    service,
    environment: 'shop',
    uid: `uid-${service}`,
    version: 'v1',
    previousVersion: null,
    desiredReplicas: 1,
    readyReplicas: 1,
    restarts: 0,
    startedAt: null,
    events: [],
    ...said,
  }
}

export function inventoryOf(said: Partial<Inventory> = {}): Inventory {
  return {
    workloads: SHOP_SERVICES.map((service) => workload(service)),
    graph: createDependencyGraph(SHOP_EDGES),
    outside: [],
    missing: [],
    readAt: new Date('2026-03-01T10:00:00.000Z'),
    ...said,
  }
}

/** A platform that runs these services. */
export function platformOf(workloads: readonly Workload[], edges: readonly Edge[]): WorkloadsPort {
  return {
    find: async (service) => {
      const found = workloads.find((each) => each.service === service)
      return found ? { query: `workload ${service}`, workload: found } : null
    },
    list: async () => [...workloads],
    dependencies: async () => ({ query: 'calls', edges: [...edges] }),
  }
}
