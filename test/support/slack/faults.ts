/**
 * What can go wrong with a call. `lost`: it is done, and its answer never arrives. `stall`: nothing is done and nothing answered until the
 * server closes or `release` is called.
 */
export type Fault =
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'ratelimited'; readonly retryAfter: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'stall' }
  | { readonly kind: 'reset' }

export interface Faults {
  /** The next `times` calls of a method, or of any with '*', end like this. */
  readonly next: (method: string, fault: Fault, times?: number) => void
  /** Every call ends like this until `up`; connections in Socket Mode are cut and refused. */
  readonly down: (fault?: Fault) => void
  readonly up: () => void
  readonly isDown: () => boolean
  /** Lets calls that stall go on. */
  readonly release: () => void
  /** The fault that this call meets, which is used up by it. */
  readonly take: (method: string) => Fault | null
  readonly stalled: () => Promise<void>
}

export function createFaults(onDown: () => void): Faults {
  const planned: { method: string; fault: Fault; left: number }[] = []
  let outage: Fault | null = null
  let waiting: (() => void)[] = []
  return {
    next: (method, fault, times = 1) => void planned.push({ method, fault, left: times }),
    down: (fault = { kind: 'http', status: 503 }) => {
      outage = fault
      onDown()
    },
    up: () => {
      outage = null
    },
    isDown: () => outage !== null,
    release: () => {
      for (const go of waiting) go()
      waiting = []
    },
    take: (method) => {
      if (outage !== null) return outage
      const found = planned.find((one) => one.left > 0 && (one.method === method || one.method === '*'))
      if (found !== undefined) found.left -= 1
      return found?.fault ?? null
    },
    stalled: () => new Promise((resolve) => waiting.push(resolve)),
  }
}
