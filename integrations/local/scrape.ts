import type { IntegrationDeps, Scrape } from '../contract.ts'
import { SHOP } from './catalogue.ts'
import { certificateDaysLeft } from './certificate-probe.ts'
import type { DesiredState } from './desired-state.ts'
import type { Instance } from './instance.ts'
import { getText } from './loopback-http.ts'
import { parseSamples, SUPERVISOR_INSTANCE, samplesOfParties } from './samples.ts'
import type { Supervisor } from './supervisor.ts'
import { versionOf, workloadOf } from './target-state.ts'

const INTERVAL_MS = 1_000
const TIMEOUT_MS = 700
/** A timer may fire a moment before its second: the next round is then that of the second after. */
const SHORTEST_PAUSE_MS = 250
/** Rows that wait while the store does not take them; beyond these the oldest are given up. */
const MAX_WAITING_ROWS = 2_000
const BATCH_ROWS = 500

/** Scrapes every instance once a second, at the full second as near as the timer allows. */
export interface Scraper {
  start(): void
  stop(): Promise<void>
}

export interface ScraperDeps {
  supervisor: Supervisor
  state: DesiredState
  scrapes: IntegrationDeps['scrapes']
  now: () => Date
  log: IntegrationDeps['log']
  /** The rows of one round, as soon as they are there. */
  onRound(at: Date, rows: readonly Scrape[]): void
}

export function createScraper(deps: ScraperDeps): Scraper {
  const store = createRowStore(deps)
  let timer: NodeJS.Timeout | null = null
  let ended = false
  let round: Promise<void> = Promise.resolve()
  const schedule = (): void => {
    if (ended) return
    const untilNext = INTERVAL_MS - (deps.now().getTime() % INTERVAL_MS)
    timer = setTimeout(run, untilNext < SHORTEST_PAUSE_MS ? untilNext + INTERVAL_MS : untilNext)
  }
  const run = (): void => {
    round = scrapeAll(deps)
      .then(({ at, rows }) => {
        store(rows)
        deps.onRound(at, rows)
      })
      .finally(schedule)
  }
  return {
    start: schedule,
    async stop() {
      ended = true
      if (timer) clearTimeout(timer)
      await round
    },
  }
}

async function scrapeAll(deps: ScraperDeps): Promise<{ at: Date; rows: Scrape[] }> {
  const at = deps.now()
  const listening = deps.supervisor.instances().filter(({ phase }) => phase === 'ready' || phase === 'unready')
  const scraped = await Promise.all(listening.map((instance) => scrapeOne(instance, at, deps)))
  const known = SHOP.map(({ name }) => supervisorRow(name, at, deps))
  return { at, rows: [...scraped.flat(), ...known] }
}

async function scrapeOne(instance: Instance, at: Date, { supervisor }: ScraperDeps): Promise<Scrape[]> {
  const text = await getText(instance.port, '/metrics', TIMEOUT_MS).catch(() => null)
  supervisor.noteScrape(instance, text !== null)
  if (text === null) return []
  const samples = { ...parseSamples(text), ...(await probeDoor(instance, at)) }
  const row = { at, service: instance.service, instance: instance.id, version: instance.version, samples }
  return [row, ...[...samplesOfParties(row.samples)].map(([party, seen]) => ({ ...row, service: party, samples: seen }))]
}

/** Nothing where there is no door, or none that opened: a certificate that cannot be seen is no certificate with a date. */
async function probeDoor({ securePort }: Instance, at: Date): Promise<Scrape['samples']> {
  if (securePort === 0) return {}
  const days = await certificateDaysLeft(securePort, at).catch(() => null)
  return days === null ? {} : { certificate_days_left: days }
}

function supervisorRow(service: string, at: Date, { supervisor, state }: ScraperDeps): Scrape {
  const workload = workloadOf(state.current(), service)
  const observed = supervisor.observe(service)
  return {
    at,
    service,
    instance: SUPERVISOR_INSTANCE,
    version: versionOf(workload),
    samples: {
      workload_replicas_desired: workload.replicas,
      workload_replicas_ready: observed?.ready ?? 0,
      workload_restarts_total: observed?.restarts ?? 0,
      workload_recent_restarts: observed?.recentRestarts ?? 0,
    },
  }
}

/** Hands rows to the store one batch at a time; a store that fails keeps them waiting, within bounds. */
function createRowStore({ scrapes, log }: ScraperDeps): (rows: readonly Scrape[]) => void {
  let waiting: readonly Scrape[] = []
  let writing = false
  const write = async (): Promise<void> => {
    writing = true
    try {
      while (waiting.length > 0) {
        const batch = new Set(waiting.slice(0, BATCH_ROWS))
        await scrapes.append([...batch])
        waiting = waiting.filter((row) => !batch.has(row))
      }
    } catch (error) {
      log.warn({ error, rows: waiting.length }, 'scrapes could not be stored; they wait')
    } finally {
      writing = false
    }
  }
  return (rows) => {
    waiting = [...waiting, ...rows].slice(-MAX_WAITING_ROWS)
    if (!writing) void write()
  }
}
