import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeSeries, median } from '../../../agent/diagnosis/series.ts'
import type { MetricName, Point } from '../../../integrations/ports/metrics.ts'
import { at, NOW, STARTED_AT } from '../../support/facts.ts'

/** One value a second, from second `from` on. */
const points = (values: readonly number[], from = 0): Point[] => values.map((value, i) => ({ at: new Date(at(from + i)), value }))
const repeat = (value: number, times: number): number[] => Array.from({ length: times }, () => value)
const describeOf = (metric: MetricName, all: readonly Point[], limit: { comparator: '>' | '<'; threshold: number } | null = null) =>
  describeSeries(metric, all, { startedAt: STARTED_AT, now: NOW, limit })

describe('a series', () => {
  it('that jumped: what it was, what it is, when it began', () => {
    expect(describeOf('error_ratio', points([...repeat(0, 58), ...repeat(0.6, 17)]))).toEqual({
      metric: 'error_ratio',
      samples: 75,
      before: 0,
      now: 0.6,
      peak: 0.6,
      low: 0,
      began: at(58),
      ended: null,
      risingSince: null,
    })
  })

  it('that jumped and went back: when it ended', () => {
    expect(describeOf('error_ratio', points([...repeat(0, 58), ...repeat(0.6, 8), ...repeat(0, 9)]))).toMatchObject({
      began: at(58),
      ended: at(66),
      now: 0,
      peak: 0.6,
    })
  })

  it('shows the present value of a stretch that has just begun, not the calm before it', () => {
    expect(describeOf('error_ratio', points([...repeat(0, 73), 1, 1]))).toMatchObject({ now: 1, began: at(73) })
    expect(describeOf('error_ratio', points([...repeat(0, 60), 1, ...repeat(0, 14)]))).toMatchObject({ began: null, peak: 1 })
  })

  it('bridges a short calm and not a long one', () => {
    const twice = (gap: number) => [...repeat(0, 30), ...repeat(0.6, 5), ...repeat(0, gap), ...repeat(0.6, 40 - gap)]
    expect(describeOf('error_ratio', points(twice(10)))).toMatchObject({ began: at(30) })
    expect(describeOf('error_ratio', points(twice(20)))).toMatchObject({ began: at(55) })
  })

  it('of a source that scrapes twice a minute has stretches too', () => {
    const rare = [0, 0, 0, 0, 0.6, 0.6, 0.6].map((value, i) => ({ at: new Date(at(i * 30 - 120)), value }))
    expect(describeOf('error_ratio', rare)).toMatchObject({ began: at(0), ended: null, now: 0.6 })
  })

  it('goes by a stated limit where there is one', () => {
    const values = points([...repeat(0, 58), ...repeat(0.1, 17)])
    expect(describeOf('error_ratio', values, { comparator: '>', threshold: 0.2 })).toMatchObject({ began: null })
    expect(describeOf('error_ratio', values, { comparator: '>', threshold: 0.05 })).toMatchObject({ began: at(58) })
    expect(describeOf('replicas_ready', points([...repeat(2, 58), ...repeat(1, 17)]), { comparator: '<', threshold: 2 })).toMatchObject({
      began: at(58),
    })
  })

  it.each<[MetricName, number, number, boolean]>([
    ['error_ratio', 0.001, 0.015, false],
    ['error_ratio', 0.04, 0.1, false],
    ['latency_p99', 0.02, 0.08, false],
    ['latency_p99', 0.02, 0.3, true],
    ['request_rate', 20, 30, false],
    ['request_rate', 20, 45, true],
    ['request_rate', 20, 2, true],
    ['request_rate', 1, 3, false],
    ['memory_used_ratio', 0.5, 0.8, false],
    ['memory_used_ratio', 0.5, 0.9, true],
    ['restarts', 2, 3, true],
    ['replicas_ready', 3, 2, true],
  ])('of %s from %d to %d is unusual: %j', (metric, before, now, unusual) => {
    expect(describeOf(metric, points([...repeat(before, 58), ...repeat(now, 17)])).began !== null).toBe(unusual)
  })

  it('says nothing about now when its samples are old, and nothing about before when there are too few', () => {
    expect(
      describeSeries('error_ratio', points(repeat(0.6, 10)), { startedAt: STARTED_AT, now: new Date(at(120)), limit: null }).now,
    ).toBeNull()
    expect(describeOf('error_ratio', points(repeat(0.6, 15), 60))).toMatchObject({ before: null, now: 0.6 })
    expect(describeOf('error_ratio', [])).toEqual({
      metric: 'error_ratio',
      samples: 0,
      before: null,
      now: null,
      peak: null,
      low: null,
      began: null,
      ended: null,
      risingSince: null,
    })
  })

  it('that rises without a break, saw teeth included, and stays up', () => {
    const climb = Array.from({ length: 20 }, (_, i) => 0.2 + i * 0.036 - (i % 3 === 2 ? 0.02 : 0))
    expect(describeOf('memory_used_ratio', points([...repeat(0.2, 45), ...climb, ...repeat(0.92, 10)]))).toMatchObject({
      risingSince: expect.stringMatching(/10:41:4[4-7]/),
    })
  })

  it.each([
    ['a step', [...repeat(0.2, 60), ...repeat(0.9, 15)]],
    ['a wave', Array.from({ length: 75 }, (_, i) => 0.5 + 0.3 * Math.sin(i / 4))],
    ['a flat line', repeat(0.9, 75)],
    ['a fall', Array.from({ length: 75 }, (_, i) => 0.9 - i * 0.01)],
    ['saw teeth', Array.from({ length: 75 }, (_, i) => 0.3 + (i % 12) * 0.03)],
  ])('does not call %s a rise', (_, values) => {
    expect(describeOf('memory_used_ratio', points(values)).risingSince).toBeNull()
  })

  it('is the same in any order', () => {
    const some = fc.array(fc.record({ second: fc.integer({ min: 0, max: 75 }), value: fc.double({ min: 0, max: 1, noNaN: true }) }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(some, fc.constantFrom<MetricName>('error_ratio', 'memory_used_ratio', 'request_rate'), (list, metric) => {
        const unique = [...new Map(list.map((each) => [each.second, each])).values()].map(({ second, value }) => ({
          at: new Date(at(second)),
          value,
        }))
        const described = describeOf(metric, unique)
        expect(describeOf(metric, unique.toReversed())).toEqual(described)
        if (described.began !== null && described.ended !== null) expect(described.began < described.ended).toBe(true)
      }),
    )
  })
})

describe('the median', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %j', (values, expected) => {
    expect(median(values)).toBe(expected)
  })
})

