import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Integration, IntegrationDeps } from '../../../integrations/contract.ts'
import { createJaeger } from '../../../integrations/jaeger/index.ts'
import type { TraceQuery } from '../../../integrations/ports/traces.ts'
import { createTempo } from '../../../integrations/tempo/index.ts'
import { literal } from '../../../integrations/tempo/traceql.ts'
import { anyText } from '../../support/any-text.ts'
import { until } from '../../support/live/until.ts'
import { startJaeger } from '../../support/traces/jaeger-server.ts'
import { hexId, type StoredSpan, type TraceServer } from '../../support/traces/stored-spans.ts'
import { startTempo } from '../../support/traces/tempo-server.ts'

const AT = Date.UTC(2026, 0, 1, 12)
const WINDOW = { from: new Date(AT - 60_000), to: new Date(AT + 60_000) }
const FAILED: TraceQuery = { service: 'payments', ...WINDOW, which: 'failed', slowMs: 500, limit: 10 }
const SLOW: TraceQuery = { ...FAILED, which: 'slow' }

type WithTraces = Integration & Required<Pick<Integration, 'traces'>>
const running: { stop(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

const memory = new Map<string, unknown>()
const warnings: object[] = []
let now = new Date(AT + 60_000)
const deps: IntegrationDeps = {
  now: () => now,
  log: { info: () => {}, warn: (object) => warnings.push(object), error: () => {} },
  memory: {
    load: async (key) => memory.get(key) ?? null,
    save: async (key, value) => {
      memory.set(key, JSON.parse(JSON.stringify(value)))
    },
  },
  scrapes: { append: async () => {}, read: async () => [] },
  raise: async () => {},
}
const VENDORS = {
  jaeger: {
    serve: () => startJaeger(),
    create: (url: string) =>
      createJaeger(deps, { environment: 'production', url, linkUrl: 'http://ui.example', token: 'hush', tenant: 'shop' }),
  },
  tempo: {
    serve: startTempo,
    create: (url: string) =>
      createTempo(deps, {
        ...{ environment: 'production', url, linkUrl: 'http://ui.example', token: 'hush', tenant: 'shop' },
        ...{ match: {}, namespaces: [] },
      }),
  },
}

async function started(
  vendor: keyof typeof VENDORS,
  spans: readonly StoredSpan[] = [],
): Promise<{ server: TraceServer; source: WithTraces }> {
  memory.clear()
  warnings.length = 0
  now = new Date(AT + 60_000)
  const server = await VENDORS[vendor].serve()
  server.spans.push(...spans)
  const source = VENDORS[vendor].create(server.url)
  running.push(source, server)
  return { server, source }
}

/** checkout asks payments, which asks the bank and fails there; and a quick one that is well. */
const SHOP: readonly StoredSpan[] = [
  { trace: 'bad', id: 'a', service: 'checkout', operation: 'POST /buy', startMs: AT, ms: 900 },
  {
    trace: 'bad',
    id: 'b',
    parent: 'a',
    service: 'payments',
    operation: 'POST /charge',
    startMs: AT + 10,
    ms: 880,
    failure: 'bank said no',
  },
  { trace: 'bad', id: 'c', parent: 'b', service: 'bank', operation: 'authorise', startMs: AT + 20, ms: 860.5, failure: 'timeout' },
  { trace: 'good', id: 'd', service: 'checkout', operation: 'POST /buy', startMs: AT + 5_000, ms: 30 },
  { trace: 'good', id: 'e', parent: 'd', service: 'payments', operation: 'POST /charge', startMs: AT + 5_005, ms: 20 },
]

describe.each(['jaeger', 'tempo'] as const)('%s', (vendor) => {
  test('finds what failed and what was slow, and says what it asked', async () => {
    const { source } = await started(vendor, SHOP)
    const failed = await source.traces.search(FAILED)
    expect(failed.traces).toEqual([
      {
        ...{
          id: hexId('bad', 32),
          service: 'checkout',
          operation: 'POST /buy',
          startedAt: new Date(AT),
          ms: 900,
          spans: 3,
          failedSpans: 2,
        },
        services: expect.arrayContaining(['checkout', 'payments', 'bank']),
      },
    ])
    expect(failed.query).toContain('payments')
    expect(failed.link).toMatch(/^http:\/\/ui\.example\//)
    expect((await source.traces.search(SLOW)).traces.map(({ id }) => id)).toEqual([hexId('bad', 32)])
    expect((await source.traces.search({ ...SLOW, slowMs: 5 })).traces.map(({ id }) => id)).toEqual(
      ['good', 'bad'].map((id) => hexId(id, 32)),
    )
    expect((await source.traces.search({ ...FAILED, service: 'inventory' })).traces).toEqual([])
  })

  test('opens a trace with whose spans waited for which', async () => {
    const { source } = await started(vendor, SHOP)
    const opened = await source.traces.open(hexId('bad', 32))
    expect(opened?.link).toMatch(/^http:\/\/ui\.example\//)
    expect(opened?.spans.map(({ service, parent, ms, failure }) => ({ service, parent, ms, failure }))).toEqual([
      { service: 'checkout', parent: null, ms: 900, failure: null },
      { service: 'payments', parent: hexId('a', 16), ms: 880, failure: 'bank said no' },
      { service: 'bank', parent: hexId('b', 16), ms: 860.5, failure: 'timeout' },
    ])
    expect(await source.traces.open(hexId('never', 32))).toBeNull()
  })

  test.each(['../services', '', 'abc', `${hexId('bad', 32)}?x=`, 'X'.repeat(32)])('asks nothing for the id %j', async (id) => {
    const { server, source } = await started(vendor, SHOP)
    expect(await source.traces.open(id)).toBeNull()
    expect(server.asked).toEqual([])
  })

  test('a service of any name is looked for by exactly that name', async () => {
    const { server, source } = await started(vendor)
    const names = anyText(40).filter((name) => name !== '')
    const hostile = fc.constantFrom('"} || { true', '\\', 'a" && status = ok', 'x&query.service_name=y', 'a\nb', '`', '%22', '\u2028')
    await fc.assert(
      fc.asyncProperty(fc.oneof(names, hostile), async (name) => {
        server.spans.splice(
          0,
          server.spans.length,
          { trace: 'mine', id: 'a', service: name, startMs: AT, ms: 1, failure: 'x' },
          { trace: 'other', id: 'b', service: `${name}.`, startMs: AT, ms: 1, failure: 'x' },
        )
        const { traces } = await source.traces.search({ ...FAILED, service: name })
        expect(traces.map(({ id }) => id)).toEqual([hexId('mine', 32)])
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['down', 'unavailable', 'cannot be reached'],
    ['garbage', 'invalid_response', 'not JSON'],
    ['foreign', 'invalid_response', 'not of the documented shape'],
    ['redirects', 'unavailable', 'cannot be reached'],
    ['forbids', 'permission', 'answered 403: tenant not allowed'],
    ['endless', 'invalid_response', 'more than 16384 KiB'],
  ] as const)('a server that is %s is said to be so', async (how, code, words) => {
    const { server, source } = await started(vendor, SHOP)
    server.behave(how)
    const asked = [() => source.traces.search(FAILED), () => source.traces.open(hexId('bad', 32))]
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
    const [check] = await source.check()
    expect(check).toMatchObject({ name: `${vendor}/production`, status: 'failed', fix: expect.stringContaining(vendor) })
    expect(JSON.stringify(check)).not.toContain('hush')
  })

  test('a server that says nothing is given up when the question is', async () => {
    const { server, source } = await started(vendor, SHOP)
    server.behave('silent')
    const signal = AbortSignal.timeout(50)
    await expect(source.traces.search({ ...FAILED, signal })).rejects.toMatchObject({ code: 'timeout' })
  })

  test('what doctor says of a server with and without traces', async () => {
    const { server, source } = await started(vendor)
    expect(await source.check()).toMatchObject([{ status: 'warning', words: expect.stringContaining('no traces') }])
    server.spans.push(...SHOP)
    expect(await source.check()).toMatchObject([{ status: 'ok', words: expect.stringContaining('3 services') }])
  })

  test('who calls whom is seen behind the reads, kept over a restart, and forgotten after a day', async () => {
    const { server, source } = await started(vendor, SHOP)
    const edges = async (of = source) => (await of.traces.dependencies()).edges
    expect(await edges()).toEqual([])
    await until('both calls were seen', async () => (await edges()).length === 2, 20)
    expect(await edges()).toEqual(
      expect.arrayContaining([
        { from: 'checkout', to: 'payments', seenAt: new Date(AT + 5_005), traces: 2 },
        { from: 'payments', to: 'bank', seenAt: new Date(AT + 20), traces: 1 },
      ]),
    )
    await source.stop()
    server.behave('down')
    const again = VENDORS[vendor].create(server.url)
    running.push(again)
    await again.start()
    expect((await edges(again)).map(({ from }) => from)).toEqual(['payments', 'checkout'])
    await until('that it is down was said', async () => warnings.length === 1, 20)
    now = new Date(AT + 24 * 3_600_000 + 1_000)
    expect(await edges(again)).toHaveLength(2)
    server.behave('well')
    await until('what was not seen for a day is forgotten', async () => (await edges(again)).length === 1, 20)
    expect((await edges(again)).map(({ to }) => to)).toEqual(['payments'])
    now = new Date(AT + 25 * 3_600_000)
    expect(await edges(again)).toEqual([])
  })

  test('looks again at most each minute, at a few services at a time, all of them in turn', async () => {
    const spans = Array.from({ length: 7 }, (_, at): StoredSpan[] => [
      { trace: `t${at}`, id: `a${at}`, service: `caller-${at}`, startMs: AT, ms: 10 },
      { trace: `t${at}`, id: `b${at}`, parent: `a${at}`, service: `called-${at}`, startMs: AT, ms: 5 },
    ]).flat()
    const { server, source } = await started(vendor, spans)
    const edges = async () => (await source.traces.dependencies()).edges.length
    await edges()
    await until('the first look is over', async () => memory.size === 1, 20)
    const first = server.asked.length
    expect(await edges()).toBeLessThan(7)
    expect(server.asked.length).toBe(first)
    const lookAgain = async (): Promise<boolean> => {
      now = new Date(now.getTime() + 61_000)
      return (await edges()) === 7
    }
    await until('all calls were seen', lookAgain, 20)
  })

  test('a service of which nothing can be read takes nothing from the others', async () => {
    const { server, source } = await started(vendor, SHOP)
    server.failFor('checkout')
    const seen = async (): Promise<boolean> => {
      now = new Date(now.getTime() + 61_000)
      return (await source.traces.dependencies()).edges.length === 2
    }
    await until('both calls were seen', seen, 20)
    await until('and are kept', async () => [...memory.values()].some((rows) => Array.isArray(rows) && rows.length === 2), 20)
    expect(server.asked.some(({ search }) => search.includes('checkout'))).toBe(true)
  })

  test('a message is no call, and a trace that is read twice counts once', async () => {
    const { source } = await started(vendor, [
      { trace: 'x', id: 'a', service: 'checkout', startMs: AT, ms: 10, kind: 'PRODUCER' },
      { trace: 'x', id: 'b', parent: 'a', service: 'email-worker', startMs: AT, ms: 5, kind: 'CONSUMER' },
      { trace: 'x', id: 'c', parent: 'b', service: 'mail', startMs: AT, ms: 5 },
      { trace: 'y', id: 'd', service: 'checkout', startMs: AT, ms: 10 },
      { trace: 'y', id: 'e', parent: 'd', service: 'email-worker', startMs: AT, ms: 5, kind: 'CONSUMER' },
    ])
    for (const trace of ['x', 'x', 'y']) await source.traces.open(hexId(trace, 32))
    expect((await source.traces.dependencies()).edges).toEqual([{ from: 'email-worker', to: 'mail', seenAt: new Date(AT), traces: 1 }])
  })

  test('a span of a clock ahead counts as seen now, and a program without a name calls nobody', async () => {
    const { source } = await started(vendor, [
      { trace: 'x', id: 'a', service: 'checkout', startMs: AT, ms: 10 },
      { trace: 'x', id: 'b', parent: 'a', service: 'payments', startMs: AT + 9e9, ms: 5 },
      { trace: 'x', id: 'c', parent: 'b', service: 'unknown_service:node', startMs: AT, ms: 5 },
      { trace: 'x', id: 'd', parent: 'c', service: 'bank', startMs: AT, ms: 5 },
    ])
    await source.traces.open(hexId('x', 32))
    expect((await source.traces.dependencies()).edges).toEqual([{ from: 'checkout', to: 'payments', seenAt: now, traces: 1 }])
  })
})

test('an older Jaeger, which leaves attributes out of a search, finds the same', async () => {
  const server = await startJaeger({ old: true })
  server.spans.push(...SHOP)
  const source = VENDORS.jaeger.create(server.url)
  running.push(source, server)
  expect((await source.traces.search(FAILED)).traces.map(({ id }) => id)).toEqual([hexId('bad', 32)])
})

test('a server without the API is told apart from one that found nothing', async () => {
  const server = await startTempo()
  const source = VENDORS.jaeger.create(server.url)
  running.push(source, server)
  await expect(source.traces.search(FAILED)).rejects.toMatchObject({ code: 'not_found' })
  expect(await source.check()).toMatchObject([{ status: 'failed', fix: expect.stringContaining('/api/v3') }])
})

test('of a trace with thousands of spans, the first ten thousand are read and the rest counted', async () => {
  const spans = Array.from({ length: 10_050 }, (_, at): StoredSpan => ({ trace: 'huge', id: `s${at}`, service: 'a', startMs: AT, ms: 1 }))
  const { source } = await started('tempo', spans)
  const opened = await source.traces.open(hexId('huge', 32))
  expect({ spans: opened?.spans.length, omitted: opened?.omitted }).toEqual({ spans: 10_000, omitted: 50 })
})

test('Tempo is asked for the configured namespaces and attributes only', async () => {
  const server = await startTempo()
  server.spans.push(
    {
      trace: 'mine',
      id: 'a',
      service: 'payments',
      startMs: AT,
      ms: 1,
      failure: 'x',
      resource: { 'k8s.namespace.name': 'shop', cluster: 'eu' },
    },
    {
      trace: 'elsewhere',
      id: 'b',
      service: 'payments',
      startMs: AT,
      ms: 1,
      failure: 'x',
      resource: { 'k8s.namespace.name': 'shopx', cluster: 'eu' },
    },
  )
  const options = { environment: 'production', url: server.url, linkUrl: null, token: null, tenant: null }
  const source = createTempo(deps, { ...options, match: { cluster: 'eu' }, namespaces: ['shop', 'pay'] })
  running.push(source, server)
  const { traces, query } = await source.traces.search(FAILED)
  expect(traces.map(({ id }) => id)).toEqual([hexId('mine', 32)])
  const mine = { 'k8s.namespace.name': 'shop', cluster: 'eu' }
  server.spans.push(
    { trace: 'mixed', id: 'c', service: 'checkout', startMs: AT, ms: 1, resource: mine },
    { trace: 'mixed', id: 'd', parent: 'c', service: 'payments', startMs: AT, ms: 1, resource: { ...mine, cluster: 'us' } },
  )
  expect(await source.traces.open(hexId('elsewhere', 32))).toBeNull()
  expect((await source.traces.open(hexId('mixed', 32)))?.spans.map(({ service }) => service)).toEqual(['checkout'])
  expect((await source.traces.dependencies()).edges).toEqual([])
  expect(query).toBe(
    '{ resource.service.name = "payments" && resource.k8s.namespace.name =~ "shop|pay" && resource.cluster = "eu" && status = error }',
  )
})

test('of a trace whose first span did not come yet, nobody is said to be its first service', async () => {
  const { source } = await started('tempo', [
    { trace: 'late', id: 'b', parent: 'a', service: 'payments', startMs: AT, ms: 1, failure: 'x' },
  ])
  expect((await source.traces.search(FAILED)).traces).toMatchObject([{ service: null, operation: null, services: ['payments'] }])
})

test('two servers of one environment remember their own calls', async () => {
  const { source } = await started('tempo', SHOP)
  const other = await startTempo()
  const second = VENDORS.tempo.create(other.url)
  running.push(second, other)
  for (const each of [source, second]) await each.start()
  await until('both have looked', async () => memory.size === 2, 20)
  expect([...memory.values()].map((rows) => z.array(z.unknown()).parse(rows).length).toSorted()).toEqual([0, 2])
})

test('a literal is read back as the text it was made of', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      expect(JSON.parse(literal(text))).toBe(text.toWellFormed())
    }),
  )
})
