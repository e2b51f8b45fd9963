import type { MetricName, Point } from '../../integrations/ports/metrics.ts'
import { ANNOUNCED, type Aspect, NEW_SHARE, newSeries, type SeriesState, scorePoint } from './score-series.ts'
import { hourOfWeek, usualAt } from './season.ts'

/** Metrics that are watched, and which way is bad. */
export const WATCHED: Readonly<Partial<Record<MetricName, 'up' | 'down' | 'both'>>> = {
  request_rate: 'both',
  error_ratio: 'up',
  latency_p99: 'up',
  memory_used_ratio: 'up',
  cpu_used_ratio: 'up',
  replicas_ready: 'down',
  queue_depth: 'up',
}

/** Something new about a series that has not ended. */
export interface Deviation {
  since: Date
  aspect: Aspect
  /** The value that was nearest before, and the one that was new. */
  near: number
  value: number
  low: number
  high: number
  /** Points since it began, and of the last ones those that were usual again. */
  points: number
  usual: number
  announced: boolean
}

/** One series under watch. */
export interface WatchedSeries {
  state: SeriesState
  /** The newest point taken. */
  lastAt: Date | null
  deviation: Deviation | null
}

export type SeriesNews =
  /** It lasts, or is so far off that one point is enough. */
  | { kind: 'announced'; deviation: Deviation }
  /** It ended before it was announced. */
  | { kind: 'blip'; deviation: Deviation }
  | { kind: 'over'; deviation: Deviation; at: Date }

/** It is told when it lasted for so many points … */
const LASTING_POINTS = 3
/** … or at once, when it is away by so many of the ranges seen before. */
const FAR_SHARE = 1
/** It is over when so many points in a row were usual. */
const USUAL_POINTS = 3
/** A series is known after so long. */
const LEARNING_MS = 24 * 3_600_000
/** What was seen in a part of it says less of how far a series goes: so much farther off it has to be. */
const WEEK_MS = 7 * 24 * 3_600_000

export const watchSeries = (): WatchedSeries => ({ state: newSeries(), lastAt: null, deviation: null })

/**
 * Takes the next point; what was taken before, or is older, changes nothing. `learned` says when the series was first heard of: nothing is told
 * before it was known for a day.
 */
export function takePoint(series: WatchedSeries, metric: MetricName, { at, value }: Point, learned: Date): SeriesNews | null {
  if (!Number.isFinite(value) || (series.lastAt !== null && at <= series.lastAt)) return null
  series.lastAt = at
  const seconds = at.getTime() / 1_000
  const { score, newest } = scorePoint(series.state, value, seconds)
  if (series.deviation) return follow(series, series.deviation, value, at)
  const knownMs = at.getTime() - learned.getTime()
  if (score < ANNOUNCED || !newest || knownMs < LEARNING_MS) return null
  const { nearest, aspect } = newest
  if (nearest.distance < NEW_SHARE * Math.max(1, WEEK_MS / knownMs)) return null
  if (!isBad(metric, newest.value - nearest.value)) return null
  const deviation: Deviation = {
    ...{ since: at, aspect, near: nearest.value, value: newest.value, low: nearest.low, high: nearest.high },
    ...{ points: 1, usual: 0, announced: nearest.distance >= FAR_SHARE },
  }
  series.deviation = deviation
  return deviation.announced ? { kind: 'announced', deviation } : null
}

function isBad(metric: MetricName, change: number): boolean {
  const bad = WATCHED[metric] ?? 'both'
  return bad === 'both' || (bad === 'up') === change > 0
}

/** It lasts while what is looked at stays on the far side of the middle between what was new and what was nearest to it. */
function follow(series: WatchedSeries, deviation: Deviation, value: number, at: Date): SeriesNews | null {
  const { near, aspect } = deviation
  const quantity = quantityOf(series.state, aspect, value, at)
  const middle = (near + deviation.value) / 2
  const isUsual = quantity === null || (near < deviation.value ? quantity < middle : quantity > middle)
  deviation.points += 1
  deviation.usual = isUsual ? deviation.usual + 1 : 0
  if (deviation.usual >= USUAL_POINTS) {
    series.deviation = null
    return deviation.announced ? { kind: 'over', deviation, at } : { kind: 'blip', deviation }
  }
  if (deviation.announced || isUsual || deviation.points < LASTING_POINTS) return null
  deviation.announced = true
  return { kind: 'announced', deviation }
}

function quantityOf(state: SeriesState, aspect: Aspect, value: number, at: Date): number | null {
  if (aspect === 'value') return value
  if (aspect === 'level') return state.level
  const usual = usualAt(state.season, hourOfWeek(at.getTime() / 1_000))
  return usual === null ? null : value - usual
}
