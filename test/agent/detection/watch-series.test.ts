import { expect, test } from 'vitest'
import { type SeriesNews, takePoint, watchSeries } from '../../../agent/detection/watch-series.ts'

const START = Date.UTC(2026, 2, 2)
const STEP_MS = 300_000
const DAY_POINTS = 288

/** What is told of a series between 0 and 1 that is above from a moment on. */
function told(days: number, above: number): SeriesNews['kind'][] {
  const series = watchSeries()
  const learned = new Date(START)
  const from = days * DAY_POINTS
  return Array.from({ length: from + 20 }, (_, point) => (point < from ? ((point * 7_919) % 1_000) / 1_000 : above)).flatMap(
    (value, point) => {
      const news = takePoint(series, 'latency_p99', { at: new Date(START + point * STEP_MS), value }, learned)
      return news ? [news.kind] : []
    },
  )
}

test('of a series that was seen for a day only what is far off is told; of one that was seen for a week less is enough', () => {
  expect(told(1, 1.2)).toEqual([])
  expect(told(1, 1.5)).toEqual(['announced'])
  expect(told(2, 1.2)).toEqual(['announced'])
  expect(told(7, 1.08)).toEqual(['announced'])
})
