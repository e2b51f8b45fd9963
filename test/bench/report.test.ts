import { expect, test } from 'vitest'
import { distribution, formatReport, percentile } from '../../bench/report.ts'

test('percentiles are nearest rank, whatever the order', () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect([0, 0.5, 0.95, 0.99, 1].map((share) => percentile(samples, share))).toEqual([1, 50, 95, 99, 100])
  expect(percentile([7], 0.99)).toBe(7)
})

test('percentiles of nothing, or outside 0 to 1, are refused', () => {
  expect(() => percentile([], 0.5)).toThrow(RangeError)
  expect(() => percentile([1], 1.5)).toThrow(RangeError)
})

test('a report is an aligned table and one JSON line for each figure', () => {
  const report = formatReport([
    distribution('click to authorised', 'ms', [1.5, 2, 300.5]),
    { name: 'memory', value: 294, unit: 'MB', n: 1 },
  ])
  expect(report.split('\n')).toEqual([
    'name                 value  unit  n  p50    p95    p99',
    '-------------------  -----  ----  -  ---  -----  -----',
    'click to authorised      2  ms    3    2  300.5  300.5',
    'memory                 294  MB    1',
    '',
    '{"name":"click to authorised","value":2,"unit":"ms","n":3,"p50":2,"p95":300.5,"p99":300.5}',
    '{"name":"memory","value":294,"unit":"MB","n":1}',
    '',
  ])
})
