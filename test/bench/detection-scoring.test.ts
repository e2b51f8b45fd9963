import { describe, expect, it } from 'vitest'
import { csvRow, readCsv } from '../../bench/csv.ts'
import { groupingAccuracy } from '../../bench/logs/grouping-accuracy.ts'
import { bestThreshold, normalised, rawScore } from '../../bench/nab/scoring.ts'

const file = (hits: Readonly<Record<number, number>>) => ({
  scores: Array.from({ length: 1_000 }, (_, point) => hits[point] ?? 0),
  windows: [
    [300, 399],
    [600, 699],
  ] as const,
})
const raw = (...points: number[]): number => rawScore(file(Object.fromEntries(points.map((point) => [point, 1]))), 0.5)

describe('the scoring of the anomaly benchmark', () => {
  it('is 0 for nothing and 100 for each window at its first point', () => {
    expect(normalised(raw(), 2)).toBe(0)
    expect(normalised(raw(300, 600), 2)).toBeCloseTo(100)
    expect(normalised(0, 0)).toBeNull()
  })

  it('is worth less later in the window, counts the earliest only, and forgives what is just behind it', () => {
    expect(raw(399)).toBeCloseTo(-1 + 0.025, 2)
    expect(raw(300, 350)).toBe(raw(300))
    expect(raw(300, 402)).toBeGreaterThan(raw(300, 500))
  })

  it('takes 0.11 for a false alarm before all windows, nothing on probation', () => {
    expect(raw(200)).toBeCloseTo(-2.11)
    expect(raw(149)).toBe(-2)
  })

  it('has the threshold that is best for all files together', () => {
    const files = [file({ 200: 0.4, 300: 0.9, 600: 0.6 }), file({ 300: 0.7, 900: 0.5 })]
    const best = bestThreshold(files)
    expect(best.threshold).toBe(0.6)
    expect(best.raw).toBeCloseTo(files.reduce((sum, each) => sum + rawScore(each, best.threshold), 0))
  })
})

describe('grouping accuracy', () => {
  it('counts only groups that are exactly right', () => {
    expect(groupingAccuracy([1, 1, 2, 2], ['a', 'a', 'b', 'b'])).toBe(1)
    expect(groupingAccuracy([1, 1, 2, 3], ['a', 'a', 'b', 'b'])).toBe(0.5)
    expect(groupingAccuracy([1, 1, 1, 2], ['a', 'a', 'b', 'c'])).toBe(0.25)
  })
})

it('a row of CSV is read as it was written', () => {
  const cells = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', '7']
  expect(readCsv(`${csvRow(cells)}\n`)).toEqual([cells])
})
