import { expect, it } from 'vitest'
import { forecast } from '../../../agent/detection/forecast.ts'

const START = Date.UTC(2026, 2, 1)
const HOUR = 3_600_000
const points = (values: readonly number[]) => values.map((value, hour) => ({ at: new Date(START + hour * HOUR), value }))
const line = (length: number, value: (hour: number) => number) => points(Array.from({ length }, (_, hour) => value(hour)))

it('a steady rise is drawn on to the limit, and outliers do not move it', () => {
  const found = forecast(
    line(24, (hour) => (hour === 7 ? 0.9 : 0.5 + hour / 100)),
    1,
  )
  expect(found?.perDay).toBeCloseTo(0.24, 2)
  expect((found?.reachesAt.getTime() ?? 0) - START).toBeCloseTo(50 * HOUR, -6)
})

it('a fall is drawn on to a limit below', () => {
  expect(
    forecast(
      line(24, (hour) => 20 - hour / 24),
      0,
    )?.perDay,
  ).toBeCloseTo(-1)
})

it.each([
  ['too few points', line(5, (hour) => hour / 10)],
  ['nothing that moves', line(24, () => 0.5)],
  ['a saw tooth', line(24, (hour) => (hour % 6) / 10)],
  ['a fall away from the limit', line(24, (hour) => 0.9 - hour / 100)],
])('%s has no date', (_, given) => {
  expect(forecast(given, 1)).toBeNull()
})
