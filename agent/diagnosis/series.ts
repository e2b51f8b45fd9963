import type { MetricName, Point } from '../../integrations/ports/metrics.ts'
import type { Finding } from './evidence-content.ts'

/** A share of memory, processors or a disk in use, above which it counts as nearly all. */
export const NEARLY_FULL = 0.85
/** With fewer days left a certificate counts as about to expire. */
export const CERTIFICATE_DAYS = 14

/** Seconds after which a batch that usually takes `before` counts as making no progress. */
export function slowBatchSeconds(before: number | null): number {
  return Math.max(5, 3 * (before ?? 0))
}

/** Unusual samples of one stretch may be this far apart, or this many times their usual distance; a longer calm ends it. */
const STRETCH_GAP_MS = 15_000
const STRETCH_GAP_SAMPLES = 2.5
/** One sample beyond the usual is chance. */
const MIN_STRETCH_SAMPLES = 2
const RECENT_SAMPLES = 3
const MIN_BASELINE_SAMPLES = 3
/** Older samples say nothing about now. */
const FRESH_MS = 60_000
/** A rise shows itself in this many samples at least; less is a step. */
const MIN_RISE_SAMPLES = 4

/** After a start, caches are cold and code is not compiled yet: for so long these measures are not what they usually are. */
const WARM_UP_MS = 15_000
const WARMING: readonly MetricName[] = ['latency_p99', 'latency_p50', 'cpu_used_ratio']

type Unusual = (value: number, before: number | null) => boolean

/** What is unusual for a metric, relative to what it was before. Rates have a floor so that three requests more are no surge. */
const UNUSUAL: Readonly<Record<MetricName, Unusual>> = {
  error_ratio: (value, before) => value > Math.max(0.02, 3 * (before ?? 0)),
  latency_p99: (value, before) => value > Math.max(0.1, 2.5 * (before ?? 0.2)),
  latency_p50: (value, before) => value > Math.max(0.05, 2.5 * (before ?? 0.1)),
  request_rate: (value, before) => before !== null && before > 0 && (value > 1.8 * before + 2 || value < 0.3 * before),
  memory_used_ratio: (value) => value > NEARLY_FULL,
  memory_used_bytes: () => false,
  cpu_used_ratio: (value) => value > NEARLY_FULL,
  replicas_ready: (value, before) => before !== null && value < before,
  restarts: (value, before) => before !== null && value > before,
  recent_restarts: (value) => value > 1,
  log_volume_used_ratio: (value) => value > NEARLY_FULL,
  certificate_days_left: (value) => value < CERTIFICATE_DAYS,
  job_age_seconds: (value, before) => value > slowBatchSeconds(before),
  queue_depth: (value, before) => value > Math.max(20, 5 * (before ?? 0)),
}

/** A limit that somebody stated for this metric, which then counts instead of the rule. */
export interface StatedLimit {
  comparator: '>' | '<'
  threshold: number
}

export function breaches(value: number, { comparator, threshold }: StatedLimit): boolean {
  return comparator === '>' ? value > threshold : value < threshold
}

/**
 * Describes one series around the moment the alert began: the usual value before, the value now, and the latest unusual stretch. `from` is the
 * beginning of the window that was asked for: a series that begins clearly later is of a target that started then, and what is slow only while it
 * warms up is neither its usual nor a trouble. Pure; points may come in any order.
 */
export function describeSeries(
  metric: MetricName,
  points: readonly Point[],
  moment: { startedAt: Date; now: Date; limit: StatedLimit | null; from?: Date },
): Finding {
  const sorted = points.toSorted((a, b) => a.at.getTime() - b.at.getTime())
  const warm = WARMING.includes(metric) ? warmAt(sorted, moment.from) : null
  const settled = warm === null ? sorted : sorted.filter(({ at }) => at >= warm)
  // Where nothing else is known, how it was at the start is better than nothing.
  const before = baselineOf(settled, moment.startedAt) ?? baselineOf(sorted, moment.startedAt)
  const isUnusual = ({ value }: Point): boolean => (moment.limit ? breaches(value, moment.limit) : UNUSUAL[metric](value, before))
  const found = latestStretch(sorted, isUnusual)
  const stretch = warm !== null && found?.ended && found.ended <= warm ? null : found
  const last = sorted.at(-1)
  const isFresh = last !== undefined && moment.now.getTime() - last.at.getTime() <= FRESH_MS
  const values = (stretch === found ? sorted : settled).map(({ value }) => value)
  return {
    metric,
    samples: sorted.length,
    before: rounded(before),
    now: isFresh ? rounded(presentValue(sorted, stretch)) : null,
    peak: rounded(values.length > 0 ? Math.max(...values) : null),
    low: rounded(values.length > 0 ? Math.min(...values) : null),
    began: stretch?.began.toISOString() ?? null,
    ended: stretch?.ended?.toISOString() ?? null,
    risingSince: riseOf(sorted)?.toISOString() ?? null,
  }
}

