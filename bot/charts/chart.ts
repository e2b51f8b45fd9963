/** One moment that explains the line: what fired, what changed, what was done, when it was over. */
export interface ChartMark {
  at: Date
  kind: 'alert' | 'change' | 'action' | 'end'
  /** Text from outside may be in it; it is drawn as text. */
  label: string
}

/** Everything a chart shows; `svg.ts` draws it, `alt-text.ts` says it. Values are in `unit`: 'ratio' 0–1, 's', 'bytes', '/s' or ''. */
export interface Chart {
  /** 'errors of payments' */
  title: string
  unit: string
  from: Date
  to: Date
  /** Oldest first; a moment without data has no point. */
  points: readonly { at: Date; value: number }[]
  threshold: { value: number; above: boolean } | null
  marks: readonly ChartMark[]
}

/** Any mark but these is left out: more letters than can be told apart. */
export const MARKS_SHOWN = 6
export const LETTERS = 'ABCDEF'

/** The marks inside the window, in the order of time, the latest when there are too many. */
export function shownMarks({ marks, from, to }: Pick<Chart, 'marks' | 'from' | 'to'>): ChartMark[] {
  return marks
    .filter(({ at }) => at.getTime() >= from.getTime() && at.getTime() <= to.getTime())
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .slice(-MARKS_SHOWN)
}

/** The last sample of the story: of what is over the one at its end, for what comes after it is another story. */
export function lastPoint({ points, marks }: Pick<Chart, 'points' | 'marks'>): { at: Date; value: number } | undefined {
  const end = marks.findLast(({ kind }) => kind === 'end')
  return points.findLast(({ at }) => !end || at <= end.at)
}

export const MARK_WORDS: Readonly<Record<ChartMark['kind'], string>> = { alert: 'alert', change: 'change', action: 'action', end: 'end' }

/** A value in its unit as an axis says it: '12.5 %', '250 ms', '1.5 s', '64 MiB', '3 /s'. */
export function valueWords(value: number, unit: string): string {
  if (unit === 'ratio') return `${short(value * 100)} %`
  if (unit === 's') return Math.abs(value) < 1 && value !== 0 ? `${short(value * 1_000)} ms` : `${short(value)} s`
  if (unit === 'bytes') return bytesWords(value)
  return unit === '' ? short(value) : `${short(value)} ${unit}`
}

function bytesWords(value: number): string {
  const steps = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = value === 0 ? 0 : Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log2(Math.abs(value)) / 10)))
  return `${short(value / 1_024 ** power)} ${steps[power] ?? ''}`
}

/** Three digits at most: a chart is read, not computed with. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
