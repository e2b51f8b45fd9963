/** What the supervisor tells a process of the shop, and what it hears back, over the channel between them. */
export type ToShop =
  | { type: 'endpoints'; revision: number; endpoints: Record<string, number[]> }
  | { type: 'leak'; leak: Leak | null }
  | { type: 'stop' }

export type FromShop = { type: 'ready'; port: number } | { type: 'endpoints-set'; revision: number }

/** `grow`: from now on. `full`: it had leaked to its plateau already, before the supervisor was started anew. */
export type Leak = 'grow' | 'full'

/** The one argument of every program of the shop, as JSON. */
export interface ShopSettings {
  service: string
  version: string
  instance: string
  heapLimitBytes: number
  /** Directory of the data that services keep in files. */
  dataDir: string
}
