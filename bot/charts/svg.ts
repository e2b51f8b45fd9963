import { capital } from '../messages/plain-words.ts'
import { clockWords, dayClockWords } from '../messages/time-words.ts'
import { cleanText, cutText } from '../messages/visible-text.ts'
import { type Chart, type ChartMark, LETTERS, lastPoint, MARK_WORDS, shownMarks, valueWords } from './chart.ts'
import { drawable, niceScale, type Scale, timeTicks } from './scale.ts'

/** Drawn for a phone: at half this width the smallest letters are still as high as a chat's own. */
export const CHART_WIDTH = 720
const PLOT = { right: 696, top: 108, bottom: 388 }
/** What stands left of the plot is at least and at most this wide, between 0.5 and 0.6 of its height a letter. */
const AXIS = { least: 104, most: 220, letter: 13.5, gap: 10 }
const LEGEND_TOP = 462
const LEGEND_LINE = 34
/** Longer than this many usual steps, and the line is broken: nobody knows what was in between. */
const GAP_STEPS = 4
const LABEL_MAX = 40
/** Letters nearer than this stand below each other. */
const BADGE_ROOM = 32
const TITLE_MAX = 42

const INK = '#1c2430'
const QUIET = '#5a6675'
const GRID = '#e3e7ec'
const LINE = '#1b5fc1'
const LIMIT = '#b3261e'
const MARK_INK: Readonly<Record<ChartMark['kind'], string>> = { alert: '#b3261e', change: '#8a5800', action: '#17753f', end: '#5a6675' }

/** Where the plot begins, which depends on how long the words of the axis are. */
type Left = number
type X = (at: Date) => number
type Y = (value: number) => number

