import type { Conditions, FromShop, Leak, ShopSettings, ToShop } from './messages.ts'

/** A process's side of the channel to its supervisor. */
export interface SupervisorLink {
  settings: ShopSettings
  /** Ports of the instances of a service that are ready now. */
  portsOf(service: string): readonly number[]
  ready(port: number): void
  /** Where it can be reached over TLS, besides. */
  secureDoor(port: number): void
  /** As they were told last; empty before. */
  conditions(): Conditions
  onConditions(listener: () => void): void
  onLeak(listener: (leak: Leak | null) => void): void
  onStop(listener: () => void): void
}

/**
 * Opens the channel. A service never outlives its supervisor: when the channel closes, however that came about, the process exits at once.
 */
export function openSupervisorLink(): SupervisorLink {
  const settings = JSON.parse(process.argv[2] ?? '') as ShopSettings
  let endpoints: Record<string, readonly number[]> = {}
  let conditions: Conditions = {}
  let leak: Leak | null = null
  let leakListener: ((leak: Leak | null) => void) | null = null
  let conditionsListener: (() => void) | null = null
  let stopListener = (): void => process.exit(0)
  process.on('disconnect', () => process.exit(0))
  process.stdout.on('error', () => process.exit(0))
  process.on('message', (message: ToShop) => {
    if (message.type === 'stop') return stopListener()
    if (message.type === 'conditions') {
      conditions = message.conditions
      return conditionsListener?.()
    }
    if (message.type === 'leak') {
      leak = message.leak
      return leakListener?.(leak)
    }
    endpoints = message.endpoints
    send({ type: 'endpoints-set', revision: message.revision })
  })
  process.on('SIGTERM', () => stopListener())
  // A Ctrl-C in the terminal reaches the whole process group; ending in order is the supervisor's business.
  process.on('SIGINT', () => undefined)
  if (!process.connected) process.exit(0)
  return {
    settings,
    portsOf: (service) => endpoints[service] ?? [],
    conditions: () => conditions,
    onConditions(listener) {
      conditionsListener = listener
    },
    secureDoor: (port) => send({ type: 'secure-door', port }),
    ready: (port) => send({ type: 'ready', port }),
    onLeak(listener) {
      leakListener = listener
      if (leak) listener(leak)
    },
    onStop(listener) {
      stopListener = listener
    },
  }
}

function send(message: FromShop): void {
  if (process.connected) process.send?.(message)
}
