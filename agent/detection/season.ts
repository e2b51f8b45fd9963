/** What is usual at each hour of the week. Plain data, changed in place. */
export interface Season {
  /** Mean of each hour, Monday 0 h UTC first; null before it was met. */
  hours: (number | null)[]
  /** The hour that is under way: it becomes part of the means when it is over. */
  current: { hour: number; sum: number; count: number }
  /** Running mean and variance of the values, and the mean square of what the hour's mean leaves over. */
  mean: number
  variance: number
  leftOver: number
  /** Values that an hour's mean was there for. */
  count: number
}

export const HOURS_OF_WEEK = 168
const HOURS_OF_DAY = 24
const HOUR_SECONDS = 3_600
/** 1970 began on a Thursday. */
const MONDAY_HOURS = 72
/** An hour's mean follows each new week with this weight. */
const FOLLOW = 0.5
const LONGEST = 600
/** So many values have to be foretold before the season says anything. */
const FEWEST = 100
/** Of the variance, the season has to explain at least this share: otherwise there is none. */
const EXPLAINED = 0.5

export const noSeason = (): Season => ({
  hours: Array.from({ length: HOURS_OF_WEEK }, () => null),
  current: { hour: -1, sum: 0, count: 0 },
  mean: 0,
  variance: 0,
  leftOver: 0,
  count: 0,
})

export const hourOfWeek = (at: number): number => (Math.floor(at / HOUR_SECONDS) + MONDAY_HOURS) % HOURS_OF_WEEK

/** How far the value is from what its hour is used to; null while no season is established. Learns from the value. */
export function offSeason(season: Season, value: number, at: number): number | null {
  const hour = hourOfWeek(at)
  if (hour !== season.current.hour) endHour(season, hour)
  season.current.sum += value
  season.current.count += 1
  const usual = usualAt(season, hour)
  if (usual === null) return null
  const off = value - usual
  season.count += 1
  const weight = 1 / Math.min(season.count, LONGEST)
  const fromMean = value - season.mean
  season.mean += weight * fromMean
  season.variance += weight * (fromMean * fromMean - season.variance)
  season.leftOver += weight * (off * off - season.leftOver)
  return season.count >= FEWEST && season.leftOver < (1 - EXPLAINED) * season.variance ? off : null
}

/** The mean of this hour of the week; in the first week that of the same hour of the last day that had it. */
export function usualAt({ hours }: Season, hour: number): number | null {
  for (let back = 0; back < HOURS_OF_WEEK; back += HOURS_OF_DAY) {
    const mean = hours[(hour - back + HOURS_OF_WEEK) % HOURS_OF_WEEK]
    if (mean !== null && mean !== undefined) return mean
  }
  return null
}

function endHour(season: Season, next: number): void {
  const { hour, sum, count } = season.current
  const before = season.hours[hour]
  if (count > 0) season.hours[hour] = before === null || before === undefined ? sum / count : before + FOLLOW * (sum / count - before)
  season.current = { hour: next, sum: 0, count: 0 }
}
