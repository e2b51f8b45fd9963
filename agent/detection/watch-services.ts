import type { MetricName, MetricsPort, Point } from '../../integrations/ports/metrics.ts'
import type { Alert } from '../domain/alert.ts'
import { askSource, type WarningLog } from '../investigation/ask-source.ts'
import { type Source, sourcesFor } from '../investigation/scope.ts'
import type { Topology } from '../topology/inventory.ts'
import { forecast } from './forecast.ts'
import { deviationAlert, forecastAlert, type Subject } from './found-alert.ts'
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
  log: WarningLog & { info(object: object, message: string): void }
}

export interface Watch extends Watched {
  /** Reads what is new of every series and raises what is found. Rounds do not overlap; one that is under way is joined. */
  round(): Promise<void>
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
/** What happened longer ago is learned from and not told any more. */
const NEWS_MS = 10 * 60_000
const FORECAST_EVERY_MS = 10 * 60_000
const TREND_MS = 6 * 3_600_000
const TREND_STEP_SECONDS = 360
/** A trend that ends later than this can wait. */
const HORIZON_MS = 24 * 3_600_000
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
  forecastAt: number
  /** Key of the forecast that was told. */
  told: string | null
  forgotAt: number
}

/**
 * Watches every service of the inventory over the metrics of its environment, and raises what is found as alerts like any other. What it knows is
 * read back from the source's own history when it starts, so whichever process does it needs no state of another.
 */
export function createWatch(deps: WatchDeps): Watch {
  const entries = new Map<string, Entry>()
  /** Environments that did not answer in this round: they are not asked for each series again. */
  const away = new Set<string>()
  let under: Promise<void> | null = null

  const subjects = async (): Promise<Subject[]> => {
    const { workloads } = await deps.topology.inventory()
    const watched = workloads.filter(({ environment }) => !deps.exceptIn.includes(environment))
    const metrics = [...new Set([...Object.keys(WATCHED), ...Object.keys(LIMITS)])] as MetricName[]
    return watched.flatMap(({ service, environment }) => metrics.map((metric) => ({ service, environment, metric }))).slice(0, MOST_SERIES)
  }
  const entryOf = (subject: Subject): Entry => {
    const key = `${subject.environment}/${subject.service}/${subject.metric}`
    const entry = entries.get(key) ?? {
      subject,
      series: watchSeries(),
      learned: null,
      forecastAt: 0,
      told: null,
      forgotAt: deps.now().getTime(),
    }
    entries.set(key, entry)
    return entry
  }
  const read = async ({ service, environment, metric }: Subject, from: Date, stepSeconds: number): Promise<Point[]> => {
    const port = sourcesFor(deps.sources, environment).flatMap(({ metrics }) => (metrics ? [metrics as MetricsPort] : []))[0]
    if (!port) return []
    const to = deps.now()
    const signal = AbortSignal.timeout(READ_DEADLINE_MS)
    const answer = await askSource((given) => port.read({ service, metric, from, to, stepSeconds, signal: given }), signal, deps.log)
    if (!answer.ok) away.add(environment)
    return answer.ok ? answer.value.points.toSorted((a, b) => a.at.getTime() - b.at.getTime()) : []
  }
  const look = async (subject: Subject): Promise<Alert[]> => {
    if (away.has(subject.environment)) return []
    const entry = entryOf(subject)
    const found = Object.hasOwn(WATCHED, subject.metric) ? await takeNew(entry) : []
    return [...found, ...(await lookAhead(entry))]
  }
  const takeNew = async (entry: Entry): Promise<Alert[]> => {
    const { series, subject } = entry
    const now = deps.now().getTime()
    const isFirst = series.lastAt === null
    const points = await read(subject, series.lastAt ?? new Date(now - HISTORY_MS), isFirst ? HISTORY_STEP_SECONDS : STEP_SECONDS)
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
  const lookAhead = async (entry: Entry): Promise<Alert[]> => {
    const { subject } = entry
    const limit = LIMITS[subject.metric]
    const now = deps.now()
    if (limit === undefined || now.getTime() - entry.forecastAt < FORECAST_EVERY_MS) return []
    entry.forecastAt = now.getTime()
    const points = await read(subject, new Date(now.getTime() - TREND_MS), TREND_STEP_SECONDS)
    const latest = points.at(-1)
    if (!latest) return []
    const trend =
      subject.metric === 'certificate_days_left'
        ? { perDay: -1, reachesAt: new Date(latest.at.getTime() + latest.value * 86_400_000) }
        : forecast(points, limit)
    const horizon = subject.metric === 'certificate_days_left' ? CERTIFICATE_DAYS * 86_400_000 : HORIZON_MS
    if (!trend || trend.reachesAt.getTime() - now.getTime() > horizon) {
      entry.told = null
      return []
    }
    // The date moves a little with each look: it is told once for each time the trend begins.
    if (entry.told !== null) return []
    const alert = forecastAlert(subject, trend, latest.value, limit, now)
    entry.told = alert.key
    return [alert]
  }
  const run = async (): Promise<void> => {
    away.clear()
    const waiting = await subjects()
    const worker = async (): Promise<Alert[]> => {
      const found: Alert[] = []
      for (let next = waiting.shift(); next; next = waiting.shift()) found.push(...(await look(next)))
      return found
    }
    const alerts = (await Promise.all(Array.from({ length: READS_AT_ONCE }, worker))).flat()
    for (let from = 0; from < alerts.length; from += MOST_ALERTS) await deps.raise(alerts.slice(from, from + MOST_ALERTS))
  }

  return {
    async round() {
      under ??= run().finally(() => {
        under = null
      })
      await under
    },
    isNeeded: () =>
      deps.sources.some(({ metrics, environments }) => metrics && environments.some((environment) => !deps.exceptIn.includes(environment))),
    size: () => entries.size,
  }
}
