import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { altText } from '../../../bot/charts/alt-text.ts'
import { type Chart, valueWords } from '../../../bot/charts/chart.ts'
import { incidentChart } from '../../../bot/charts/charts.ts'
import { createPngs } from '../../../bot/charts/png.ts'
import { drawable, niceScale, timeTicks } from '../../../bot/charts/scale.ts'
import { chartSvg } from '../../../bot/charts/svg.ts'
import { hostileText } from '../../support/hostile-text.ts'

const START = Date.parse('2026-03-14T02:03:20Z')
const at = (seconds: number): Date => new Date(START + seconds * 1_000)

/** Ten minutes: quiet, a release, errors, a rollback, quiet. Two and a half minutes in there are no samples for a while. */
function aChart(changed: Partial<Chart> = {}): Chart {
  const seconds = Array.from({ length: 301 }, (_, index) => index * 2).filter((second) => second <= 150 || second >= 180)
  const value = (second: number): number => (second >= 305 && second < 470 ? 0.4 : 0.002)
  return {
    title: 'errors of payments',
    unit: 'ratio',
    from: at(0),
    to: at(600),
    points: seconds.map((second) => ({ at: at(second), value: value(second) })),
    threshold: { value: 0.05, above: true },
    marks: [
      { at: at(465), kind: 'action', label: 'Roll back payments from v42 to v41' },
      { at: at(299), kind: 'change', label: 'payments went from v41 to v42' },
      { at: at(-300), kind: 'change', label: 'long before' },
    ],
    ...changed,
  }
}

const textsOf = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text)
const linesOf = (svg: string): string => /<path d="(M[^"]*)" fill="none" stroke="#1b5fc1"/.exec(svg)?.[1] ?? ''

