import { join } from 'node:path'

/** One program of the shop, as it is installed. */
export interface ShopService {
  name: string
  /** Oldest first; the first is what a fresh shop runs. */
  versions: readonly [string, ...string[]]
  /** The services it calls. */
  calls: readonly string[]
  /** Old-space limit of each process, MiB; the heap's limit that `memory_used_ratio` refers to. */
  heapLimitMiB: number
}

export const ENVIRONMENT = 'local'
export const MAX_REPLICAS = 4

/** Large enough for an idle service to use a fifth of it, small enough to be filled within seconds. */
const HEAP_LIMIT_MIB = 64

export const SHOP = [
  { name: 'storefront', versions: ['v8', 'v9'], calls: ['checkout'], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'checkout', versions: ['v17', 'v18'], calls: ['payments', 'inventory'], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'payments', versions: ['v41', 'v42'], calls: [], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'inventory', versions: ['v12', 'v13'], calls: [], heapLimitMiB: HEAP_LIMIT_MIB },
] as const satisfies readonly ShopService[]

/** The people who shop: they make the traffic, and are no workload of the target. */
export const CUSTOMERS: ShopService = { name: 'customers', versions: ['v1'], calls: ['storefront'], heapLimitMiB: HEAP_LIMIT_MIB }

export const PROGRAMS: readonly ShopService[] = [...SHOP, CUSTOMERS]

/** Null for a name that is no service of the shop; the customers are none. */
export function findService(name: string): ShopService | null {
  return SHOP.find((service) => service.name === name) ?? null
}

export function programFile(service: string): string {
  return join(import.meta.dirname, 'shop', `${service}.ts`)
}
