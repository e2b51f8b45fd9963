import type { IntegrationDeps, Scrape } from '../contract.ts'
import type { MetricName, MetricQuery, MetricSeries, MetricsPort, Point } from '../ports/metrics.ts'
import { ENVIRONMENT, isObserved } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import { type Increase, increasesOf, quantileOf } from './samples.ts'
import { clipBefore, hiddenBefore } from './target-state.ts'

/** Longer series are thinned to the lowest and highest point of each stretch. */
const MAX_POINTS = 1_000
/** A rate needs the scrape before the window as well. */
const LOOK_BACK_MS = 3_000
/** Scrapes come about a second apart: one that is a little late still belongs to its second. */
const JITTER_MS = 500
const P99 = 0.99
const P50 = 0.5

/** Value of a metric from the scrapes (or the increases between scrapes) that fall into one step; null without data. */
export type MetricValue = (rows: readonly Scrape[], increases: readonly Increase[]) => number | null

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)
const highest = (numbers: readonly number[]): number | null => (numbers.length > 0 ? Math.max(...numbers) : null)
const lowest = (numbers: readonly number[]): number | null => (numbers.length > 0 ? Math.min(...numbers) : null)
const gauge = (rows: readonly Scrape[], series: string): number[] => rows.flatMap((row) => row.samples[series] ?? [])
const latest = (rows: readonly Scrape[], series: string): number | null => gauge(rows, series).at(-1) ?? null

/** How each metric of the product is told from the shop's own series. */
export const METRIC_VALUES: Record<MetricName, MetricValue> = {
  request_rate: (_rows, increases) =>
    increases.length > 0 ? sum([...Map.groupBy(increases, (one) => one.instance).values()].map(rateOf)) : null,
  error_ratio: (_rows, increases) => {
    const requests = sum(increases.map((one) => one.requests))
    return requests > 0 ? sum(increases.map((one) => one.errors)) / requests : null
  },
  latency_p99: (_rows, increases) => quantileOf(P99, increases),
  latency_p50: (_rows, increases) => quantileOf(P50, increases),
  memory_used_ratio: (rows) => highest(rows.flatMap(heapRatio)),
  memory_used_bytes: (rows) => highest(gauge(rows, 'process_heap_used_bytes')),
  cpu_used_ratio: (_rows, increases) => highest(increases.flatMap((one) => (one.cpuSeconds === null ? [] : one.cpuSeconds / one.seconds))),
  replicas_ready: (rows) => latest(rows, 'workload_replicas_ready'),
  restarts: (rows) => latest(rows, 'workload_restarts_total'),
  recent_restarts: (rows) => latest(rows, 'workload_recent_restarts'),
  log_volume_used_ratio: (rows) => highest(gauge(rows, 'log_volume_used_ratio')),
  certificate_days_left: (rows) => lowest(gauge(rows, 'certificate_days_left')),
  job_age_seconds: (rows) => highest(gauge(rows, 'job_age_seconds')),
  queue_depth: (rows) => highest(gauge(rows, 'queue_depth')),
}

/** Of one instance, over the time that its increases cover. */
function rateOf(increases: readonly Increase[]): number {
  return sum(increases.map((one) => one.requests)) / sum(increases.map((one) => one.seconds))
}

function heapRatio({ samples }: Scrape): number[] {
  const [used, limit] = [samples['process_heap_used_bytes'], samples['process_heap_limit_bytes']]
  return used !== undefined && limit ? [used / limit] : []
}

/** The shop's metrics out of its stored scrapes. */
export function createLocalMetrics(deps: { scrapes: IntegrationDeps['scrapes']; state: DesiredState }): MetricsPort {
  return {
    async read(query) {
      const series = { query: describeQuery(query), link: null, labels: { service: query.service, environment: ENVIRONMENT } }
      if (!isObserved(query.service)) return { ...series, points: [] }
      const clip = clipBefore(deps.state.current())
      const from = clip && clip > query.from ? clip : query.from
      const before = new Date(Math.max(from.getTime() - LOOK_BACK_MS - query.stepSeconds * 1000, clip?.getTime() ?? 0))
      const rows = await deps.scrapes.read({ service: query.service, from: before, to: query.to })
      query.signal?.throwIfAborted()
      return { ...series, points: thin(pointsOf(rows, { ...query, from })), ...hiddenBefore(clip, query.from) } satisfies MetricSeries
    },
  }
}

function describeQuery({ service, metric, version, stepSeconds }: MetricQuery): string {
  return `${metric}(${service}${version ? `, version="${version}"` : ''}) step ${stepSeconds}s`
}

/** One point a step, at the step's end. Steps are multiples of the step since 1970, so that the same moment has the same point in every answer. */
function pointsOf(rows: readonly Scrape[], query: Pick<MetricQuery, 'metric' | 'version' | 'from' | 'to' | 'stepSeconds'>): Point[] {
  const stepMs = Math.max(1, query.stepSeconds) * 1000
  const stepOf = (at: Date): number => Math.ceil((at.getTime() - JITTER_MS) / stepMs) * stepMs
  const wanted = rows.filter((row) => query.version === undefined || row.version === query.version)
  const rowsByStep = Map.groupBy(wanted, (row) => stepOf(row.at))
  const increasesByStep = Map.groupBy(increasesOf(wanted), (increase) => stepOf(increase.at))
  const points: Point[] = []
  for (const [step, inStep] of [...rowsByStep].sort(([a], [b]) => a - b)) {
    const at = new Date(step)
    if (at < query.from || at > query.to) continue
    const value = METRIC_VALUES[query.metric](inStep, increasesByStep.get(step) ?? [])
    if (value !== null) points.push({ at, value })
  }
  return points
}

function thin(points: Point[]): Point[] {
  if (points.length <= MAX_POINTS) return points
  const stretch = Math.ceil((2 * points.length) / MAX_POINTS)
  const kept: Point[] = []
  for (let i = 0; i < points.length; i += stretch) {
    const part = points.slice(i, i + stretch).sort((a, b) => a.value - b.value)
    const [low, high] = [part[0], part.at(-1)]
    if (low && high) kept.push(...(low === high ? [low] : [low, high].sort((a, b) => a.at.getTime() - b.at.getTime())))
  }
  return kept
}
