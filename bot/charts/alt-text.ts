import { clockWords, dayClockWords } from '../messages/time-words.ts'
import { cleanText, cutText } from '../messages/visible-text.ts'
import { type Chart, LETTERS, lastPoint, MARK_WORDS, shownMarks, valueWords } from './chart.ts'

/** What platforms take. */
const LONGEST = 1_900

/** What the chart shows, in words: for who cannot see it, and where it cannot be shown. */
export function altText(chart: Chart): string {
  const sentences = [
    `Chart of ${cleanText(chart.title, 200)}, ${dayClockWords(chart.from)} to ${clockWords(chart.to)}.`,
    courseWords(chart),
    limitWords(chart),
    ...shownMarks(chart).map(
      ({ at, kind, label }, index) => `${LETTERS[index] ?? ''}, ${clockWords(at)}, ${MARK_WORDS[kind]}: ${cleanText(label, 160)}.`,
    ),
  ]
  return cutText(sentences.filter((sentence) => sentence !== '').join(' '), LONGEST)
}

function courseWords(chart: Chart): string {
  const { points, unit } = chart
  const [first, last] = [points[0], lastPoint(chart)]
  if (!first || !last) return 'There are no samples.'
  const peak = points.reduce((most, point) => (point.value > most.value ? point : most), first)
  const low = points.reduce((least, point) => (point.value < least.value ? point : least), first)
  const peakWords = `highest ${valueWords(peak.value, unit)} at ${clockWords(peak.at)}, lowest ${valueWords(low.value, unit)} at ${clockWords(low.at)}`
  return `${valueWords(first.value, unit)} at first, ${peakWords}, ${valueWords(last.value, unit)} at the end.`
}

function limitWords({ threshold, points, unit }: Chart): string {
  if (!threshold) return ''
  const beyond = points.filter(({ value }) => (threshold.above ? value > threshold.value : value < threshold.value))
  const [first, last] = [beyond[0], beyond.at(-1)]
  const side = threshold.above ? 'above' : 'below'
  const when = first && last ? `${side} it between ${clockWords(first.at)} and ${clockWords(last.at)}` : `never ${side} it`
  return `The limit is ${valueWords(threshold.value, unit)}; ${when}.`
}
