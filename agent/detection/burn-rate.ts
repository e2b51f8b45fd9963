import type { Slo } from '../domain/slo.ts'

/** What a minute was like; `bad` is a share of `weight`. */
export interface SloMinute {
  /** Milliseconds since 1970 at its start. */
  at: number
  bad: number
  /** How much it counts: its requests, or 1. */
  weight: number
}

/** A pace that is told: the share of the whole budget that goes in the long window, as long as the short window shows that it still goes. */
export interface BurnRule {
  speed: 'fast' | 'slow'
  budgetShare: number
  longMs: number
  shortMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Windows and shares as recommended by the Site Reliability Workbook (Beyer et al. 2018), chapter 5: over 30 days these are burn rates of 14.4, 6, 3 and 1. The gravest first. */
export const BURN_RULES: readonly BurnRule[] = [
  { speed: 'fast', budgetShare: 0.02, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { speed: 'fast', budgetShare: 0.05, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { speed: 'slow', budgetShare: 0.1, longMs: DAY_MS, shortMs: 2 * HOUR_MS },
  { speed: 'slow', budgetShare: 0.1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
]
export const LONGEST_WINDOW_MS = Math.max(...BURN_RULES.map(({ longMs }) => longMs))
/** A window of which less was seen says nothing. */
const SEEN_SHARE = 0.5

/** How many times faster than it lasts the budget goes: 1 spends it exactly over the days of the objective. */
export interface Burn {
  rule: BurnRule
  /** The pace from which on the rule tells. */
  limit: number
  long: number
  short: number
}

/** Of each rule what it sees at a moment; a rule whose windows were not seen well enough is left out. */
export function burnsAt(slo: Slo, minutes: readonly SloMinute[], now: number): Burn[] {
  return BURN_RULES.flatMap((rule) => {
    const [long, short] = [rule.longMs, rule.shortMs].map((windowMs) => paceOf(slo, minutes, now, windowMs))
    const limit = (rule.budgetShare * slo.days * DAY_MS) / rule.longMs
    return long == null || short == null ? [] : [{ rule, limit, long, short }]
  })
}

/** Whether a pace is to be told: over the long window, and still. */
export function isBurning({ limit, long, short }: Burn): boolean {
  return long >= limit && short >= limit
}

/** Null when too little of the window was seen. */
function paceOf({ objective }: Slo, minutes: readonly SloMinute[], now: number, windowMs: number): number | null {
  const inside = minutes.filter(({ at }) => at > now - windowMs && at <= now)
  if (inside.length < (SEEN_SHARE * windowMs) / MINUTE_MS) return null
  const weight = inside.reduce((sum, minute) => sum + minute.weight, 0)
  if (weight === 0) return 0
  return inside.reduce((sum, minute) => sum + minute.bad * minute.weight, 0) / weight / (1 - objective)
}

/** When the budget of a service that had all of it would be gone at this pace. */
export function goneAt({ days }: Slo, pace: number, now: number): Date {
  return new Date(now + (days * DAY_MS) / pace)
}
