import { noSeason, offSeason, type Season } from './season.ts'
import { forgetOld, meet, type Nearest, noValues, type SeenValues } from './seen-values.ts'

/** What is remembered of one series; plain data, a few kilobytes. Changed in place by `scorePoint`. */
export interface SeriesState {
  /** Points taken. */
  count: number
  /** The running level: what the value is when its jitter is taken off. */
  level: number
  season: Season
  /** What was seen of each thing that is looked at. */
  seen: Record<Aspect, SeenValues>
  /** While it rests after something new: until which point, and what has to be surpassed. */
  rest: { until: number; share: number }
}

/** The value itself; its running level, which tells a lasting shift; how far it is from what is usual at this hour of the week. */
export const ASPECTS = ['value', 'level', 'season'] as const
export type Aspect = (typeof ASPECTS)[number]

export interface PointScore {
  /** 0–1; from `ANNOUNCED` on it is worth telling. 0 while it rests after something as new. */
  score: number
  /** What is newest about the point, and what was seen before; null when nothing is. */
  newest: { aspect: Aspect; value: number; nearest: Nearest } | null
}

/** Where a new value is away from all seen before by `NEW_SHARE` of their range. */
export const ANNOUNCED = 0.5
export const NEW_SHARE = 0.05
/** The level follows with this weight: about the last twenty points. */
const LEVEL_WEIGHT = 0.1
/** Before so many points nothing is known. */
const WARM_UP = 50
/** After something new, so many points have to be newer still to be told. */
const REST_POINTS = 200
/** Distances beyond the whole range say no more than that. */
const MOST_SHARE = 1_000

export function newSeries(): SeriesState {
  return {
    count: 0,
    level: 0,
    season: noSeason(),
    seen: { value: noValues(), level: noValues(), season: noValues() },
    rest: { until: 0, share: 0 },
  }
}

/**
 * How new a point is: how far from everything seen so far, in shares of the range seen so far. What was seen once is not new again; so a nightly
 * backup is told once and a never seen value at once. O(log n) a point, n ≤ 256. After conformal and nearest-neighbour detectors (KNN-CAD,
 * Burnaev & Ishimtsev, 2016), on single quantities so that an engineer can check it by eye.
 *
 * @param at seconds since 1970, growing from call to call
 */
export function scorePoint(state: SeriesState, value: number, at: number): PointScore {
  state.count += 1
  state.level = state.count === 1 ? value : state.level + LEVEL_WEIGHT * (value - state.level)
  const aspects = { value, level: state.level, season: offSeason(state.season, value, at) }
  let newest: PointScore['newest'] = null
  for (const aspect of ASPECTS) {
    const quantity = aspects[aspect]
    const nearest = quantity === null ? null : meet(state.seen[aspect], quantity, at)
    // Of a quantity that is looked at only since the season is known, too little was seen at first.
    const isKnown = state.seen[aspect].met > WARM_UP
    if (quantity !== null && nearest && isKnown && nearest.distance > (newest?.nearest.distance ?? 0))
      newest = { aspect, value: quantity, nearest }
  }
  if (!newest) return { score: 0, newest }
  return { score: scoreOf(state, Math.min(newest.nearest.distance, MOST_SHARE)), newest }
}

/** Lets go of what was not seen for weeks. */
export function forgetSeen(state: SeriesState, now: number): void {
  for (const aspect of ASPECTS) forgetOld(state.seen[aspect], now)
}

function scoreOf(state: SeriesState, share: number): number {
  if (state.count <= state.rest.until && share <= state.rest.share) return 0
  if (share >= NEW_SHARE) state.rest = { until: state.count + REST_POINTS, share }
  return share / (share + NEW_SHARE)
}
