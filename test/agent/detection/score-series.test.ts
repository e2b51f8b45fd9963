import { describe, expect, it } from 'vitest'
import { ANNOUNCED, newSeries, scorePoint } from '../../../agent/detection/score-series.ts'
import { meet, noValues } from '../../../agent/detection/seen-values.ts'

const START = Date.UTC(2026, 2, 2) / 1_000
const STEP = 300
/** Announced points of a series with a point every five minutes. */
function announced(values: readonly number[]): number[] {
  const state = newSeries()
  return values.flatMap((value, point) => (scorePoint(state, value, START + point * STEP).score >= ANNOUNCED ? [point] : []))
}
const noise = (point: number): number => ((point * 7_919) % 1_000) / 1_000
const rhythm = (point: number): number => 50 + 40 * Math.sin(((point * STEP) / 86_400) * 2 * Math.PI) + noise(point)
const series = (length: number, value: (point: number) => number): number[] => Array.from({ length }, (_, point) => value(point))

describe('a series', () => {
  it('of noise, of nothing and of a daily rhythm is not announced, nor when its season comes to be known', () => {
    for (const value of [noise, () => 45, rhythm]) expect(announced(series(4_000, value))).toEqual([])
  })

  it('is announced at its first point that is far from all seen, and rests then', () => {
    expect(announced(series(2_000, (point) => noise(point) + (point >= 1_000 && point < 1_005 ? 3 : 0)))).toEqual([1_000])
  })

  it('is not announced for what it did before', () => {
    const spikes = announced(series(3_000, (point) => (point % 500 === 400 ? 10 : noise(point))))
    expect(spikes).toEqual([400])
  })

  it('is announced when what is usual does not happen', () => {
    const found = announced(series(4_000, (point) => (point >= 3_240 && point < 3_300 ? 50 : rhythm(point))))
    expect(found.some((point) => point >= 3_240 && point < 3_300)).toBe(true)
  })

  it('does not depend on the unit', () => {
    const values = series(2_000, (point) => noise(point) + (point === 1_500 ? 4 : 0))
    expect(announced(values.map((value) => value * 1e9 - 5e8))).toEqual(announced(values))
  })
})

describe('values seen', () => {
  it('answer with the nearest, in shares of the range', () => {
    const seen = noValues()
    expect(meet(seen, 10, START)).toBeNull()
    meet(seen, 20, START)
    expect(meet(seen, 25, START)).toEqual({ value: 20, distance: 0.5, low: 10, high: 20 })
    expect(meet(seen, 25, START)?.distance).toBe(0)
  })

  it('stay few, whatever comes', () => {
    const seen = noValues()
    for (let point = 0; point < 20_000; point += 1) meet(seen, 1.01 ** (point % 3_000) * (point % 2 === 0 ? 1 : -1), START + point)
    expect(seen.values.length).toBeLessThanOrEqual(256)
    expect(seen.values).toEqual(seen.values.toSorted((a, b) => a - b))
    expect(seen.at).toHaveLength(seen.values.length)
  })
})
