/**
 * The values a quantity has had, as few as are needed to say how far a new one is from all of them. Plain data, in ascending order; changed in place,
 * because thousands of series are judged every few seconds.
 */
export interface SeenValues {
  values: number[]
  /** When each was last near to what came; seconds since 1970. */
  at: number[]
  /** How often a value was met. */
  met: number
}

/** Values nearer to each other than this share of the range are one. */
const RESOLUTION = 0.01
const MOST = 256
/** What did not happen for so long is new again. */
const MEMORY_SECONDS = 28 * 86_400

export const noValues = (): SeenValues => ({ values: [], at: [], met: 0 })

export interface Nearest {
  value: number
  /** How far away it is, in shares of the range of all values seen; infinite when there was only one. */
  distance: number
  low: number
  high: number
}

/** Where the value stands among those seen before, and remembers it. Null for the first one. O(log n), n ≤ 256. */
export function meet(seen: SeenValues, value: number, at: number): Nearest | null {
  const { values } = seen
  seen.met += 1
  const place = placeOf(values, value)
  const [below, above] = [values[place - 1], values[place]]
  const isAbove = below === undefined || (above !== undefined && above - value < value - below)
  const near = isAbove ? above : below
  if (near === undefined) {
    insert(seen, 0, value, at)
    return null
  }
  const [low, high] = [values[0] ?? value, values.at(-1) ?? value]
  const gap = Math.abs(value - near)
  const range = high - low
  if (gap <= RESOLUTION * range || gap === 0) seen.at[isAbove ? place : place - 1] = at
  else {
    if (values.length >= MOST) thin(seen, at)
    insert(seen, placeOf(values, value), value, at)
  }
  return { value: near, distance: gap === 0 ? 0 : gap / range, low, high }
}

/** Lets go of what was not seen for weeks. Call it now and then. */
export function forgetOld(seen: SeenValues, now: number): void {
  keepOnly(seen, (index) => (seen.at[index] ?? 0) >= now - MEMORY_SECONDS)
}

/** The first place whose value is not below. */
function placeOf(values: readonly number[], value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((values[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

function insert(seen: SeenValues, place: number, value: number, at: number): void {
  seen.values.splice(place, 0, value)
  seen.at.splice(place, 0, at)
}

/** The range has grown: values that were apart are one now. The ends stay; when that is not enough every second one goes. */
function thin(seen: SeenValues, now: number): void {
  forgetOld(seen, now)
  const { values } = seen
  const last = values.length - 1
  const apart = RESOLUTION * ((values[last] ?? 0) - (values[0] ?? 0))
  let kept = values[0] ?? 0
  keepOnly(seen, (index) => {
    const value = values[index] ?? 0
    if (index !== 0 && index !== last && value - kept < apart) return false
    kept = value
    return true
  })
  if (seen.values.length >= MOST) keepOnly(seen, (index) => index % 2 === 0 || index === seen.values.length - 1)
}

function keepOnly(seen: SeenValues, keeps: (index: number) => boolean): void {
  const kept = seen.values.map((_, index) => keeps(index))
  seen.values = seen.values.filter((_, index) => kept[index])
  seen.at = seen.at.filter((_, index) => kept[index])
}