describe('a chart', () => {
  test('shows title, numbers, limit, and marks in the order of time with their letters', () => {
    const texts = textsOf(chartSvg(aChart()))
    expect(texts).toEqual(
      expect.arrayContaining([
        'Errors of payments',
        'last 0.2 %, highest 40 % · 2026-03-14 02:03–02:13 UTC',
        'limit 5 %',
        '02:08:19 change: payments went from v41 to v42',
        '02:11:05 action: Roll back payments from v42 to v41',
      ]),
    )
    expect(texts.filter((text) => /^[A-F]$/.test(text))).toEqual(['A', 'B', 'A', 'B'])
    expect(texts.join()).not.toContain('long before')
  })

  test('joins no points across a time without samples, and draws none where there are none', () => {
    expect(linesOf(chartSvg(aChart())).match(/M/g)).toHaveLength(2)
    expect(linesOf(chartSvg(aChart({ points: [] })))).toBe('')
    expect(textsOf(chartSvg(aChart({ points: [] })))).toContain('no samples in this window · 2026-03-14 02:03–02:13 UTC')
  })

  test('of what is over it tells the value at the end, not what came afterwards', () => {
    const over = aChart({ marks: [{ at: at(316), kind: 'end', label: 'resolved' }] })
    const worst = over.points.find(({ at: moment }) => moment.getTime() === at(316).getTime())?.value
    expect(worst).toBe(0.4)
    expect(textsOf(chartSvg(over))).toContain('at the end 40 %, highest 40 % · 2026-03-14 02:03–02:13 UTC')
    expect(altText(over)).toContain('40 % at the end.')
  })

  test('the words of the axis stay on the picture', () => {
    const days = aChart({ unit: 'days left', points: [at(0), at(600)].map((moment) => ({ at: moment, value: 398 })), threshold: null })
    const labels = [...chartSvg(days).matchAll(/<text x="([\d.]+)"[^>]*text-anchor="end"[^>]*>([^<]* days left)</g)]
    expect(labels.length).toBeGreaterThan(2)
    for (const [, x, words = ''] of labels) expect(Number(x)).toBeGreaterThan(words.length * 12)
  })

  test('the line ends where the last value is', () => {
    const [x, y] = (linesOf(chartSvg(aChart())).split('L').at(-1) ?? '').split(' ').map(Number)
    expect(x).toBe(696)
    expect(y).toBeGreaterThan(380)
    expect(y).toBeLessThan(388)
  })

  test('is said in words, with the same facts', () => {
    expect(altText(aChart())).toBe(
      'Chart of errors of payments, 2026-03-14 02:03:20 UTC to 02:13:20 UTC. 0.2 % at first, highest 40 % at 02:08:26 UTC, lowest 0.2 % at 02:03:20 UTC, 0.2 % at the end. The limit is 5 %; above it between 02:08:26 UTC and 02:11:08 UTC. A, 02:08:19 UTC, change: payments went from v41 to v42. B, 02:11:05 UTC, action: Roll back payments from v42 to v41.',
    )
    expect(altText(aChart({ points: [], threshold: null, marks: [] }))).toBe(
      'Chart of errors of payments, 2026-03-14 02:03:20 UTC to 02:13:20 UTC. There are no samples.',
    )
  })

  test('whatever the text and the numbers are, it is one bounded picture, and text forms nothing', () => {
    const number = fc.oneof(fc.double(), fc.double({ min: 0, max: 1 }))
    fc.assert(
      fc.property(
        hostileText(200),
        fc.array(number, { maxLength: 50 }),
        number,
        fc.constantFrom('ratio', 's', 'bytes', '/s', ''),
        (said, values, limit, unit) => {
          const points = values.map((value, index) => ({ at: at(index * 10), value })).filter(({ value }) => Number.isFinite(value))
          const threshold = Number.isFinite(limit) ? { value: limit, above: true } : null
          const marks = Array.from({ length: 20 }, (_, index) => ({ at: at(index), kind: 'alert' as const, label: said }))
          const chart = aChart({ title: said, unit, points, threshold, marks })
          const svg = chartSvg(chart)
          expect(svg.match(/<(?!\/?(svg|rect|text|path|circle)\b)/)).toBeNull()
          expect(svg).not.toMatch(/NaN|Infinity|undefined/)
          expect(svg.match(/<circle/g)?.length ?? 0).toBeLessThanOrEqual(12 + points.length)
          expect(altText(chart).length).toBeLessThanOrEqual(1_900)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('as PNG it is drawn with the fonts that ship with it, the same each time, and hostile text is still a picture', async () => {
    const draw = createPngs()
    const [png, again, other] = await Promise.all([
      draw(chartSvg(aChart())),
      createPngs()(chartSvg(aChart())),
      draw(chartSvg(aChart({ title: 'x</text><image href="http://127.0.0.1:1/"/>&lt;\u0000\u202e\ud800' }))),
    ])
    expect(Buffer.from(png.body.subarray(0, 8)).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n')
    const size = new DataView(png.body.buffer, png.body.byteOffset)
    expect([size.getUint32(16), size.getUint32(20)]).toEqual([1_440, 1_076])
    expect(Buffer.from(again.body).equals(png.body)).toBe(true)
    expect(other.etag).not.toBe(png.etag)
    // Without its letters the picture is another one: they were really drawn.
    const wordless = await draw(chartSvg(aChart()).replace(/<text.*?<\/text>/g, ''))
    expect(png.body.length - wordless.body.length).toBeGreaterThan(10_000)
    await expect(draw('<svg')).rejects.toThrow()
  })
})

test.each([
  [[0.001, 0.44, 0.05], 'ratio', 0],
  [[0], 'ratio', 0],
  [[], 'ratio', 0],
  [[2, 2], '', 2],
  [[900, 1_000], '/s', 0],
  [[5e-324], 's', 0],
  [[-1e300, 1e300], '', -1e15],
])('the axis of %j in %j has round numbers around them', (values, unit, first) => {
  const { low, high, ticks } = niceScale(values, unit)
  for (const value of values.map(drawable)) {
    expect(value).toBeGreaterThanOrEqual(low)
    expect(value).toBeLessThanOrEqual(high)
  }
  expect(high).toBeGreaterThan(low)
  expect(ticks[0]).toBe(first)
  expect(ticks.length).toBeLessThanOrEqual(8)
})

test("an incident's chart begins where there is something to see", () => {
  const chart = aChart()
  const { title: _title, ...rest } = chart
  const series = { ...rest, points: [...chart.points], marks: [...chart.marks], service: 'payments', metric: 'error_ratio' as const }
  const late = { ...series, points: series.points.slice(-50), marks: [{ at: at(480), kind: 'change' as const, label: 'x' }] }
  expect(incidentChart(late).from).toEqual(at(468))
  expect(incidentChart(series).from).toEqual(at(0))
  expect(incidentChart({ ...late, points: [], marks: [] }).from.getTime()).toBeLessThan(at(600).getTime())
})

test('the time axis has whole moments, a few of them', () => {
  const clocks = timeTicks(at(0), at(600)).map((tick) => tick.toISOString().slice(11, 19))
  expect(clocks).toEqual(['02:04:00', '02:06:00', '02:08:00', '02:10:00', '02:12:00'])
  expect(timeTicks(at(0), at(86_400)).length).toBeLessThanOrEqual(6)
  expect(timeTicks(at(0), at(0)).length).toBeLessThanOrEqual(1)
})

test.each([
  [0.125, 'ratio', '12.5 %'],
  [0.2502, 's', '250 ms'],
  [1.5, 's', '1.5 s'],
  [67_108_864, 'bytes', '64 MiB'],
  [3, '/s', '3 /s'],
  [2, '', '2'],
  [0, 's', '0 s'],
])('%d %s is %s', (value, unit, words) => expect(valueWords(value, unit)).toBe(words))
