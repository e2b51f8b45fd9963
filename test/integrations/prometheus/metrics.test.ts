import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { METRICS, type MetricName, type MetricSeries } from '../../../integrations/ports/metrics.ts'
import { createPrometheus, type PrometheusOptions } from '../../../integrations/prometheus/index.ts'
import { fillTemplate, literal, podsOf, promql } from '../../../integrations/prometheus/promql.ts'
import { queryFor } from '../../../integrations/prometheus/queries.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

const NAMES: PrometheusOptions['names'] = {
  serviceLabel: 'service',
  match: { cluster: 'eu' },
  requests: 'http_requests_total',
  statusLabel: 'status',
  duration: 'http_request_duration_seconds',
  queries: {},
}
const HOSTILE = ['a"} or vector(1) #', 'a\\', 'a\\"b', '\n', 'x{}', "'", '`', '\u2028', '\ud800', 'a,b="c"', '.*', '-'.repeat(300)]

interface Answer {
  status?: number
  body: unknown
  headers?: Record<string, string>
}

async function serve(answer: (url: URL) => Answer): Promise<{ url: string; asked: URL[]; headers: Record<string, unknown>[] }> {
  const asked: URL[] = []
  const headers: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    asked.push(url)
    headers.push(request.headers)
    const { status = 200, body, headers: more = {} } = answer(url)
    response.writeHead(status, { 'content-type': 'application/json', ...more })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, headers }
}

function matrix(values: readonly (readonly [number, string])[]): Answer {
  return { body: { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } } }
}

const BEGIN = Date.UTC(2026, 0, 1)

async function read(
  url: string,
  query: { service?: string; metric?: MetricName; minutes?: number } = {},
  options: Partial<PrometheusOptions> = {},
): Promise<MetricSeries> {
  const { service = 'payments', metric = 'error_ratio', minutes = 10 } = query
  const prometheus = createPrometheus({
    ...{
      environment: 'production',
      url,
      linkUrl: null,
      token: 'a-token',
      tenant: null,
      namespaces: ['shop'],
      scrapeSeconds: 15,
      names: NAMES,
    },
    ...options,
  })
  return await prometheus.metrics.read({ service, metric, from: new Date(BEGIN), to: new Date(BEGIN + minutes * 60_000), stepSeconds: 1 })
}

test('asks for a range, no finer than there are samples, and gives the query and a link with the answer', async () => {
  const { url, asked, headers } = await serve(() =>
    matrix([
      [BEGIN / 1_000, '0.25'],
      [BEGIN / 1_000 + 15, 'NaN'],
      [BEGIN / 1_000 + 30, '0.5'],
    ]),
  )
  const { points, query, link } = await read(url)
  expect(points).toEqual([
    { at: new Date(BEGIN), value: 0.25 },
    { at: new Date(BEGIN + 30_000), value: 0.5 },
  ])
  expect(query).toContain('http_requests_total{cluster="eu",service="payments",status=~"5.."}[60s]')
  expect(link).toContain(encodeURIComponent('service="payments"').replaceAll('%20', '+'))
  expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toMatchObject({ step: '15', start: String(BEGIN / 1_000), query })
  expect(headers[0]?.['authorization']).toBe('Bearer a-token')
})

test('a range too short for a sample has none, and the server is not asked what it would refuse', async () => {
  const { url, asked } = await serve(() => ({
    status: 400,
    body: { status: 'error', error: 'end timestamp must not be before start time' },
  }))
  const prometheus = createPrometheus({
    ...{ environment: 'production', url, linkUrl: null, token: null, tenant: null, namespaces: ['shop'], scrapeSeconds: 15, names: NAMES },
  })
  const range = { from: new Date(BEGIN + 1_000), to: new Date(BEGIN + 3_000), stepSeconds: 1 }
  expect((await prometheus.metrics.read({ service: 'payments', metric: 'error_ratio', ...range })).points).toEqual([])
  expect(asked).toEqual([])
})

