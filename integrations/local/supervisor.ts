import { OUTSIDE, SHOP } from './catalogue.ts'
import type { Instance } from './instance.ts'
import { type ObservedService, type SupervisedService, type SupervisedServiceDeps, superviseService } from './supervised-service.ts'

const ACKNOWLEDGE_WITHIN_MS = 500
/** Customers come once everything is ready, or after this time whatever the state. */
const OPEN_AFTER_MS = 5_000

/** Runs the shop's processes as the desired state says. */
export interface Supervisor {
  /** Starts everything; `settled` tells when it runs. */
  start(): void
  stop(): Promise<void>
  /** Of the shop's services; the world outside is not among them. */
  instances(): readonly Instance[]
  /** All processes, the world outside included. */
  processes(): readonly Instance[]
  /** Null for a name that is no service of the shop. */
  observe(service: string): ObservedService | null
  noteScrape(instance: Instance, answered: boolean): void
  isSettled(): boolean
  /** Resolves once exactly what should run runs and answers. Rejects with the signal's reason when it is aborted. */
  settled(signal: AbortSignal): Promise<void>
}

export function createSupervisor(deps: Omit<SupervisedServiceDeps, 'endpointsChanged'>): Supervisor {
  const waiting = new Set<() => void>()
  let revision = 0
  let open = false
  let openLate: NodeJS.Timeout | null = null

  const endpointsChanged = async (): Promise<void> => {
    if (!open && all.every((one) => one.isSettled())) open = true
    for (const check of [...waiting]) check()
    if (open) await publishEndpoints()
  }
  const services = SHOP.map((service) => superviseService(service, { ...deps, endpointsChanged }))
  const outside = superviseService(OUTSIDE, { ...deps, endpointsChanged })
  // The customers, who are told last, find a shop in which everybody knows everybody.
  const all = [...services, outside]

  /** Tells every process where the services it calls are. Resolves once all of them know. */
  async function publishEndpoints(): Promise<void> {
    const current = ++revision
    const callers = all.filter(({ service }) => service.calls.length + service.callsOutside.length > 0)
    const told = callers.flatMap((caller) => {
      const { calls, callsOutside } = caller.service
      const endpoints = Object.fromEntries([
        ...calls.map((callee) => [callee, portsOf(services, callee)]),
        ...callsOutside.map((party) => [party, portsOf([outside], OUTSIDE.name)]),
      ])
      const listening = caller.instances().filter((instance) => instance.phase !== 'starting')
      for (const instance of listening) instance.send({ type: 'endpoints', revision: current, endpoints })
      return listening
    })
    await Promise.all(told.map((instance) => instance.endpointsTaken(current, ACKNOWLEDGE_WITHIN_MS)))
  }

  const isSettled = (): boolean => all.every((one) => one.isSettled())
  deps.state.onChange(() => {
    for (const one of all) one.reconcile()
  })
  return {
    start() {
      for (const one of all) one.reconcile({ restored: true })
      openLate = setTimeout(() => {
        open = true
        void endpointsChanged()
      }, OPEN_AFTER_MS)
    },
    async stop() {
      if (openLate) clearTimeout(openLate)
      await outside.stop()
      await Promise.all(services.map((one) => one.stop()))
    },
    instances: () => services.flatMap((one) => one.instances()),
    processes: () => all.flatMap((one) => one.instances()),
    observe: (service) => services.find((one) => one.service.name === service)?.observe() ?? null,
    noteScrape: (instance, answered) => all.find((one) => one.service.name === instance.service)?.noteScrape(instance, answered),
    isSettled,
    settled: (signal) => waitUntil(isSettled, waiting, signal),
  }
}

function portsOf(services: readonly SupervisedService[], name: string): number[] {
  const service = services.find((one) => one.service.name === name)
  return service?.instances().flatMap((instance) => (instance.phase === 'ready' ? [instance.port] : [])) ?? []
}

function waitUntil(holds: () => boolean, waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      waiting.delete(check)
      signal.removeEventListener('abort', abort)
    }
    const abort = (): void => {
      end()
      reject(signal.reason)
    }
    const check = (): void => {
      if (holds()) {
        end()
        resolve()
      }
    }
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', abort)
    waiting.add(check)
    check()
  })
}
