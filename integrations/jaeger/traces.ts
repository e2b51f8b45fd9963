import { z } from 'zod'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { readSpans, summarise, tracesDataSchema } from '../ports/otlp-spans.ts'
import { type Span, TRACE_ID, type TraceQuery, type TracesPort } from '../ports/traces.ts'

const MAX_LIMIT = 50
const LONGEST_MS = 7 * 24 * 3_600_000
const SAMPLED = 5
const SAMPLED_MS = 15 * 60_000

/** The query service wraps what it found, because one day it may send it in parts: https://www.jaegertracing.io/docs/latest/apis/ */
const answerSchema = z.object({ result: tracesDataSchema })
const NONE = { result: {} } satisfies z.infer<typeof answerSchema>

type Found = Awaited<ReturnType<TracesPort['search']>>

interface Traces {
  /** `note` is told the spans of everything that was found, whether or not it is what was asked for. */
  search(query: TraceQuery, note: (spans: readonly Span[]) => void): Promise<Found>
  open: TracesPort['open']
  sample(service: string, now: Date, signal: AbortSignal): Promise<readonly Span[]>
}

/** Traces by the query API of version 3, the one that is documented as stable. It answers a search with whole traces. */
export function createTraces(server: HttpServer, linkUrl: string): Traces {
  const find = async (query: Record<string, string>, signal: AbortSignal | undefined): Promise<Span[]> => {
    const question = { path: '/api/v3/traces', query, schema: answerSchema, signal }
    const { result } = await orNone(getJson(server, question))
    return readSpans(result).spans
  }
  return {
    async search(query, note) {
      const parameters = parametersOf(query)
      const spans = await find(parameters, query.signal)
      note(spans)
      // Older servers leave attributes out of the search, and a duration is that of any span: what was asked for is looked for again here.
      const wanted = new Set(spans.filter((span) => span.service === query.service && isWanted(span, query)).map(({ trace }) => trace))
      const traces = summarise(spans.filter(({ trace }) => wanted.has(trace))).slice(0, query.limit)
      return { query: `/api/v3/traces?${decoded(parameters)}`, link: searchLink(linkUrl, query), traces }
    },
    async open(id, signal) {
      if (!TRACE_ID.test(id)) return null
      const path = `/api/v3/traces/${id}`
      const { result } = await orNone(getJson(server, { path, query: {}, schema: answerSchema, signal }))
      const { spans, omitted } = readSpans(result)
      if (spans.length === 0 && omitted === 0) return null
      return { query: path, link: `${linkUrl}/trace/${id}`, spans: spans.filter(({ trace }) => trace === id), omitted }
    },
    sample: (service, now, signal) => {
      const window = { from: new Date(now.getTime() - SAMPLED_MS), to: now }
      return find(windowOf({ service, ...window, limit: SAMPLED }), signal)
    },
  }
}

/** That nothing was found is answered like what does not exist, but in the API's own words. */
async function orNone(answer: Promise<z.infer<typeof answerSchema>>): Promise<z.infer<typeof answerSchema>> {
  try {
    return await answer
  } catch (error) {
    if (
      error instanceof IntegrationError &&
      error.code === 'not_found' &&
      /"message":\s*"(No traces found|trace not found)/i.test(error.message)
    )
      return NONE
    throw error
  }
}

function windowOf({ service, from, to, limit }: Pick<TraceQuery, 'service' | 'from' | 'to' | 'limit'>): Record<string, string> {
  const most = String(Math.min(Math.max(1, Math.trunc(limit)), MAX_LIMIT))
  return {
    'query.service_name': service.toWellFormed(),
    'query.start_time_min': new Date(Math.max(from.getTime(), to.getTime() - LONGEST_MS)).toISOString(),
    'query.start_time_max': to.toISOString(),
    'query.search_depth': most,
    // What older servers call it.
    'query.num_traces': most,
  }
}

function parametersOf(query: TraceQuery): Record<string, string> {
  if (query.which === 'failed') return { ...windowOf(query), 'query.attributes': JSON.stringify({ error: 'true' }) }
  return { ...windowOf(query), 'query.duration_min': `${Math.max(0, Math.round(query.slowMs))}ms` }
}

function isWanted({ failure, ms }: Span, { which, slowMs }: TraceQuery): boolean {
  return which === 'failed' ? failure !== null : ms >= slowMs
}

function decoded(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function searchLink(url: string, { service, from, to, which, slowMs, limit }: TraceQuery): string {
  const microseconds = (at: Date): string => `${at.getTime()}000`
  const more = which === 'failed' ? { tags: JSON.stringify({ error: 'true' }) } : { minDuration: `${Math.round(slowMs)}ms` }
  const query = { service: service.toWellFormed(), start: microseconds(from), end: microseconds(to), limit: String(limit), ...more }
  return `${url}/search?${new URLSearchParams(query)}`
}
