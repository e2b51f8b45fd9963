import { hexId, nanosecondsOf, resourcesOf, type StoredSpan, serveTraces, type TraceServer } from './stored-spans.ts'

/**
 * Tempo's HTTP API as its documentation describes it: a search by TraceQL within whole seconds answers with a line for each trace, by a trace's id
 * its spans come in OTLP's JSON, with ids in base64 and names for codes, as protobuf's JSON writes them. Of TraceQL it reads one spanset of
 * conditions joined by &&, and answers anything else with 400 as a query that cannot be parsed.
 */
export async function startTempo(): Promise<TraceServer> {
  return await serveTraces((url, spans) => {
    const id = /^\/api\/v2\/traces\/([^/]+)$/.exec(url.pathname)?.[1]
    if (url.pathname === '/api/search') return search(url.searchParams, spans)
    if (url.pathname === '/api/v2/search/tag/resource.service.name/values') return services(spans)
    if (id !== undefined)
      return { status: 200, body: { trace: traceJson(spans.filter(({ trace }) => hexId(trace, 32) === id)), metrics: {} } }
    return { status: 404, body: '404 page not found' }
  })
}

function services(spans: readonly StoredSpan[]): { status: number; body: unknown } {
  const names = [...new Set(spans.map(({ service }) => service))]
  return { status: 200, body: { tagValues: names.map((value) => ({ type: 'string', value })), metrics: {} } }
}

function search(query: URLSearchParams, spans: readonly StoredSpan[]): { status: number; body: unknown } {
  const [start, end, limit] = ['start', 'end', 'limit'].map((name) => query.get(name) ?? '')
  if (!/^\d+$/.test(start ?? '') || !/^\d+$/.test(end ?? '') || !/^\d+$/.test(limit ?? ''))
    return { status: 400, body: 'invalid start, end or limit' }
  const conditions = parseSpanset(query.get('q') ?? '')
  if (conditions === null) return { status: 400, body: `invalid TraceQL query: parse error` }
  const within = (span: StoredSpan): boolean => span.startMs >= Number(start) * 1_000 && span.startMs < Number(end) * 1_000
  const parents = new Set(spans.map(({ trace, parent }) => `${trace} ${parent}`))
  const found = spans.filter((span) => within(span) && conditions.every((holds) => holds(span, parents.has(`${span.trace} ${span.id}`))))
  const ids = [...new Set(found.map(({ trace }) => trace))].slice(0, Number(limit))
  // Nothing found is an empty object: protobuf's JSON leaves empty lists out.
  return {
    status: 200,
    body: ids.length === 0 ? { metrics: {} } : { traces: ids.map((id) => lineOf(spans.filter(({ trace }) => trace === id))), metrics: {} },
  }
}

type Condition = (span: StoredSpan, isCalling: boolean) => boolean

/** Literals are read as Go reads them, which is as JSON does for what is written here. */
const CONDITION =
  /^(?:resource\.([\w.-]+) (=|=~) ("(?:[^"\\\n]|\\.)*")|status = (error)|kind = (client)|duration >= (\d+)ms)(?: && (?=\S)|$)/

function parseSpanset(text: string): Condition[] | null {
  const inside = /^\{ (.+) \}$/s.exec(text)?.[1]
  if (inside === undefined) return null
  const conditions: Condition[] = []
  for (let rest = inside; rest !== ''; ) {
    const read = CONDITION.exec(rest)
    if (!read) return null
    rest = rest.slice(read[0].length)
    conditions.push(conditionOf(read))
  }
  return conditions
}

function conditionOf([, name, operator, literal, failed, client, ms]: RegExpExecArray): Condition {
  if (failed) return ({ failure }) => failure !== undefined
  if (client) return (_, isCalling) => isCalling
  if (ms !== undefined) return (span) => span.ms >= Number(ms)
  const value = String(JSON.parse(literal ?? '""'))
  const matches = operator === '=' ? (text: string) => text === value : (text: string) => new RegExp(`^(?:${value})$`, 'u').test(text)
  return ({ service, resource }) => matches((name === 'service.name' ? service : resource?.[name ?? '']) ?? '')
}

function lineOf(spans: readonly StoredSpan[]): object {
  const root = spans.find(({ parent }) => parent === undefined)
  const [begin, end] = [Math.min(...spans.map(({ startMs }) => startMs)), Math.max(...spans.map(({ startMs, ms }) => startMs + ms))]
  const byService = Map.groupBy(spans, ({ service }) => service)
  return {
    // It leaves the zeros at the beginning of an id out.
    traceID: hexId(spans[0]?.trace ?? '', 32).replace(/^0+/, ''),
    ...(root
      ? { rootServiceName: root.service, rootTraceName: root.operation ?? 'work' }
      : { rootServiceName: '<root span not yet received>' }),
    startTimeUnixNano: nanosecondsOf(begin),
    ...(end - begin >= 1 ? { durationMs: Math.floor(end - begin) } : {}),
    spanSets: [{ matched: 1 }],
    serviceStats: Object.fromEntries([...byService].map(([service, own]) => [service, statsOf(own)])),
  }
}

function statsOf(spans: readonly StoredSpan[]): object {
  const errorCount = spans.filter(({ failure }) => failure !== undefined).length
  return { spanCount: spans.length, ...(errorCount > 0 ? { errorCount } : {}) }
}

function traceJson(spans: readonly StoredSpan[]): object {
  if (spans.length === 0) return {}
  return {
    resourceSpans: resourcesOf(spans).map(({ service, resource, spans: own }) => ({
      resource: {
        attributes: Object.entries({ 'service.name': service, ...resource }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
      },
      scopeSpans: [{ scope: {}, spans: own.map(spanJson) }],
    })),
  }
}

function spanJson({ trace, id, parent, operation = 'work', startMs, ms, failure, kind }: StoredSpan): object {
  const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
  return {
    ...{ traceId: base64(hexId(trace, 32)), spanId: base64(hexId(id, 16)), name: operation, kind: `SPAN_KIND_${kind ?? 'SERVER'}` },
    ...(parent === undefined ? {} : { parentSpanId: base64(hexId(parent, 16)) }),
    ...{ startTimeUnixNano: nanosecondsOf(startMs), endTimeUnixNano: nanosecondsOf(startMs + ms) },
    status: failure === undefined ? {} : { code: 'STATUS_CODE_ERROR', message: failure },
  }
}
