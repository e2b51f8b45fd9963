import type { MetricName, MetricsPort, Point } from '../../integrations/ports/metrics.ts'
import type { Alert } from '../domain/alert.ts'
import { askSource } from '../investigation/ask-source.ts'
import { type Source, sourcesFor } from '../investigation/scope.ts'
import type { Inventory, Topology } from '../topology/inventory.ts'
import { forecast } from './forecast.ts'
import { deviationAlert, forecastAlert, overAlert, type Subject } from './found-alert.ts'
import { createReach, type WatchLog } from './reach.ts'
import { forgetSeen } from './score-series.ts'
import { takePoint, WATCHED, type WatchedSeries, watchSeries } from './watch-series.ts'
import type { Watched } from './watch-turn.ts'

export interface WatchDeps {
  sources: readonly Source[]
  topology: Topology
  /** Environments whose own detection is trusted: they are not watched twice. */
  exceptIn: readonly string[]
  /** Durable when it resolves. */
  raise(alerts: readonly Alert[]): Promise<void>
  now: () => Date
  log: WatchLog
}

export interface Watch extends Watched {
  /** Reads what is new of every series and raises what is found. Rounds do not overlap; one that is under way is joined. */
  round(signal: AbortSignal): Promise<void>
  /** Series under watch. */
  size(): number
}

const MOST_SERIES = 10_000
const MOST_ALERTS = 500
const READS_AT_ONCE = 8
const READ_DEADLINE_MS = 5_000
/** What is learned from at the start, and how fine. */
const HISTORY_MS = 14 * 86_400_000
const HISTORY_STEP_SECONDS = 300
const STEP_SECONDS = 15
/** Rounds come a little sooner or later than they should. */
const EARLY_MS = 1_000
/** A service without the metric at all is asked so often whether it has it by now. */
const EMPTY_EVERY_MS = 10 * 60_000
/** Points may come so late. */
const LATE_MS = 10 * 60_000
/** A series that cannot be read is asked half as often after each failure, down to this. */
const BACK_OFF_MS = 10 * 60_000
/** What was not in the inventory for so long is let go of. */
export const LEFT_MS = 5 * 60_000
/** What happened longer ago is learned from and not told any more. */
const NEWS_MS = 10 * 60_000
const FORECAST_EVERY_MS = 10 * 60_000
const TREND_MS = 6 * 3_600_000
const TREND_STEP_SECONDS = 360
/** A trend that ends later than this can wait. */
const HORIZON_MS = 24 * 3_600_000
/** One that was told is over when it ends so many times later than that: it does not come and go at the border. */
const HOLD = 1.5
const FORGET_EVERY_MS = 86_400_000

/** Where slow trends end. */
const LIMITS: Readonly<Partial<Record<MetricName, number>>> = { memory_used_ratio: 1, log_volume_used_ratio: 1, certificate_days_left: 0 }
/** A certificate is told of this many days before, whatever the trend: it always runs out. */
const CERTIFICATE_DAYS = 14

interface Entry {
  subject: Subject
  series: WatchedSeries
  /** The first point that was heard. */
  learned: Date | null
  /** When it was last in the inventory. */
  listedAt: number
  /** Up to when the source was heard; null before its history was. */
  readTo: number | null
  /** It is not asked sooner. */
  nextAt: number
  /** Reads that failed since one did not. */
  failures: number
  forecastAt: number
  /** The forecast that was told and is not over. */
  told: Alert | null
  forgotAt: number
}

/**
 * Watches every service of the inventory over the metrics of its environment, and raises what is found as alerts like any other. What it knows is
 * read back from the source's own history when it starts, so whichever process does it needs no state of another.
 */
