import type { Context } from 'hono'
import { z } from 'zod'
import type { Agent } from '../../agent/agent.ts'
import { altText } from '../charts/alt-text.ts'
import type { Chart } from '../charts/chart.ts'
import { incidentChart, metricChart } from '../charts/charts.ts'
import type { Png } from '../charts/png.ts'
import { chartSvg } from '../charts/svg.ts'
import { METRIC_NAMES } from '../metric-question.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { idSchema } from './lists.ts'
import { timeSchema } from './shapes.ts'
import { textSchema } from './text.ts'

export interface ChartApiDeps {
  agent: Pick<Agent, 'telemetry' | 'incidentSeries'>
  drawPng(svg: string): Promise<Png>
}

const LONGEST_MS = 24 * 3_600_000
const ANSWER = {
  200: { words: 'The chart as PNG; the header `x-alt-text` says it in words, percent-encoded.', schema: null, type: 'image/png' },
}
const metricQuery = z.object({
  metric: z.enum(METRIC_NAMES),
  service: textSchema(200, 1),
  from: timeSchema,
  to: timeSchema,
})

export function chartEndpoints({ agent, drawPng }: ChartApiDeps): Endpoint[] {
  const picture = async (chart: Chart, context: Context): Promise<Response> => {
    if (chart.points.length === 0) throw new HttpProblem('no-samples')
    const { body, etag } = await drawPng(chartSvg(chart))
    const headers = { 'cache-control': 'private, no-cache', etag, 'x-alt-text': encodeURIComponent(altText(chart)) }
    if (context.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'image/png' } })
  }
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/incidents/{id}/chart.png',
      name: 'drawIncident',
      summary: 'The metric that an incident is about, with its limit, the changes and the actions marked.',
      access: 'caller',
      params: idSchema,
      query: z.object({ v: z.string().max(20).optional() }),
      answers: { ...ANSWER, 304: { words: 'Unchanged.', schema: null } },
      problems: ['unknown-incident', 'no-samples', 'invalid-query'],
      async handle({ params, context }) {
        const series = await agent.incidentSeries(params.id)
        if (!series) throw new HttpProblem('unknown-incident')
        return await picture(incidentChart(series), context)
      },
    }),
    endpoint({
      method: 'get',
      path: '/api/v1/charts/metric.png',
      name: 'drawMetric',
      summary: 'A metric of a service over at most a day.',
      access: 'caller',
      query: metricQuery,
      answers: { ...ANSWER, 304: { words: 'Unchanged.', schema: null } },
      problems: ['unknown-target', 'no-samples', 'invalid-query'],
      async handle({ query, context }) {
        const [from, to] = [new Date(query.from), new Date(query.to)]
        const span = to.getTime() - from.getTime()
        if (span <= 0 || span > LONGEST_MS) throw new HttpProblem('invalid-query', 'from: has to be before to, by at most a day')
        return await picture(metricChart(await agent.telemetry.metric({ ...query, from, to })), context)
      },
    }),
  ]
}