describe('a target that started within the window', () => {
  const from = new Date(at(-240))
  const course = (metric: MetricName, values: readonly number[], first = 0, threshold: number | null = null) => {
    const limit = threshold === null ? null : ({ comparator: '>', threshold } as const)
    return describeSeries(metric, points(values, first), { startedAt: STARTED_AT, now: NOW, limit, from })
  }

  it('is not slow for being slow while it warms up, and that is not its usual either', () => {
    expect(course('latency_p99', [...repeat(1.4, 6), ...repeat(0.04, 69)])).toMatchObject({ began: null, before: 0.04, peak: 0.04 })
    expect(course('cpu_used_ratio', [...repeat(0.97, 10), ...repeat(0.1, 65)])).toMatchObject({ began: null, before: 0.1 })
  })

  it('is in trouble from the start when that goes on', () => {
    expect(course('latency_p99', repeat(1.4, 75), 0, 0.5)).toMatchObject({ began: at(0), ended: null, now: 1.4 })
    expect(course('latency_p99', [...repeat(1.4, 40), ...repeat(0.04, 35)], 0, 0.5)).toMatchObject({
      began: at(0),
      ended: at(40),
      peak: 1.4,
    })
  })

  it('fails from its first second, and one that ran before has no warm-up', () => {
    expect(course('error_ratio', [...repeat(1, 6), ...repeat(0, 69)])).toMatchObject({ began: at(0), ended: at(6), peak: 1 })
    expect(course('latency_p99', [...repeat(1.4, 6), ...repeat(0.04, 309)], -240)).toMatchObject({ began: at(-240), ended: at(-234) })
  })
})
