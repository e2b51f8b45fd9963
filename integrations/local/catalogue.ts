import { join } from 'node:path'
import type { OutsideParty } from '../ports/workloads.ts'

/** One program of the shop, as it is installed. */
export interface ShopService {
  name: string
  /** Oldest first; the first is what a fresh shop runs. */
  versions: readonly [string, ...string[]]
  /** The services it calls. */
  calls: readonly string[]
  /** The parties outside the shop that it calls. */
  callsOutside: readonly string[]
  /** Old-space limit of each process, MiB; the heap's limit that `memory_used_ratio` refers to. */
  heapLimitMiB: number
}

export const ENVIRONMENT = 'local'
export const MAX_REPLICAS = 4

/** Large enough for an idle service to use a fifth of it, small enough to be filled within seconds. */
const HEAP_LIMIT_MIB = 64

export const SHOP = [
  { name: 'storefront', versions: ['v8', 'v9'], calls: ['checkout'], callsOutside: [], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'checkout', versions: ['v17', 'v18'], calls: ['payments', 'inventory'], callsOutside: [], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'payments', versions: ['v41', 'v42', 'v43'], calls: [], callsOutside: ['bank'], heapLimitMiB: HEAP_LIMIT_MIB },
  { name: 'inventory', versions: ['v12', 'v13', 'v14'], calls: [], callsOutside: [], heapLimitMiB: HEAP_LIMIT_MIB },
] as const satisfies readonly ShopService[]

/** Which service has what: the door with a certificate, the journal with a bound, the job in batches. */
export const CERTIFICATE_OF = 'storefront'
export const JOURNAL_OF = 'checkout'
export const JOB_OF = 'checkout'
export const JOB = 'confirmations'

/** Services of somebody else that the shop depends on: seen through the calls to them, and out of reach for any action. */
export const OUTSIDE_PARTIES: readonly OutsideParty[] = [
  { name: 'bank', owner: 'Northmark Bank', contact: 'the service desk of Northmark Bank, support@northmark.example' },
]

/** The world outside: the people who shop, who make the traffic, and the bank. It is one process, and no workload of the target. */
export const OUTSIDE: ShopService = {
  name: 'outside',
  versions: ['v1'],
  calls: ['storefront'],
  callsOutside: [],
  heapLimitMiB: HEAP_LIMIT_MIB,
}

export const PROGRAMS: readonly ShopService[] = [...SHOP, OUTSIDE]

/** Null for a name that is no service of the shop; what is outside is none. */
export function findService(name: string): ShopService | null {
  return SHOP.find((service) => service.name === name) ?? null
}

/** Whether anything is known of a name: it is a service of the shop, or somebody that the shop calls. */
export function isObserved(name: string): boolean {
  return findService(name) !== null || OUTSIDE_PARTIES.some((party) => party.name === name)
}

export function programFile(service: string): string {
  return join(import.meta.dirname, 'shop', `${service}.ts`)
}