/** A chart as one SVG document: light, with its own background, and nothing in it that is not drawn here. A pure function of the chart. */
export function chartSvg(given: Chart): string {
  const chart = {
    ...given,
    points: given.points.filter(({ value }) => Number.isFinite(value)).map(({ at, value }) => ({ at, value: drawable(value) })),
    threshold: given.threshold && { ...given.threshold, value: drawable(given.threshold.value) },
  }
  const marks = shownMarks(chart)
  const height = LEGEND_TOP + marks.length * LEGEND_LINE + (marks.length > 0 ? 8 : -26)
  const scale = niceScale([...chart.points.map(({ value }) => value), ...(chart.threshold ? [chart.threshold.value] : [])], chart.unit)
  const span = Math.max(1, chart.to.getTime() - chart.from.getTime())
  const left = leftOf(scale.ticks.map((tick) => valueWords(tick, chart.unit)))
  const x: X = (at) => left + ((at.getTime() - chart.from.getTime()) / span) * (PLOT.right - left)
  const y: Y = (value) => PLOT.bottom - ((value - scale.low) / (scale.high - scale.low)) * (PLOT.bottom - PLOT.top)
  const parts = [
    `<rect width="${CHART_WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...heading(chart),
    ...valueAxis(scale, y, chart.unit, left),
    ...timeAxis(chart, x, left),
    ...marks.map((mark) => markLine(mark, x)),
    ...line(chart, x, y),
    ...limit(chart, y, left),
    ...badges(marks, x),
    ...marks.flatMap((mark, index) => legend(mark, LETTERS[index] ?? '', index)),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${CHART_WIDTH}" height="${height}" viewBox="0 0 ${CHART_WIDTH} ${height}" font-family="Inter" font-size="23" fill="${INK}">${parts.join('')}</svg>`
}

function leftOf(labels: readonly string[]): Left {
  const longest = Math.max(0, ...labels.map(({ length }) => length))
  return Math.min(AXIS.most, Math.max(AXIS.least, longest * AXIS.letter + AXIS.gap))
}

function heading(chart: Chart): string[] {
  const { title, from, to, points, unit, marks } = chart
  const values = points.map(({ value }) => value)
  const last = lastPoint(chart)
  const which = marks.some(({ kind }) => kind === 'end') ? 'at the end' : 'last'
  const lastWords = last && `${which} ${valueWords(last.value, unit)}`
  const now = lastWords ? `${lastWords}, highest ${valueWords(highest(values), unit)}` : 'no samples in this window'
  return [
    text(24, 42, cutText(capital(cleanText(title)), TITLE_MAX), { size: 31, bold: true }),
    text(24, 76, `${now} · ${dayClockWords(from).slice(0, 16)}–${clockWords(to).slice(0, 5)} UTC`, { size: 22, fill: QUIET }),
  ]
}

function valueAxis({ ticks }: Scale, y: Y, unit: string, left: Left): string[] {
  return ticks.flatMap((tick) => [
    path(`M${n(left)} ${n(y(tick))}H${PLOT.right}`, GRID, 1.5),
    text(left - AXIS.gap, y(tick) + 8, valueWords(tick, unit), { anchor: 'end', fill: QUIET }),
  ])
}

function timeAxis({ from, to }: Chart, x: X, left: Left): string[] {
  const ticks = timeTicks(from, to)
  const seconds = ticks.some((tick) => tick.getUTCSeconds() !== 0)
  return ticks.flatMap((tick) => {
    const anchor = x(tick) < left + 40 ? 'start' : x(tick) > PLOT.right - 40 ? 'end' : 'middle'
    return [
      path(`M${n(x(tick))} ${PLOT.bottom}v8`, QUIET, 1.5),
      text(x(tick), PLOT.bottom + 34, clockWords(tick).slice(0, seconds ? 8 : 5), { anchor, fill: QUIET }),
    ]
  })
}

function limit({ threshold, unit }: Chart, y: Y, left: Left): string[] {
  if (!threshold) return []
  const at = y(threshold.value)
  const words = `limit ${valueWords(threshold.value, unit)}`
  const below = at - PLOT.top < 30
  return [
    path(`M${n(left)} ${n(at)}H${PLOT.right}`, LIMIT, 2.5, '10 7'),
    text(left + 8, below ? at + 26 : at - 9, words, { fill: LIMIT, size: 21, bold: true, halo: true }),
  ]
}

function markLine({ at, kind }: ChartMark, x: X): string {
  return path(`M${n(x(at))} ${PLOT.top}V${PLOT.bottom}`, MARK_INK[kind], 2.5, kind === 'alert' || kind === 'end' ? '3 6' : null)
}

/** Over the line, so that each letter can be read. */
function badges(marks: readonly ChartMark[], x: X): string[] {
  let row = 0
  return marks.map(({ at, kind }, index) => {
    const before = marks[index - 1]
    row = before && x(at) - x(before.at) < BADGE_ROOM ? row + 1 : 0
    return badge(x(at), PLOT.top - 2 + row * BADGE_ROOM, LETTERS[index] ?? '', MARK_INK[kind])
  })
}

function line({ points, from, to }: Chart, x: X, y: Y): string[] {
  const inside = points.filter(({ at }) => at >= from && at <= to)
  const pieces = unbroken(inside)
  const d = pieces
    .map((piece) => piece.map(({ at, value }, index) => `${index === 0 ? 'M' : 'L'}${n(x(at))} ${n(y(value))}`).join(''))
    .join('')
  const alone = pieces.flatMap((piece) => (piece.length === 1 ? piece : []))
  return [
    ...(d === '' ? [] : [path(d, LINE, 3.5)]),
    ...alone.map(({ at, value }) => `<circle cx="${n(x(at))}" cy="${n(y(value))}" r="4" fill="${LINE}"/>`),
  ]
}

function unbroken(points: Chart['points']): Chart['points'][] {
  const steps = points.slice(1).map(({ at }, index) => at.getTime() - (points[index]?.at.getTime() ?? 0))
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  const starts = [0, ...steps.flatMap((step, index) => (step > usual * GAP_STEPS ? [index + 1] : []))]
  return points.length === 0 ? [] : starts.map((start, index) => points.slice(start, starts[index + 1]))
}

function legend({ at, kind, label }: ChartMark, letter: string, index: number): string[] {
  const top = LEGEND_TOP + index * LEGEND_LINE
  const words = cutText(cleanText(label, 200), LABEL_MAX)
  return [
    badge(38, top - 8, letter, MARK_INK[kind]),
    text(62, top, `${clockWords(at).slice(0, 8)} ${MARK_WORDS[kind]}: ${words}`, { size: 22 }),
  ]
}

function badge(x: number, y: number, letter: string, ink: string): string {
  return `<circle cx="${n(x)}" cy="${n(y)}" r="15" fill="${ink}"/>${text(x, y + 7.5, letter, { anchor: 'middle', size: 21, bold: true, fill: '#ffffff' })}`
}

interface TextForm {
  anchor?: 'start' | 'middle' | 'end'
  size?: number
  bold?: boolean
  fill?: string
  /** A white rim, to be read over lines. */
  halo?: boolean
}

function text(x: number, y: number, words: string, { anchor = 'start', size, bold = false, fill, halo = false }: TextForm = {}): string {
  const form = [
    ...(anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
    ...(size === undefined ? [] : [`font-size="${size}"`]),
    ...(bold ? ['font-family="Inter SemiBold"'] : []),
    ...(fill === undefined ? [] : [`fill="${fill}"`]),
    ...(halo ? ['paint-order="stroke" stroke="#ffffff" stroke-width="6"'] : []),
  ]
  return `<text x="${n(x)}" y="${n(y)}" ${form.join(' ')}>${escaped(words)}</text>`
}

function path(d: string, ink: string, width: number, dashes: string | null = null): string {
  return `<path d="${d}" fill="none" stroke="${ink}" stroke-width="${width}" stroke-linejoin="round"${dashes === null ? '' : ` stroke-dasharray="${dashes}"`}/>`
}

/** Text is text: nothing of it becomes an element, an attribute or a character that XML does not allow. */
function escaped(words: string): string {
  return words
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
}