/** When a target that started within the window is warm; null for one that ran before it. */
function warmAt(sorted: readonly Point[], from: Date | undefined): Date | null {
  const [first] = sorted
  if (!first || !from) return null
  const isFresh = first.at.getTime() - from.getTime() > Math.max(STRETCH_GAP_MS, STRETCH_GAP_SAMPLES * spacingOf(sorted))
  return isFresh ? new Date(first.at.getTime() + WARM_UP_MS) : null
}

/** The usual value: the median of what lies before the alert, without the last part of it, where the trouble may have begun already. */
function baselineOf(sorted: readonly Point[], startedAt: Date): number | null {
  const before = sorted.filter(({ at }) => at.getTime() < startedAt.getTime())
  const calm = before.slice(0, Math.max(MIN_BASELINE_SAMPLES, Math.floor(before.length * 0.6)))
  return calm.length < MIN_BASELINE_SAMPLES ? null : median(calm.map(({ value }) => value))
}

/** The median of the last samples; of a stretch that goes on, only its own, so that its first seconds are not watered down by the calm before. */
function presentValue(sorted: readonly Point[], stretch: { began: Date; ended: Date | null } | null): number | null {
  const present = stretch?.ended === null ? sorted.filter(({ at }) => at >= stretch.began) : sorted
  return median(present.slice(-RECENT_SAMPLES).map(({ value }) => value))
}

function latestStretch(sorted: readonly Point[], isUnusual: (point: Point) => boolean): { began: Date; ended: Date | null } | null {
  const lastIndex = sorted.findLastIndex(isUnusual)
  const last = sorted[lastIndex]
  if (!last) return null
  const gap = Math.max(STRETCH_GAP_MS, STRETCH_GAP_SAMPLES * spacingOf(sorted))
  let began = last.at
  let samples = 1
  for (const point of sorted.slice(0, lastIndex).reverse()) {
    if (began.getTime() - point.at.getTime() > gap) break
    if (!isUnusual(point)) continue
    began = point.at
    samples += 1
  }
  if (samples < MIN_STRETCH_SAMPLES) return null
  return { began, ended: sorted[lastIndex + 1]?.at ?? null }
}

/** Milliseconds between samples, on average. */
function spacingOf(sorted: readonly Point[]): number {
  const [first, last] = [sorted[0], sorted.at(-1)]
  return first && last && sorted.length > 1 ? (last.at.getTime() - first.at.getTime()) / (sorted.length - 1) : 0
}

/**
 * When the present rise began, or null when nothing rises: the last low point, if from there on each quarter of the way is higher than the
 * one before, over more samples than a step needs, to where it was not before. The teeth of garbage collection do not break a rise; a saw of
 * them, up and down between the same heights, is none.
 */
function riseOf(sorted: readonly Point[]): Date | null {
  const values = sorted.map(({ value }) => value)
  const end = median(values.slice(-RECENT_SAMPLES))
  if (end === null) return null
  const low = Math.min(...values)
  const nearLow = low + (end - low) * 0.1
  const from = values.findLastIndex((value) => value <= nearLow)
  const climb = values.slice(from)
  const earlierPeak = Math.max(...values.slice(0, from))
  if (climb.length < MIN_RISE_SAMPLES || end <= low * 1.3 || end <= earlierPeak) return null
  const between = climb.filter((value) => value > nearLow && value < low + (end - low) * 0.9)
  const quarters = [0, 1, 2, 3].map((i) => median(climb.slice((i * climb.length) / 4, ((i + 1) * climb.length) / 4)) ?? Number.NaN)
  const climbs = quarters.every((value, i) => i === 0 || value >= (quarters[i - 1] ?? 0) * 0.97)
  return between.length >= 2 && climbs ? (sorted[from]?.at ?? null) : null
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
}

/** Six significant digits: more is noise and costs room. */
export function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6))
}
