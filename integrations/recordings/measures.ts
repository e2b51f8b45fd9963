import { z } from 'zod'
import type { MeasureState } from '../ports/cluster-state.ts'
import { jsonOf } from './answers.ts'
import { quantityIn } from './quantities.ts'
import { readTable } from './tables.ts'

const MAX_SERIES = 1_000
const MAX_QUERY = 1_000
const MAX_SAMPLES = 2_000

const sample = z.tuple([z.number(), z.coerce.string()])
const seriesSchema = z.object({
  metric: z.record(z.string(), z.coerce.string()).default({}),
  value: sample.optional(),
  values: z.array(sample).optional(),
})
const resultSchema = z.object({ result: z.array(z.unknown()) })

/** What a query for metrics answered: JSON of the query API of Prometheus, or a table with numbers in it, such as that of `kubectl top`. */
export function measuresIn(text: string, asked: string): MeasureState[] {
  const query = asked.slice(0, MAX_QUERY)
  const json = jsonOf(text)
  return (json === undefined ? ofTable(text, query) : ofQuery(json, query)).slice(0, MAX_SERIES)
}

function ofQuery(json: unknown, query: string): MeasureState[] {
  const whole = z.object({ data: resultSchema }).safeParse(json)
  const bare = resultSchema.safeParse(json)
  const result = whole.success ? whole.data.data.result : bare.success ? bare.data.result : Array.isArray(json) ? (json as unknown[]) : []
  return result.slice(0, MAX_SERIES).flatMap((each) => {
    const parsed = seriesSchema.safeParse(each)
    if (!parsed.success) return []
    const { metric, value, values } = parsed.data
    const { __name__: name = '', ...labels } = metric
    const samples = (values ?? (value ? [value] : [])).slice(-MAX_SAMPLES).flatMap(([at, told]) => {
      const number = Number(told)
      return Number.isFinite(number) ? [{ at: new Date(at * 1_000), value: number }] : []
    })
    return samples.length === 0 ? [] : [{ name: `${name} ${query}`.trim(), labels, samples }]
  })
}

/** Each column of numbers is a measure; the others say of what. */
function ofTable(text: string, query: string): MeasureState[] {
  return readTable(text, /^\s*[A-Za-z][\w%()]*(\s{2,}|$)/).flatMap((row) => {
    const cells = Object.entries(row).map(([heading, told]) => ({ heading: heading.toLowerCase(), told, value: numberIn(told) }))
    const labels = Object.fromEntries(cells.flatMap(({ heading, told, value }) => (value === null && told !== '' ? [[heading, told]] : [])))
    return cells.flatMap(({ heading, value }) =>
      value === null ? [] : [{ name: `${query} ${heading}`.trim(), labels, samples: [{ at: null, value }] }],
    )
  })
}

/** Shares of one, seconds, cores and bytes, whatever unit they are written in. */
function numberIn(text: string): number | null {
  const [, digits, unit] = /^(-?[\d.]+)(%|ms|s)$/.exec(text) ?? []
  if (digits === undefined) return quantityIn(text)
  return unit === '%' ? Number(digits) / 100 : unit === 'ms' ? Number(digits) / 1_000 : Number(digits)
}
