import { z } from 'zod'
import { getJson, type HttpServer } from '../http.ts'
import type { MetricQuery, MetricSeries, MetricsPort, Point } from '../ports/metrics.ts'
import { thinPoints } from '../ports/thin-points.ts'
import { queryFor, type SeriesNames } from './queries.ts'

export interface MetricsOptions {
  environment: string
  namespaces: readonly string[]
  names: SeriesNames
  /** How far apart samples are, in seconds: no question is finer than that. */
  scrapeSeconds: number
  /** Where a person opens the same question; null for the server itself. */
  linkUrl: string
}

const MAX_POINTS = 1_000
/** The server itself gives no more than 11,000 points a series. */
const MAX_ASKED_POINTS = 10_000
const LONGEST_MS = 31 * 24 * 3_600_000
/** A rate needs some scrapes: four, as the server's own documentation advises. */
const SCRAPES_OF_A_RATE = 4

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ values: z.array(z.tuple([z.number(), z.string()])) })).max(100),
  }),
})

/** Metrics by the query API that Prometheus, Thanos, Mimir and VictoriaMetrics share. One series an answer: queries aggregate. */
export function createMetrics(server: HttpServer, options: MetricsOptions): MetricsPort {
  return {
    resolutionSeconds: options.scrapeSeconds,
    async read(query) {
      const labels = { service: query.service, environment: options.environment }
      const expression = queryFor(options.names, {
        metric: query.metric,
        service: query.service,
        namespaces: options.namespaces,
        version: query.version,
        rateSeconds: SCRAPES_OF_A_RATE * options.scrapeSeconds,
      })
      if (expression === null) return { query: `${query.metric} is not asked of this server`, link: null, labels, points: [] }
      const window = windowOf(query, options.scrapeSeconds)
      const answer = { query: expression, link: linkTo(options.linkUrl, expression, query), labels } satisfies Partial<MetricSeries>
      // The server refuses a range whose first step lies behind its end: no sample can be in it.
      if (Number(window.start) > Number(window.end)) return { ...answer, points: [] }
      const { data } = await getJson(server, {
        path: '/api/v1/query_range',
        query: { query: expression, ...window, timeout: `${Math.ceil(server.timeoutMs / 1_000)}s` },
        schema: answerSchema,
        signal: query.signal,
      })
      const points = (data.result[0]?.values ?? []).flatMap(toPoint)
      return { ...answer, points: thinPoints(points, MAX_POINTS) } satisfies MetricSeries
    },
  }
}

/** Steps are multiples of the step since 1970, so that the same moment has the same point in every answer. */
function windowOf({ from, to, stepSeconds }: MetricQuery, scrapeSeconds: number): { start: string; end: string; step: string } {
  const begin = Math.max(from.getTime(), to.getTime() - LONGEST_MS)
  const seconds = Math.max(0, (to.getTime() - begin) / 1_000)
  const step = Math.max(1, Math.ceil(stepSeconds), scrapeSeconds, Math.ceil(seconds / MAX_ASKED_POINTS))
  return { start: String(Math.ceil(begin / 1_000 / step) * step), end: String(to.getTime() / 1_000), step: String(step) }
}

/** What is no number (0/0) is no point. */
function toPoint([seconds, text]: [number, string]): Point[] {
  const value = Number(text)
  return text.trim() !== '' && Number.isFinite(value) ? [{ at: new Date(seconds * 1_000), value }] : []
}

function linkTo(url: string, expression: string, { from, to }: MetricQuery): string {
  const minutes = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / 60_000))
  const query = new URLSearchParams({
    'g0.expr': expression,
    'g0.tab': '0',
    'g0.range_input': `${minutes}m`,
    'g0.end_input': to.toISOString(),
  })
  return `${url}/graph?${query}`
}
