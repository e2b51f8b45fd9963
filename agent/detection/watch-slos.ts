import type { MetricName, MetricsPort, Point } from '../../integrations/ports/metrics.ts'
import type { Alert } from '../domain/alert.ts'
import type { Slo } from '../domain/slo.ts'
import { askSource } from '../investigation/ask-source.ts'
import { sourcesFor } from '../investigation/scope.ts'
import { type Burn, type BurnRule, burnsAt, goneAt, isBurning, LONGEST_WINDOW_MS, type SloMinute } from './burn-rate.ts'
import { overAlert, SOURCE } from './found-alert.ts'
import { createReach } from './reach.ts'
import type { WatchDeps } from './watch-services.ts'
import type { Watched } from './watch-turn.ts'

const MINUTE_MS = 60_000
const EVERY_MS = 60_000
/** Sources answer with a thousand points at most. */
const CHUNK_MS = 900 * MINUTE_MS
/** Samples may come so late. */
const LATE_MS = 3 * MINUTE_MS
const READ_DEADLINE_MS = 5_000
const READS_AT_ONCE = 4

interface Entry {
  slo: Slo
  minutes: Map<number, SloMinute>
  readTo: number
  told: Map<BurnRule['speed'], { alert: Alert; limit: number }>
}

/**
 * Watches how fast each promise of a service is being broken, and raises it while there is still time. Once a minute, however often it is called. What it knows is
 * read back from the source's own history when it starts. What another process told is ended by a person: its incident has no reading of its own.
 */
export function createSloWatch(deps: Omit<WatchDeps, 'topology' | 'exceptIn'> & { slos: readonly Slo[] }): Watched {
  const reach = createReach('metrics', deps.log)
  const begin = deps.now().getTime() - LONGEST_WINDOW_MS
  const entries = deps.slos.map((slo): Entry => ({ slo, minutes: new Map(), readTo: begin, told: new Map() }))
  let lookedAt = Number.NEGATIVE_INFINITY
  let under: Promise<void> | null = null

  const portOf = (environment: string): MetricsPort | undefined =>
    sourcesFor(deps.sources, environment).flatMap(({ metrics }) => (metrics ? [metrics] : []))[0]
  /** One point for each minute; null when they could not be read. */
  const read = async ({ service, environment }: Slo, metric: MetricName, window: Window, signal: AbortSignal): Promise<Point[] | null> => {
    const port = portOf(environment)
    if (!port || signal.aborted) return null
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(READ_DEADLINE_MS)])
    const asked = { service, environment, metric, from: new Date(window.from), to: new Date(window.to), stepSeconds: 60 }
    const answer = await askSource((given) => port.read({ ...asked, signal: given }), deadline, deps.log)
    if (signal.aborted) return null
    reach.heard(environment, metric, answer)
    return answer.ok ? answer.value.points : null
  }
  /** Reads what is new, a piece at a time; stops at the first piece that could not be read and goes on from there a minute later. */
  const takeNew = async (entry: Entry, signal: AbortSignal): Promise<void> => {
    const { slo } = entry
    const now = deps.now().getTime()
    for (let from = Math.max(entry.readTo - LATE_MS, now - LONGEST_WINDOW_MS); from < now; from += CHUNK_MS) {
      const window = { from, to: Math.min(now, from + CHUNK_MS) }
      const [values, requests] = await Promise.all([read(slo, slo.of.metric, window, signal), weights(slo, window, signal)])
      if (values === null || requests === null) return
      for (const minute of minutesOf(slo, values, requests)) entry.minutes.set(minute.at, minute)
      entry.readTo = window.to
    }
    for (const at of entry.minutes.keys()) if (at <= now - LONGEST_WINDOW_MS) entry.minutes.delete(at)
  }
  const weights = async (slo: Slo, window: Window, signal: AbortSignal): Promise<Point[] | null> =>
    slo.of.metric === 'error_ratio' ? await read(slo, 'request_rate', window, signal) : []
  const look = async (entry: Entry, signal: AbortSignal): Promise<Alert[]> => {
    if (reach.isAway(entry.slo.environment)) return []
    await takeNew(entry, signal)
    return signal.aborted ? [] : newsOf(entry, deps.now())
  }
  const run = async (signal: AbortSignal): Promise<void> => {
    reach.begin()
    const waiting = [...entries]
    const worker = async (): Promise<Alert[]> => {
      const found: Alert[] = []
      for (let next = waiting.shift(); next; next = waiting.shift()) found.push(...(await look(next, signal)))
      return found
    }
    const alerts = (await Promise.all(Array.from({ length: READS_AT_ONCE }, worker))).flat()
    if (alerts.length > 0 && !signal.aborted) await deps.raise(alerts)
  }

  return {
    isNeeded: () => entries.some(({ slo }) => portOf(slo.environment) !== undefined),
    async round(signal) {
      const now = deps.now().getTime()
      if (!under && now - lookedAt < EVERY_MS) return
      under ??= run(signal).finally(() => {
        under = null
      })
      lookedAt = now
      await under
    },
  }
}

