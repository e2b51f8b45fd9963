/** What the supervisor tells a process of the shop, and what it hears back, over the channel between them. */
export type ToShop =
  | { type: 'endpoints'; revision: number; endpoints: Record<string, number[]> }
  | { type: 'leak'; leak: Leak | null }
  | { type: 'conditions'; conditions: Conditions }
  | { type: 'stop' }

export type FromShop = { type: 'ready'; port: number } | { type: 'secure-door'; port: number } | { type: 'endpoints-set'; revision: number }

/** What a process is told about the world it runs in, whole each time; one it does not know it leaves alone. */
export interface Conditions {
  bank?: 'up' | 'down'
  crowd?: 'usual' | 'large'
  /** Number of the certificate to show. */
  certificate?: number
  journal?: 'terse' | 'verbose'
  job?: { run: number; hangs: boolean }
}

/** `grow`: from now on. `full`: it had leaked to its plateau already, before the supervisor was started anew. */
export type Leak = 'grow' | 'full'

/** The one argument of every program of the shop, as JSON. */
export interface ShopSettings {
  service: string
  version: string
  instance: string
  heapLimitBytes: number
  /** The parties outside the shop that it calls. */
  callsOutside: readonly string[]
  /** Directory of the data that services keep in files. */
  dataDir: string
}
