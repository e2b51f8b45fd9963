import { hexId, nanosecondsOf, resourcesOf, type StoredSpan, serveTraces, type TraceServer } from './stored-spans.ts'

/**
 * The query service's API of version 3 over HTTP, as jaeger-idl's query_service.proto and the service's own gateway describe it: times in RFC 3339
 * are required, conditions hold of one span, an answer is whole traces in OTLP's JSON with hexadecimal ids and numbers for codes, in an envelope;
 * nothing found is 404 with the gateway's error. `old`: it knows neither attributes nor search_depth, as before they were added.
 */
export async function startJaeger({ old = false }: { old?: boolean } = {}): Promise<TraceServer> {
  return await serveTraces((url, spans) => {
    const id = /^\/api\/v3\/traces\/([^/]+)$/.exec(url.pathname)?.[1]
    if (url.pathname === '/api/v3/services') return { status: 200, body: { services: [...new Set(spans.map(({ service }) => service))] } }
    if (url.pathname === '/api/v3/traces') return search(url.searchParams, spans, old)
    if (id !== undefined && !/^[0-9a-f]{1,32}$/.test(id)) return fault(400, 'malformed parameter trace_id')
    if (id !== undefined) return traces(spans, new Set(spans.filter(({ trace }) => hexId(trace, 32) === id).map(({ trace }) => trace)))
    return { status: 404, body: '404 page not found' }
  })
}

function search(query: URLSearchParams, spans: readonly StoredSpan[], old: boolean): { status: number; body: unknown } {
  const [from, to] = [query.get('query.start_time_min') ?? '', query.get('query.start_time_max') ?? '']
  if (from === '' || to === '') return fault(400, 'query.start_time_min and query.start_time_max are required')
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/
  if (!rfc3339.test(from) || !rfc3339.test(to)) return fault(400, 'malformed parameter query.start_time_min')
  const depth = (old ? null : query.get('query.search_depth')) ?? query.get('query.num_traces') ?? '100'
  if (!/^\d+$/.test(depth)) return fault(400, 'malformed parameter query.search_depth')
  const shortest = query.get('query.duration_min') ?? '0ms'
  if (!/^\d+(ms|s)$/.test(shortest)) return fault(400, 'malformed parameter query.duration_min')
  const attributes: unknown = old ? {} : JSON.parse(query.get('query.attributes') ?? '{}')
  const least = Number.parseInt(shortest, 10) * (shortest.endsWith('ms') ? 1 : 1_000)
  const isFound = (span: StoredSpan): boolean =>
    span.service === query.get('query.service_name') &&
    span.startMs >= Date.parse(from) &&
    span.startMs < Date.parse(to) &&
    span.ms >= least &&
    Object.entries(attributes as Record<string, string>).every(([key, value]) => attributesOf(span)[key] === value)
  return traces(spans, new Set([...new Set(spans.filter(isFound).map(({ trace }) => trace))].slice(0, Number(depth))))
}

function attributesOf({ failure, resource }: StoredSpan): Readonly<Record<string, string>> {
  return { ...resource, ...(failure === undefined ? {} : { error: 'true' }) }
}

function traces(spans: readonly StoredSpan[], wanted: ReadonlySet<string>): { status: number; body: unknown } {
  if (wanted.size === 0) return fault(404, 'No traces found')
  const resourceSpans = resourcesOf(spans.filter(({ trace }) => wanted.has(trace))).map(({ service, resource, spans: own }) => ({
    resource: {
      attributes: Object.entries({ 'service.name': service, ...resource }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    },
    scopeSpans: [{ scope: {}, spans: own.map(spanJson) }],
  }))
  return { status: 200, body: { result: { resourceSpans } } }
}

function spanJson({ trace, id, parent, operation = 'work', startMs, ms, failure, kind }: StoredSpan): object {
  return {
    ...{ traceId: hexId(trace, 32), spanId: hexId(id, 16), parentSpanId: parent === undefined ? '' : hexId(parent, 16) },
    ...{
      name: operation,
      kind: kind === undefined ? 2 : kind === 'PRODUCER' ? 4 : 5,
      startTimeUnixNano: nanosecondsOf(startMs),
      endTimeUnixNano: nanosecondsOf(startMs + ms),
    },
    status: failure === undefined ? {} : { code: 2, message: failure },
  }
}

function fault(httpCode: number, message: string): { status: number; body: unknown } {
  return { status: httpCode, body: { error: { httpCode, message } } }
}
