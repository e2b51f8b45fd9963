/** Times as the reader's own clock shows them; `now` is always given. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const DAY_MS = 86_400_000

/** @param {Date} at */
export function clock(at) {
  return CLOCK.format(at)
}

/**
 * The time of day, with the date for what is not within half a day.
 *
 * @param {Date} at
 * @param {Date} now
 */
export function moment(at, now) {
  return Math.abs(now.getTime() - at.getTime()) < DAY_MS / 2 ? clock(at) : `${DAY.format(at)}, ${clock(at)}`
}

/**
 * '3:07 left', '1:02:07 left', 'over'.
 *
 * @param {Date} until
 * @param {Date} now
 */
export function countdown(until, now) {
  const seconds = Math.ceil((until.getTime() - now.getTime()) / 1_000)
  if (seconds <= 0) return 'over'
  const parts =
    seconds >= 3_600 ? [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60] : [Math.floor(seconds / 60), seconds % 60]
  return `${parts.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':')} left`
}

/**
 * 'just now', '3 min', '2 h', '4 d'.
 *
 * @param {Date} since
 * @param {Date} now
 */
export function age(since, now) {
  const minutes = Math.floor((now.getTime() - since.getTime()) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min`
  return minutes < 2_880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} d`
}

/**
 * A date element of Block Kit in words: a deadline counts down, any other moment is a time of day.
 *
 * @param {{ timestamp: number, format: string }} element
 * @param {Date} now
 */
export function dateWords({ timestamp, format }, now) {
  const at = new Date(timestamp * 1_000)
  if (isDeadline(format)) return `until ${moment(at, now)} (${countdown(at, now)})`
  const day = Math.abs(now.getTime() - at.getTime()) < DAY_MS / 2 ? '' : DAY.format(at)
  return format.replace('{date_short_pretty}', day).replace('{time_secs}', clock(at)).trim()
}

/** @param {string} format */
export function isDeadline(format) {
  return format.startsWith('until ')
}