test('thins a long answer and keeps its extremes', async () => {
  const { url, asked } = await serve(() =>
    matrix(
      Array.from({ length: 9_000 }, (_, index) => [BEGIN / 1_000 + index, index === 4_321 ? '9' : index === 7_000 ? '-9' : '1'] as const),
    ),
  )
  const { points } = await read(url, { minutes: 60 * 24 * 365 })
  expect(points.length).toBeLessThanOrEqual(1_002)
  expect(points.map(({ value }) => value)).toEqual(expect.arrayContaining([9, -9]))
  const { start, end, step } = Object.fromEntries(asked[0]?.searchParams ?? [])
  expect((Number(end) - Number(start)) / Number(step)).toBeLessThanOrEqual(10_001)
})

test('no series is no points; a metric without a query here asks nothing', async () => {
  const { url, asked } = await serve(() => ({ body: { status: 'success', data: { resultType: 'matrix', result: [] } } }))
  expect((await read(url)).points).toEqual([])
  expect((await read(url, { metric: 'queue_depth' })).points).toEqual([])
  expect(asked).toHaveLength(1)
  expect(
    (await read(url, { metric: 'queue_depth' }, { names: { ...NAMES, queries: { queue_depth: 'max(depth{app=$service})' } } })).query,
  ).toBe('max(depth{app="payments"})')
})

test.each([
  ['unauthorised', { status: 401, body: 'no' }, 'auth'],
  ['forbidden', { status: 403, body: 'no' }, 'permission'],
  ['too many', { status: 429, body: 'no', headers: { 'retry-after': '7' } }, 'rate_limited'],
  ['broken', { status: 502, body: '<html>' }, 'unavailable'],
  ['no JSON', { body: '<html>' }, 'invalid_response'],
  ['another shape', { body: { status: 'success', data: { resultType: 'vector', result: [] } } }, 'invalid_response'],
  ['too large', { body: `"${'x'.repeat(9 * 1024 * 1024)}"` }, 'invalid_response'],
  ['elsewhere', { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }, 'unavailable'],
] satisfies [string, Answer, string][])(
  'an answer that is %s is a fault with a code, and never shows the token',
  async (_, answer, code) => {
    const { url } = await serve(() => answer)
    const fault = await read(url).catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'IntegrationError', code, ...(code === 'rate_limited' ? { retryAfter: 7 } : {}) })
    expect(String(fault)).not.toContain('a-token')
  },
)

test('a server that is not there is unavailable, and doctor says what to set', async () => {
  const options = {
    environment: 'production',
    url: 'http://127.0.0.1:9',
    linkUrl: null,
    token: null,
    tenant: null,
    namespaces: [],
    scrapeSeconds: 15,
    names: NAMES,
  }
  const prometheus = createPrometheus(options)
  await expect(read('http://127.0.0.1:9')).rejects.toMatchObject({ code: 'unavailable' })
  const [result] = await prometheus.check()
  expect(result).toMatchObject({ status: 'failed', fix: expect.stringContaining('PROMETHEUS_URL') })
})

/** Reads PromQL as its lexer does, as far as strings go: what is outside of them. */
function outsideStrings(query: string): string {
  return query.replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
}

test.each(HOSTILE)('a hostile name stays inside its literal: %j', (service) => {
  const asked = { metric: 'request_rate' as const, namespaces: ['shop'], version: undefined, rateSeconds: 60 }
  for (const metric of Object.keys(METRICS) as MetricName[]) {
    const plain = queryFor(NAMES, { ...asked, metric, service: 'payments' })
    const hostile = queryFor(NAMES, { ...asked, metric, service })
    expect(outsideStrings(hostile ?? '')).toBe(outsideStrings(plain ?? ''))
  }
})

const anyText = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units))

test('whatever the text, a literal ends where it says, and holds it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const made of [literal(text), podsOf(text)]) expect(outsideStrings(promql`a{b=${made}}`)).toBe('a{b=""}')
      expect(JSON.parse(literal(text))).toBe(text.toWellFormed())
      expect(fillTemplate('x{a=$service} $other', { service: literal(text) })).toBe(`x{a=${literal(text)}} $other`)
    }),
  )
})