export function createWatch(deps: WatchDeps): Watch {
  const entries = new Map<string, Entry>()
  const reach = createReach('metrics', deps.log)
  let under: Promise<void> | null = null

  const subjectsOf = ({ workloads }: Inventory): Subject[] => {
    const watched = workloads.filter(({ environment }) => !deps.exceptIn.includes(environment))
    const metrics = [...new Set([...Object.keys(WATCHED), ...Object.keys(LIMITS)])] as MetricName[]
    return watched.flatMap(({ service, environment }) => metrics.map((metric) => ({ service, environment, metric }))).slice(0, MOST_SERIES)
  }
  const entryOf = (subject: Subject): Entry => {
    const now = deps.now().getTime()
    const entry = entries.get(keyOf(subject)) ?? newEntry(subject, now)
    entries.set(keyOf(subject), entry)
    return entry
  }
  const portOf = ({ environment }: Subject): MetricsPort | undefined =>
    sourcesFor(deps.sources, environment).flatMap(({ metrics }) => (metrics ? [metrics] : []))[0]
  /** Null when it could not be read. */
  const read = async (subject: Subject, from: number, stepSeconds: number, signal: AbortSignal): Promise<Point[] | null> => {
    const { service, environment, metric } = subject
    const port = portOf(subject)
    if (!port) return []
    const window = { from: new Date(from), to: deps.now() }
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(READ_DEADLINE_MS)])
    const answer = await askSource((given) => port.read({ service, metric, ...window, stepSeconds, signal: given }), deadline, deps.log)
    if (signal.aborted) return null
    reach.heard(environment, metric, answer)
    return answer.ok ? answer.value.points.toSorted((a, b) => a.at.getTime() - b.at.getTime()) : null
  }
  const look = async (subject: Subject, signal: AbortSignal): Promise<Alert[]> => {
    const isLeft = (): boolean => signal.aborted || reach.isAway(subject.environment)
    if (isLeft()) return []
    const entry = entryOf(subject)
    const found = Object.hasOwn(WATCHED, subject.metric) ? await takeNew(entry, signal) : []
    return isLeft() ? found : [...found, ...(await lookAhead(entry, signal))]
  }
  const takeNew = async (entry: Entry, signal: AbortSignal): Promise<Alert[]> => {
    const { series, subject } = entry
    const now = deps.now().getTime()
    if (now < entry.nextAt) return []
    const points = await (entry.readTo === null
      ? read(subject, now - HISTORY_MS, HISTORY_STEP_SECONDS, signal)
      : read(subject, Math.max(series.lastAt?.getTime() ?? 0, entry.readTo - LATE_MS), STEP_SECONDS, signal))
    const everyMs = Math.max(STEP_SECONDS, portOf(subject)?.resolutionSeconds ?? 0) * 1_000
    if (points === null) {
      // Where the whole environment is away the series is not to blame.
      if (signal.aborted || reach.isAway(subject.environment)) return []
      entry.failures += 1
      entry.nextAt = now + Math.max(everyMs, Math.min(everyMs * 2 ** entry.failures, BACK_OFF_MS)) - EARLY_MS
      return []
    }
    entry.failures = 0
    entry.readTo = now
    entry.nextAt = now + (series.lastAt === null && points.length === 0 ? EMPTY_EVERY_MS : everyMs) - EARLY_MS
    entry.learned ??= points[0]?.at ?? null
    if (now - entry.forgotAt > FORGET_EVERY_MS) {
      forgetSeen(series.state, now / 1_000)
      entry.forgotAt = now
    }
    return points.flatMap((point) => {
      const news = takePoint(series, subject.metric, point, entry.learned ?? point.at)
      if (!news || now - point.at.getTime() > NEWS_MS) return []
      // One that healed by itself is noted where the operator looks, and nobody is called.
      if (news.kind === 'blip') deps.log.info({ ...subject, since: news.deviation.since }, 'something unusual was over before it was told')
      return news.kind === 'blip' ? [] : [deviationAlert(subject, news.deviation, news.kind === 'over' ? news.at : null)]
    })
  }
  const lookAhead = async (entry: Entry, signal: AbortSignal): Promise<Alert[]> => {
    const { subject, told } = entry
    const limit = LIMITS[subject.metric]
    const now = deps.now()
    if (limit === undefined || now.getTime() - entry.forecastAt < FORECAST_EVERY_MS) return []
    entry.forecastAt = now.getTime()
    const points = await read(subject, now.getTime() - TREND_MS, TREND_STEP_SECONDS, signal)
    const latest = points?.at(-1)
    if (!points || !latest) return []
    const trend =
      subject.metric === 'certificate_days_left'
        ? { perDay: -1, reachesAt: new Date(latest.at.getTime() + latest.value * 86_400_000) }
        : forecast(points, limit)
    const horizon = (subject.metric === 'certificate_days_left' ? CERTIFICATE_DAYS * 86_400_000 : HORIZON_MS) * (told ? HOLD : 1)
    if (!trend || trend.reachesAt.getTime() - now.getTime() > horizon) {
      entry.told = null
      return told ? [overAlert(told, now)] : []
    }
    // The date moves a little with each look: it is told once for each time the trend begins.
    if (told) return []
    entry.told = forecastAlert(subject, trend, latest.value, limit, now)
    return [entry.told]
  }
  /** Lets go of what is no longer there, and ends what was told of it. While a platform cannot be read nobody knows what is there. */
  const dropLeft = (subjects: readonly Subject[], { missing }: Inventory): Alert[] => {
    const now = deps.now()
    for (const subject of subjects) {
      const entry = entries.get(keyOf(subject))
      if (entry) entry.listedAt = now.getTime()
    }
    if (missing.length > 0) return []
    const left = [...entries].filter(([, { listedAt }]) => now.getTime() - listedAt > LEFT_MS)
    for (const [key] of left) entries.delete(key)
    return left.flatMap(([, { subject, series, told }]) => [
      ...(series.deviation?.announced ? [deviationAlert(subject, series.deviation, now)] : []),
      ...(told ? [overAlert(told, now)] : []),
    ])
  }
  const run = async (signal: AbortSignal): Promise<void> => {
    reach.begin()
    const inventory = await deps.topology.inventory()
    const waiting = subjectsOf(inventory)
    const ended = dropLeft(waiting, inventory)
    const worker = async (): Promise<Alert[]> => {
      const found: Alert[] = []
      for (let next = waiting.shift(); next; next = waiting.shift()) found.push(...(await look(next, signal)))
      return found
    }
    const alerts = [...ended, ...(await Promise.all(Array.from({ length: READS_AT_ONCE }, worker))).flat()]
    for (let from = 0; from < alerts.length && !signal.aborted; from += MOST_ALERTS)
      await deps.raise(alerts.slice(from, from + MOST_ALERTS))
  }

  return {
    async round(signal) {
      under ??= run(signal).finally(() => {
        under = null
      })
      await under
    },
    isNeeded: () =>
      deps.sources.some(({ metrics, environments }) => metrics && environments.some((environment) => !deps.exceptIn.includes(environment))),
    size: () => entries.size,
  }
}

function keyOf({ environment, service, metric }: Subject): string {
  return `${environment}/${service}/${metric}`
}

function newEntry(subject: Subject, now: number): Entry {
  return {
    ...{ subject, series: watchSeries(), learned: null, listedAt: now, readTo: null, nextAt: 0, failures: 0 },
    ...{ forecastAt: 0, told: null, forgotAt: now },
  }
}
