import { describe, expect, it } from 'vitest'
import { BURN_RULES, burnsAt, goneAt, isBurning, type SloMinute } from '../../../agent/detection/burn-rate.ts'
import type { Slo } from '../../../agent/domain/slo.ts'

const NOW = Date.UTC(2026, 2, 16, 9)
const MINUTE = 60_000
const HOUR = 60
const DAY = 24 * HOUR
const slo: Slo = { service: 'checkout', environment: 'production', of: { metric: 'error_ratio' }, objective: 0.999, days: 30 }
/** Minutes up to now, from the latest back: the share that was bad `ago` minutes ago. */
const minutes = (count: number, bad: (ago: number) => number, weight: (ago: number) => number = () => 10): SloMinute[] =>
  Array.from({ length: count }, (_, ago) => ({ at: NOW - ago * MINUTE, bad: bad(ago), weight: weight(ago) }))
const told = (seen: readonly SloMinute[], promise = slo) =>
  burnsAt(promise, seen, NOW)
    .filter(isBurning)
    .map(({ rule }) => `${rule.speed} ${rule.longMs / 3_600_000} h`)

describe('the pace at which a promise is broken', () => {
  it('is 14.4, 6, 3 and 1 where the rules of a month are to tell', () => {
    const limits = burnsAt(
      slo,
      minutes(3 * DAY, () => 0),
      NOW,
    ).map(({ limit }) => Number(limit.toFixed(6)))
    expect(limits).toEqual([14.4, 6, 3, 1])
  })

  it.each<[string, SloMinute[], string[]]>([
    ['nothing is bad', minutes(3 * DAY, () => 0), []],
    ['a whole hour at 2 % errors', minutes(3 * DAY, (ago) => (ago < HOUR ? 0.02 : 0)), ['fast 1 h']],
    ['a whole hour at 1.4 %, a little less than the pace', minutes(3 * DAY, (ago) => (ago < HOUR ? 0.014 : 0)), []],
    ['a bad hour that has ended', minutes(3 * DAY, (ago) => (ago >= 3 * HOUR && ago < 4 * HOUR ? 0.05 : 0)), []],
    ['six hours at 0.7 %', minutes(3 * DAY, (ago) => (ago < 6 * HOUR ? 0.007 : 0)), ['fast 6 h']],
    ['a day at 0.35 %', minutes(3 * DAY, (ago) => (ago < DAY ? 0.0035 : 0)), ['slow 24 h', 'slow 72 h']],
    ['three days at 0.11 %', minutes(3 * DAY, () => 0.0011), ['slow 72 h']],
    [
      'five minutes in which everything fails',
      minutes(3 * DAY, (ago) => (ago < 5 ? 1 : 0)),
      ['fast 1 h', 'fast 6 h', 'slow 24 h', 'slow 72 h'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(told(seen)).toEqual(expected)
  })

  it('counts requests, not minutes: errors at night, when nobody is there, weigh little', () => {
    const busy = (ago: number): number => (ago < 30 ? 1 : 1_000)
    expect(told(minutes(3 * DAY, (ago) => (ago < 30 ? 0.5 : 0), busy))).toEqual([])
    expect(told(minutes(3 * DAY, (ago) => (ago < 30 ? 0.5 : 0)))).not.toEqual([])
  })

  it('says nothing of a window that was mostly not seen, and nothing at all without requests', () => {
    expect(
      burnsAt(
        slo,
        minutes(29, () => 1),
        NOW,
      ),
    ).toEqual([])
    expect(told(minutes(31, () => 1))).toEqual(['fast 1 h'])
    expect(burnsAt(slo, [], NOW)).toEqual([])
    expect(
      told(
        minutes(
          3 * DAY,
          () => 1,
          () => 0,
        ),
      ),
    ).toEqual([])
  })

  it('a shorter promise has a smaller budget, so the same errors are told sooner', () => {
    const week = { ...slo, days: 7 }
    expect(
      told(
        minutes(3 * DAY, (ago) => (ago < HOUR ? 0.005 : 0)),
        week,
      ),
    ).toEqual(['fast 1 h'])
  })

  it('a full budget is gone after its days at the pace of one, and sooner in proportion', () => {
    expect(goneAt(slo, 1, NOW).getTime() - NOW).toBe(30 * 86_400_000)
    expect(goneAt(slo, 14.4, NOW).getTime() - NOW).toBe(50 * 3_600_000)
  })

  it('looks at a short window with each long one', () => {
    for (const { longMs, shortMs } of BURN_RULES) expect(longMs / shortMs).toBe(12)
  })
})
