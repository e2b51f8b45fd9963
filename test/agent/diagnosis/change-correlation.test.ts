import { describe, expect, it } from 'vitest'
import { correlateChanges } from '../../../agent/diagnosis/change-correlation.ts'
import { at, change } from '../../support/facts.ts'

const strength = (...changes: ReturnType<typeof change>[]): number =>
  correlateChanges(changes, 'payments', new Date(at(60)))[0]?.strength ?? 0

describe('a change before the trouble', () => {
  it.each([
    [60, 1],
    [70, 1],
    [71, 0],
    [30, 1],
    [-60, 0.75],
    [-240, 0.5],
    [-600, 0.25],
    [-1_139, 0.1],
    [-1_141, 0],
  ])('at second %d of 60 weighs about %d', (second, expected) => {
    expect(strength(change('release', 'payments', second))).toBeCloseTo(expected, 1)
  })

  it('weighs by its kind', () => {
    expect(strength(change('restart', 'payments', 50))).toBeLessThan(strength(change('scale', 'payments', 50, { from: '1', to: '2' })))
    expect(strength(change('rollback', 'payments', 50))).toBe(0.4)
  })

  it('weighs little when it returned to what ran before', () => {
    expect(strength(change('release', 'payments', 50, { from: 'v42', to: 'v41' }), change('release', 'payments', -900))).toBe(0.4)
    expect(
      strength(
        change('release', 'payments', 50, { from: 'v41', to: 'v42' }),
        change('release', 'payments', -900, { from: 'v40', to: 'v41' }),
      ),
    ).toBe(1)
  })

  it('is of that service, and the most suspect comes first', () => {
    const found = correlateChanges(
      [change('restart', 'payments', 58), change('release', 'checkout', 58), change('release', 'payments', 40)],
      'payments',
      new Date(at(60)),
    )
    expect(found.map(({ change: { kind }, lagSeconds }) => [kind, lagSeconds])).toEqual([
      ['release', 20],
      ['restart', 2],
    ])
  })
})