interface Window {
  from: number
  to: number
}

/** Minutes without a value are not there: nothing is known of them. Where nobody counts requests, every minute counts the same. */
function minutesOf({ of }: Slo, values: readonly Point[], requests: readonly Point[]): SloMinute[] {
  const rates = new Map(requests.map(({ at, value }) => [minuteOf(at), value]))
  const usual = requests.length === 0 ? 1 : requests.reduce((sum, { value }) => sum + value, 0) / requests.length
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ at, value }) => {
      const bad = of.metric === 'error_ratio' ? Math.min(1, Math.max(0, value)) : value > of.atMostSeconds ? 1 : 0
      return { at: minuteOf(at), bad, weight: Math.max(0, rates.get(minuteOf(at)) ?? usual) }
    })
}

function minuteOf(at: Date): number {
  return Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS
}

/** A pace is told once, by the gravest rule of its speed, and is over when the short window is below what it was told for. */
function newsOf({ slo, minutes, told }: Entry, now: Date): Alert[] {
  const burns = burnsAt(slo, [...minutes.values()], now.getTime())
  return (['fast', 'slow'] as const).flatMap((speed) => {
    const own = burns.filter(({ rule }) => rule.speed === speed)
    const burning = own.find(isBurning)
    const before = told.get(speed)
    if (burning && !before) {
      const alert = burnAlert(slo, burning, now)
      told.set(speed, { alert, limit: burning.limit })
      return [alert]
    }
    // A source that is silent proves nothing: what was told is over only when it is seen to be.
    if (!before || burning || !own.some(({ short }) => short < before.limit)) return []
    told.delete(speed)
    return [overAlert(before.alert, now)]
  })
}

function burnAlert(slo: Slo, { rule, long }: Burn, now: Date): Alert {
  const { service, environment, of, objective, days } = slo
  const name = rule.speed === 'fast' ? 'Error budget burns fast' : 'Error budget burns'
  const promise = of.metric === 'error_ratio' ? 'of its requests succeed' : `of its minutes have p99 ≤ ${of.atMostSeconds} s`
  const gone = `${goneAt(slo, long, now.getTime()).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const hours = rule.longMs / 3_600_000
  return {
    ...{ source: SOURCE, key: `${SOURCE}/${environment}/${service}/slo/${of.metric}/${rule.speed}`, name, service, environment },
    ...{ labels: { alertname: name, service, environment }, annotations: {}, link: null },
    status: 'firing',
    level: rule.speed === 'fast' ? 'high' : 'warning',
    summary: `${service} promises that ${percent(objective)} ${promise} over ${days} days. In the last ${hours === 1 ? 'hour' : `${hours} hours`} it broke that ${long.toPrecision(3)} times faster than it may: a full budget would be gone on ${gone}`,
    startsAt: now.toISOString(),
    endsAt: null,
    // Over a window of hours a moment without errors proves nothing: it is over when the pace is.
    trigger: null,
  }
}

/** 0.9995 is '99.95 %': as many digits as it has. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(12))} %`
}
