import type { Point } from '../../integrations/ports/metrics.ts'

/** Where a slow trend leads. */
export interface Forecast {
  /** Change a day, in the metric's own unit. */
  perDay: number
  /** When the limit is reached if it goes on like this. */
  reachesAt: Date
}

const DAY_MS = 86_400_000
const FEWEST_POINTS = 12
/** More points than this are thinned evenly: the slopes grow with the square. */
const MOST_POINTS = 60
/** Of all pairs of points, this share has to rise (or fall) the same way: what goes up and down has no trend. */
const SAME_WAY = 0.8

/**
 * The median of the slopes between all pairs of points (Theil 1950, Sen 1968), which a few outliers and one restart do not move, drawn on to the
 * limit. Null without a steady trend towards it.
 *
 * @param points oldest first
 * @param limit the value at which it is full, or over
 */
export function forecast(points: readonly Point[], limit: number): Forecast | null {
  const step = Math.ceil(points.length / MOST_POINTS)
  const kept = points.filter((_, index) => (points.length - 1 - index) % step === 0)
  const last = kept.at(-1)
  if (kept.length < FEWEST_POINTS || !last || last.value === limit) return null
  const slopes = kept.flatMap((from, index) =>
    kept.slice(index + 1).map((to) => (to.value - from.value) / (to.at.getTime() - from.at.getTime())),
  )
  const slope = medianOf(slopes)
  const towards = Math.sign(limit - last.value)
  const agreeing = slopes.filter((each) => Math.sign(each) === towards).length
  if (Math.sign(slope) !== towards || agreeing < SAME_WAY * slopes.length) return null
  return { perDay: slope * DAY_MS, reachesAt: new Date(last.at.getTime() + (limit - last.value) / slope) }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
