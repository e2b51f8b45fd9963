/**
 * The scoring of the Numenta Anomaly Benchmark (Lavin & Ahmad, ICMLA 2015), standard profile. In each labelled window the earliest detection counts,
 * the more the earlier; a detection outside costs, the more the farther behind the last window; a window without any costs one.
 */
export interface Scored {
  /** One score a point, 0–1. */
  scores: readonly number[]
  /** First and last point of each window, in order, both within. */
  windows: readonly (readonly [number, number])[]
}

const FALSE_ALARM_COST = 0.11
const MISS_COST = 1
const PROBATION = 0.15
const MAX_PROBATION_BASE = 5_000
/** As steep as the benchmark prescribes. */
const STEEPNESS = 5
/** So many window lengths behind a window a detection has nothing to do with it. */
const FAR = 3

/** Points at the beginning that are not scored: time to learn. */
export function probation(points: number): number {
  return Math.floor(PROBATION * Math.min(points, MAX_PROBATION_BASE))
}

/** What a detection is worth `position` window lengths from the end of a window, negative within it. 1 to −1. */
function worth(position: number): number {
  return position > FAR ? -1 : 2 / (1 + Math.exp(STEEPNESS * position)) - 1
}

const MOST = worth(-1)

/** What each point would add as a detection, and to which window; window −1 is outside of all. Points on probation are left out. */
interface Point {
  score: number
  window: number
  value: number
}

function pointsOf({ scores, windows }: Scored): Point[] {
  const from = probation(scores.length)
  return scores.slice(from).map((score, offset) => {
    const at = from + offset
    const window = windows.findIndex(([first, last]) => at >= first && at <= last)
    const [first, last] = windows[window] ?? [0, 0]
    if (window !== -1) return { score, window, value: worth(-(last - at + 1) / (last - first + 1)) / MOST }
    const before = windows.findLast(([, end]) => end < at)
    const value = before ? worth((at - before[1]) / (before[1] - before[0])) : -1
    return { score, window, value: value * FALSE_ALARM_COST }
  })
}

/** The sum over one file at a threshold, before it is put between nothing detected and everything. */
export function rawScore(file: Scored, threshold: number): number {
  const best = new Map<number, number>()
  let outside = 0
  for (const { score, window, value } of pointsOf(file)) {
    if (score < threshold) continue
    if (window === -1) outside += value
    else best.set(window, Math.max(best.get(window) ?? Number.NEGATIVE_INFINITY, value))
  }
  const inside = file.windows.reduce((sum, _, window) => sum + (best.get(window) ?? -MISS_COST), 0)
  return inside + outside
}

/** 100 for everything detected at once and nothing else, 0 for no detection at all. Null without a window. */
export function normalised(raw: number, windows: number): number | null {
  return windows === 0 ? null : (100 * (raw + MISS_COST * windows)) / (windows * (1 + MISS_COST))
}

/** The one threshold that serves all files best together, as the benchmark chooses it for every detector. */
export function bestThreshold(files: readonly Scored[]): { threshold: number; raw: number } {
  const points = files
    .flatMap((file, index) => pointsOf(file).map((point) => ({ ...point, key: `${index}/${point.window}` })))
    .toSorted((a, b) => b.score - a.score)
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0)
  const found = new Map<string, number>()
  let raw = -MISS_COST * windows
  let best = { threshold: 1.1, raw }
  for (const [at, { score, window, value, key }] of points.entries()) {
    if (window === -1) raw += value
    else {
      const before = found.get(key)
      if (before === undefined) raw += MISS_COST + value
      else raw += Math.max(0, value - before)
      found.set(key, Math.max(before ?? value, value))
    }
    if (points[at + 1]?.score !== score && raw > best.raw) best = { threshold: score, raw }
  }
  return best
}
