import { z } from 'zod'
import { IntegrationError } from '../errors.ts'
import { getJson, type HttpServer } from '../http.ts'
import { hexOf, readSpans, tracesDataSchema } from '../ports/otlp-spans.ts'
import { type Span, TRACE_ID, type TraceQuery, type TraceSummary, type TracesPort } from '../ports/traces.ts'
import { CALLING, FAILED, resourceIs, resourceIsOneOf, spansWhere, type TraceQl, tookAtLeast } from './traceql.ts'

export interface TracesOptions {
  /** Exact values of attributes of what sends the spans. */
  match: Readonly<Record<string, string>>
  namespaces: readonly string[]
  linkUrl: string
}

const MAX_LIMIT = 50
/** The server itself refuses to search more than a week, unless it was told otherwise. */
const LONGEST_MS = 7 * 24 * 3_600_000
const SAMPLED = 2
const SAMPLED_MS = 15 * 60_000
const KNOWN_MS = 60 * 60_000
const NANOSECONDS_A_MILLISECOND = 1_000_000n
/** What it calls the service where the first span of a trace did not come yet. */
const NO_ROOT = '<root span not yet received>'
const NAMESPACE = 'k8s.namespace.name'

const count = z.int().min(0)
const searchSchema = z.object({
  // Left out where nothing was found.
  traces: z
    .array(
      z.object({
        traceID: z.string().max(100),
        rootServiceName: z.string().optional(),
        rootTraceName: z.string().optional(),
        startTimeUnixNano: z.string().regex(/^\d{1,20}$/),
        // Left out below one millisecond.
        durationMs: z.number().min(0).default(0),
        serviceStats: z.record(z.string(), z.object({ spanCount: count.default(0), errorCount: count.default(0) })).optional(),
      }),
    )
    .max(1_000)
    .nullish(),
})
type FoundTrace = NonNullable<z.infer<typeof searchSchema>['traces']>[number]

const traceSchema = z.object({ trace: tracesDataSchema.nullish() })
const valuesSchema = z.object({
  tagValues: z
    .array(z.object({ value: z.string().max(1_000) }))
    .max(10_000)
    .nullish(),
})

interface Traces extends Pick<TracesPort, 'search' | 'open'> {
  sample(service: string, now: Date, signal: AbortSignal): Promise<readonly Span[]>
}

/** Traces by TraceQL. A search answers with what a trace is, not with its spans. */
export function createTraces(server: HttpServer, options: TracesOptions): Traces {
  const find = async (asked: Record<string, string>, signal: AbortSignal | undefined): Promise<FoundTrace[]> => {
    const { traces } = await getJson(server, { path: '/api/search', query: asked, schema: searchSchema, signal })
    return traces ?? []
  }
  const isWithin = (attribute: (name: string) => string | null): boolean =>
    (options.namespaces.length === 0 || options.namespaces.includes(attribute(NAMESPACE) ?? '')) &&
    Object.entries(options.match).every(([name, value]) => attribute(name) === value)
  const open: TracesPort['open'] = async (id, signal) => {
    if (!TRACE_ID.test(id)) return null
    const path = `/api/v2/traces/${id}`
    const { trace } = await orNone(getJson(server, { path, query: {}, schema: traceSchema, signal }))
    const { spans, omitted } = readSpans(trace ?? {}, isWithin)
    if (spans.length === 0 && omitted === 0) return null
    return { query: path, link: `${options.linkUrl}${path}`, spans: spans.filter((span) => span.trace === id), omitted }
  }
  return {
    async search(query) {
      const condition = query.which === 'failed' ? FAILED : tookAtLeast(query.slowMs)
      const expression = spansWhere(...ofService(query.service, options), condition)
      const asked = askedFor(expression, query)
      const found = await find(asked, query.signal)
      const traces = found.flatMap(toSummary).toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
      const link = `${options.linkUrl}/api/search?${new URLSearchParams(asked)}`
      return { query: expression, link, traces: traces.slice(0, query.limit) }
    },
    open,
    async sample(service, now, signal) {
      const window = { from: new Date(now.getTime() - SAMPLED_MS), to: now, limit: SAMPLED }
      const found = await find(askedFor(spansWhere(...ofService(service, options), CALLING), window), signal)
      const opened: Span[] = []
      for (const { id } of found.flatMap(toSummary)) opened.push(...((await open(id, signal))?.spans ?? []))
      return opened
    },
  }
}

/** Names of the services that sent spans within the last hour. */
export async function servicesOf(server: HttpServer, now: Date, signal: AbortSignal): Promise<string[]> {
  const path = '/api/v2/search/tag/resource.service.name/values'
  const query = secondsOf({ from: new Date(now.getTime() - KNOWN_MS), to: now })
  const { tagValues } = await getJson(server, { path, query, schema: valuesSchema, signal })
  return (tagValues ?? []).map(({ value }) => value)
}

function ofService(service: string, { match, namespaces }: TracesOptions): TraceQl[] {
  return [
    resourceIs('service.name', service),
    ...(namespaces.length === 0 ? [] : [resourceIsOneOf(NAMESPACE, namespaces)]),
    ...Object.entries(match).map(([name, value]) => resourceIs(name, value)),
  ]
}

function askedFor(expression: TraceQl, { from, to, limit }: Pick<TraceQuery, 'from' | 'to' | 'limit'>): Record<string, string> {
  const most = String(Math.min(Math.max(1, Math.trunc(limit)), MAX_LIMIT))
  return { q: expression, limit: most, spss: '1', ...secondsOf({ from, to }) }
}

/** Whole seconds around the window: the server knows no finer ones. */
function secondsOf({ from, to }: { from: Date; to: Date }): { start: string; end: string } {
  const begin = Math.max(from.getTime(), to.getTime() - LONGEST_MS)
  return { start: String(Math.floor(begin / 1_000)), end: String(Math.ceil(to.getTime() / 1_000)) }
}

function toSummary(found: FoundTrace): TraceSummary[] {
  const id = hexOf(found.traceID, 32)
  if (id === null) return []
  const stats = found.serviceStats ? Object.entries(found.serviceStats).slice(0, 100) : null
  const sum = (of: 'spanCount' | 'errorCount'): number | null => stats?.reduce((total, [, each]) => total + each[of], 0) ?? null
  const isRootKnown = found.rootServiceName !== NO_ROOT
  const root = isRootKnown ? (found.rootServiceName?.slice(0, 200).toWellFormed() ?? null) : null
  return [
    {
      id,
      service: root,
      operation: isRootKnown ? (found.rootTraceName?.slice(0, 200).toWellFormed() ?? null) : null,
      startedAt: new Date(Number(BigInt(found.startTimeUnixNano) / NANOSECONDS_A_MILLISECOND)),
      ms: found.durationMs,
      spans: sum('spanCount'),
      failedSpans: sum('errorCount'),
      services: stats?.map(([name]) => name.slice(0, 200).toWellFormed()) ?? (root === null ? [] : [root]),
    },
  ]
}

/** A trace that is not there (any more) is no fault. */
async function orNone(answer: Promise<z.infer<typeof traceSchema>>): Promise<z.infer<typeof traceSchema>> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof IntegrationError && error.code === 'not_found') return {}
    throw error
  }
}
