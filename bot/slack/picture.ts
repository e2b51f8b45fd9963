import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Chart } from '../charts/chart.ts'

/** A row takes 128 KiB. */
const MOST_POINTS = 1_000
const MOST_MARKS = 20

const moment = z.coerce.date()
const chartSchema: z.ZodType<Chart> = z.object({
  title: z.string(),
  unit: z.string(),
  from: moment,
  to: moment,
  points: z.array(z.object({ at: moment, value: z.number() })).max(MOST_POINTS),
  threshold: z.object({ value: z.number(), above: z.boolean() }).nullable(),
  marks: z.array(z.object({ at: moment, kind: z.enum(['alert', 'change', 'action', 'end']), label: z.string() })).max(MOST_MARKS),
})

/** The chart of an answer: Slack fetches no picture that only people who are signed in may see, so it is uploaded below. */
export const pictureSchema = z.object({ name: z.string(), title: z.string(), chart: chartSchema })

/** Null where there is nothing to be seen. The same ref makes the same file, by which it is found again after a crash. */
export function pictureOf(chart: Chart | undefined, ref: string): z.input<typeof pictureSchema> | null {
  if (chart === undefined || chart.points.length === 0) return null
  const name = `steadyhand-${createHash('sha256').update(ref).digest('hex').slice(0, 12)}.png`
  return { name, title: chart.title, chart: { ...chart, points: chart.points.slice(-MOST_POINTS), marks: chart.marks.slice(-MOST_MARKS) } }
}
