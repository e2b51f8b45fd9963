/** How often one template comes, by the minute. Plain data, changed in place. */
export interface TemplateRate {
  /** The minute that is counted, since 1970. */
  minute: number
  count: number
  /** The most of any earlier minute; it fades within days. */
  most: number
  /** Whether it was known when watching began, or was told since. */
  known: boolean
}

export type RateNews = 'new' | 'surge'

/** Lines of a template that was never seen, before it is more than an oddity. */
const NEW_LINES = 5
/** A surge is so many times the most of any minute before, and not a handful. */
const SURGE_FACTOR = 5
const SURGE_LINES = 20
/** What the most loses a minute: half of it in two days. */
const FADE_PER_MINUTE = 0.5 ** (1 / 2_880)

export const newRate = (minute: number, known: boolean): TemplateRate => ({ minute, count: 0, most: 0, known })

/** Takes one line of the template. What is told is said once for each minute it grows beyond. */
export function takeLine(rate: TemplateRate, minute: number): RateNews | null {
  if (minute > rate.minute) {
    rate.most = Math.max(rate.most, rate.count) * FADE_PER_MINUTE ** (minute - rate.minute)
    rate.minute = minute
    rate.count = 0
  }
  rate.count += 1
  if (!rate.known) {
    if (rate.most + rate.count < NEW_LINES) return null
    rate.known = true
    // It is measured by what it does from now on.
    rate.most = Math.max(rate.most, rate.count)
    return 'new'
  }
  return rate.count === Math.max(SURGE_LINES, Math.ceil(SURGE_FACTOR * rate.most)) ? 'surge' : null
}
