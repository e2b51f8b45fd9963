import type { ShopService } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import { type Instance, type InstanceEvents, startInstance } from './instance.ts'
import { createRestartBackoff, RECENT_SECONDS } from './restart-backoff.ts'
import type { Leak } from './shop/messages.ts'
import { conditionsOf, versionOf, type WorkloadState, workloadOf } from './target-state.ts'

const MAX_EVENTS = 20
const SHORT_ID_LENGTH = 6
const FAILED_SCRAPES_UNTIL_UNREADY = 3

/** A service as its processes are now. */
export interface ObservedService {
  /** Instances that answer, of whatever revision. */
  ready: number
  /** Those of the current revision that answer. */
  updated: number
  /** Unexpected exits since the supervisor started. */
  restarts: number
  /** Those of the last ten seconds. */
  recentRestarts: number
  startedAt: Date | null
  /** Newest first, at most 20. */
  events: { at: Date; text: string }[]
}

export interface SupervisedService {
  service: ShopService
  instances(): readonly Instance[]
  observe(): ObservedService
  /** Starts and retires processes until what should run runs. New ones take over before old ones end. */
  reconcile(how?: { restored: boolean }): void
  /** Whether exactly what should run runs and answers. */
  isSettled(): boolean
  /** An instance that fails three scrapes in a row gets no requests until it answers again. */
  noteScrape(instance: Instance, answered: boolean): void
  stop(): Promise<void>
}

export interface SupervisedServiceDeps {
  state: DesiredState
  dir: string
  now: () => Date
  newId: () => string
  onLine: InstanceEvents['onLine']
  /** Called when the set of instances that answer changed; resolves once every caller knows. */
  endpointsChanged(): Promise<void>
}

export function superviseService(service: ShopService, deps: SupervisedServiceDeps): SupervisedService {
  const { name } = service
  const backoff = createRestartBackoff()
  const failedScrapes = new Map<Instance, number>()
  const leaking = new Set<Instance>()
  const told = new Map<Instance, string>()
  let instances: readonly Instance[] = []
  let events: ObservedService['events'] = []
  let restarts = 0
  let crashes: readonly number[] = []
  let startedAt: Date | null = null
  let revision = 0
  let ended = false
  let retry: NodeJS.Timeout | null = null

  const isRecent = (crash: number): boolean => deps.now().getTime() - crash < RECENT_SECONDS * 1_000
  const wanted = (): WorkloadState => workloadOf(deps.state.current(), name)
  const note = (text: string): void => {
    events = [{ at: deps.now(), text }, ...events].slice(0, MAX_EVENTS)
  }

  const launch = (want: WorkloadState): void => {
    const id = `${name}-${deps.newId().slice(0, SHORT_ID_LENGTH)}`
    const spec = { id, service, version: versionOf(want), revision: want.revision, dir: deps.dir }
    const instance = startInstance(spec, { onReady, onLine: deps.onLine, onExit })
    instances = [...instances, instance]
    startedAt = deps.now()
    note(`${id} (${spec.version}) is starting`)
  }

  const launchMissing = (count: number, want: WorkloadState): void => {
    const delay = backoff.delayMs(deps.now().getTime())
    if (delay === 0) for (let i = 0; i < count; i++) launch(want)
    else if (!retry) {
      note(`the next start of ${name} is due in ${delay} ms`)
      retry = setTimeout(() => {
        retry = null
        reconcile()
      }, delay)
    }
  }

  const tellLeak = (instance: Instance, leak: Leak): void => {
    if (leaking.has(instance)) return
    leaking.add(instance)
    instance.send({ type: 'leak', leak })
  }

  const tellConditions = (instance: Instance): void => {
    const conditions = conditionsOf(deps.state.current(), name)
    const text = JSON.stringify(conditions)
    if ((told.get(instance) ?? '{}') === text) return
    told.set(instance, text)
    instance.send({ type: 'conditions', conditions })
  }

  const retire = async (instance: Instance): Promise<void> => {
    instance.phase = 'stopping'
    note(`${instance.id} (${instance.version}) is retired`)
    await deps.endpointsChanged()
    await instance.stop()
  }

  function reconcile({ restored } = { restored: false }): void {
    if (ended) return
    const want = wanted()
    if (want.revision !== revision) backoff.reset()
    revision = want.revision
    const live = instances.filter((instance) => instance.phase !== 'stopping')
    const missing = want.replicas - live.filter((instance) => instance.revision === revision).length
    if (missing > 0) launchMissing(missing, want)
    for (const instance of instances) tellConditions(instance)
    if (want.leakingRevision === revision) {
      for (const instance of instances) if (instance.revision === revision) tellLeak(instance, restored ? 'full' : 'grow')
    }
    const keep = live.filter((instance) => instance.revision === revision && instance.phase === 'ready').slice(0, want.replicas)
    if (keep.length === want.replicas) for (const instance of live) if (!keep.includes(instance)) void retire(instance)
  }

  function onReady(instance: Instance): void {
    note(`${instance.id} (${instance.version}) is ready`)
    void deps.endpointsChanged()
    reconcile()
  }

  function onExit(instance: Instance, why: string): void {
    const expected = instance.phase === 'stopping'
    instances = instances.filter((other) => other !== instance)
    failedScrapes.delete(instance)
    leaking.delete(instance)
    told.delete(instance)
    note(`${instance.id} (${instance.version}) ${expected ? 'is gone' : why}`)
    if (!expected) {
      const now = deps.now().getTime()
      restarts++
      crashes = [...crashes.filter(isRecent), now]
      backoff.noteCrash(now)
    }
    void deps.endpointsChanged()
    reconcile()
  }

  const answering = (): Instance[] => instances.filter((instance) => instance.phase === 'ready')
  return {
    service,
    instances: () => instances,
    observe: () => ({
      ready: answering().length,
      updated: answering().filter((instance) => instance.revision === wanted().revision).length,
      restarts,
      recentRestarts: crashes.filter(isRecent).length,
      startedAt,
      events,
    }),
    reconcile,
    isSettled: () => {
      const want = wanted()
      return (
        instances.length === want.replicas &&
        answering().every((instance) => instance.revision === want.revision) &&
        answering().length === want.replicas
      )
    },
    noteScrape(instance, answered) {
      const failed = answered ? 0 : (failedScrapes.get(instance) ?? 0) + 1
      failedScrapes.set(instance, failed)
      const next = failed >= FAILED_SCRAPES_UNTIL_UNREADY ? 'unready' : 'ready'
      const changes = (instance.phase === 'ready' && next === 'unready') || (instance.phase === 'unready' && answered)
      if (!changes) return
      instance.phase = next
      note(`${instance.id} (${instance.version}) ${next === 'ready' ? 'answers again' : 'does not answer'}`)
      void deps.endpointsChanged()
      reconcile()
    },
    async stop() {
      ended = true
      if (retry) clearTimeout(retry)
      await Promise.all(instances.map((instance) => instance.stop()))
    },
  }
}
