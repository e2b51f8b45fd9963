import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../agent/domain/alert.ts'
import type { NewEvidence } from '../../../agent/domain/evidence.ts'
import type { Incident } from '../../../agent/domain/incident.ts'
import { collect } from '../../../agent/investigation/collect.ts'
import { type Scope, type Source, scopeOf } from '../../../agent/investigation/scope.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import { contentJson } from '../../../storage/content-json.ts'
import { alert } from '../../support/alerts.ts'
import { inventoryOf } from '../../support/shop-inventory.ts'
import { createShopTelemetry } from '../../support/shop-telemetry.ts'

const STARTED = new Date('2026-03-01T10:42:00.000Z')
const NOW = new Date('2026-03-01T10:42:10.000Z')
const later = (seconds: number): Date => new Date(STARTED.getTime() + seconds * 1_000)
const trigger: Alert['trigger'] = { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.2 }

const incident = (said: Partial<Incident> = {}): Incident => ({
  ...{ id: 'inc-1', title: 'payments: HighErrorRatio', service: 'payments', environment: 'shop', severity: 1, severityReason: '' },
  ...{ state: 'open', openedAt: later(4), endedAt: null, drillRun: null },
  ...said,
})
const scope = (said: Partial<Incident> = {}): Scope => scopeOf(incident(said), [alert({ trigger })], inventoryOf(), NOW)

async function collected(source: Partial<Source>, said: { scope?: Scope; deadlineMs?: number; signal?: AbortSignal } = {}) {
  const warnings: object[] = []
  const { evidence, symptom } = await collect(said.scope ?? scope(), {
    sources: [{ id: 'shop', environments: ['shop'], ...source }],
    log: { warn: (object) => warnings.push(object) },
    signal: said.signal ?? new AbortController().signal,
    ...(said.deadlineMs ? { deadlineMs: said.deadlineMs } : {}),
  })
  return { evidence, symptom, warnings }
}
const only = (evidence: readonly NewEvidence[], kind: string): NewEvidence => {
  const found = evidence.find((item) => item.kind === kind)
  if (!found) throw new Error(`an item of kind ${kind} was expected`)
  return found
}
const never = () => new Promise<never>(() => {})

describe('evidence', () => {
  it('of a service and its neighbours: metrics, changes, workload, logs, calls, symptom', async () => {
    const shop = createShopTelemetry()
    shop.set('payments', 'error_ratio', 0.6, later(-1))
    shop.change({ service: 'payments', at: later(-5), summary: 'payments went from v41 to v42' })
    shop.run('payments', { version: 'v42', previousVersion: 'v41' })
    for (let i = 0; i < 40; i += 1) shop.log({ service: 'payments', at: later(i / 5), text: `POST /charges/${i} failed: RangeError` })
    const { evidence, symptom, warnings } = await collected(shop.source)
    expect(warnings).toEqual([])
    expect(symptom?.active).toBe(true)
    expect(evidence.map(({ kind, status, trust, summary }) => [kind, status, trust, summary])).toEqual([
      ['symptom', 'ok', 'metric', 'errors of payments: 60.0 %; the alert fires above 20.0 %'],
      ['metrics', 'ok', 'metric', 'payments: errors 60.0 % (0.0 % before)'],
      ['metrics', 'ok', 'metric', 'checkout: requests 20.0 /s (20.0 /s before), errors 0.0 % (0.0 % before), nothing unusual'],
      ['metrics', 'ok', 'metric', 'storefront: requests 20.0 /s (20.0 /s before), errors 0.0 % (0.0 % before), nothing unusual'],
      ['changes', 'ok', 'platform', '1 change in half an hour, the last: payments went from v41 to v42'],
      ['workload', 'ok', 'platform', 'payments runs v42, 1 of 1 replicas ready, 0 restarts'],
      ['logs', 'ok', 'log', 'payments: 40 error lines; most often “POST /charges/0 failed: RangeError” (40)'],
      ['topology', 'ok', 'platform', 'payments calls no other service and is called by checkout, storefront'],
      ['ranking', 'ok', 'metric', 'by the numbers of 3 services it began in payments (4.8)'],
    ])
    const metrics = only(evidence, 'metrics')
    expect(metrics).toMatchObject({ source: 'shop', link: 'http://shop.example/payments/request_rate', from: later(-300), to: NOW })
    expect(metrics.query.split('\n')).toContain('error_ratio{service="payments"}')
    expect(metrics.content).toMatchObject({
      service: 'payments',
      findings: expect.arrayContaining([expect.objectContaining({ metric: 'error_ratio', began: later(-1).toISOString() })]),
    })
  })

  it('goes deep where a cause may lie, and only shallow above', async () => {
    const { evidence } = await collected(createShopTelemetry().source, { scope: scope({ service: 'checkout' }) })
    const services = (kind: string): string[] =>
      evidence.filter((item) => item.kind === kind).map(({ content }) => (content as { service: string }).service)
    expect(services('metrics')).toEqual(['checkout', 'inventory', 'payments', 'storefront'])
    expect(services('workload')).toEqual(['checkout', 'inventory', 'payments'])
    expect(services('logs')).toEqual(['checkout', 'inventory', 'payments'])
    const series = evidence.filter((item) => item.kind === 'metrics').map(({ content }) => (content as { series: unknown[] }).series.length)
    expect(series).toEqual([8, 8, 8, 3])
  })

  it('asks nobody when no source reaches the environment', async () => {
    const shop = createShopTelemetry()
    expect((await collected(shop.source, { scope: scope({ environment: 'prod' }) })).evidence).toEqual([])
    expect(shop.reads()).toBe(0)
  })
})

describe('a source that', () => {
  const shop = createShopTelemetry()

  it('never answers costs no more than the deadline, and the others still count', async () => {
    const { evidence } = await collected({ ...shop.source, logs: { read: never } }, { deadlineMs: 60 })
    expect(only(evidence, 'logs')).toMatchObject({ status: 'failed', summary: 'logs of payments: no answer before the deadline' })
    expect(only(evidence, 'metrics').status).toBe('ok')
  })

  it('is stopped by the caller says so', async () => {
    const stop = new AbortController()
    const collecting = collected({ metrics: { read: never }, changes: { list: never } }, { signal: stop.signal })
    stop.abort()
    expect((await collecting).evidence.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'failed', 'failed'])
  })

  it.each<[string, () => Promise<never>, string, string]>([
    [
      'is denied',
      async () => Promise.reject(new IntegrationError('shop', 'permission', 'the role lacks logs:read')),
      'denied',
      'shop: the role lacks logs:read',
    ],
    [
      'is limited',
      async () => Promise.reject(new IntegrationError('shop', 'rate_limited', 'too many requests')),
      'failed',
      'shop: too many requests',
    ],
    ['throws what is no error', async () => Promise.reject('no'), 'failed', 'no'],
    [
      'throws at once',
      () => {
        throw new TypeError('x is not a function')
      },
      'failed',
      'x is not a function',
    ],
  ])('%s becomes words', async (_, read, status, words) => {
    const { evidence } = await collected({
      ...shop.source,
      logs: { read },
      metrics: { read },
      changes: { list: read },
      workloads: { ...shop.source.workloads, find: read } as never,
    })
    for (const item of evidence.filter(({ kind }) => kind !== 'topology'))
      expect(item).toMatchObject({ status, summary: expect.stringContaining(words) })
  })

  it('breaks in a way it does not declare is logged', async () => {
    const broken = { read: () => Promise.reject(new TypeError('x is not a function')) }
    expect((await collected({ ...shop.source, logs: broken })).warnings).toHaveLength(1)
    const declared = { read: () => Promise.reject(new IntegrationError('shop', 'unavailable', 'down')) }
    expect((await collected({ ...shop.source, logs: declared })).warnings).toHaveLength(0)
  })

  it('answers part of the questions is told apart from one that answers none', async () => {
    const metrics: Source['metrics'] = {
      read: (query) =>
        query.metric === 'cpu_used_ratio' ? Promise.reject(new Error('no such metric')) : (shop.source.metrics?.read(query) ?? never()),
    }
    const item = only((await collected({ ...shop.source, metrics })).evidence, 'metrics')
    expect(item).toMatchObject({ status: 'ok', summary: expect.stringContaining('no answer for cpu_used_ratio') })
    expect(item.content).toMatchObject({ failed: [{ metric: 'cpu_used_ratio', words: 'no such metric' }] })
  })

  it('has nothing is empty, which is not failed', async () => {
    const { evidence } = await collected({
      metrics: { read: async () => ({ query: 'q', link: null, labels: {}, points: [] }) },
      logs: shop.source.logs as never,
      changes: shop.source.changes as never,
      workloads: { ...shop.source.workloads, find: async () => null } as never,
    })
    expect(evidence.filter(({ kind }) => kind !== 'topology').map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 'empty'))
  })

  it('answers nonsense becomes words, and costs the others nothing', async () => {
    const never = new Date(Number.NaN)
    const { evidence } = await collected({
      metrics: { read: async () => ({ query: 'q', link: null, labels: {}, points: 'many' as never }) },
      logs: {
        read: async () => ({
          query: 'q',
          link: null,
          omitted: 0,
          lines: [{ at: never, level: 'error', text: 'x', instance: null, version: null, traceId: null }],
        }),
      },
      changes: { list: async () => ({ query: 'q', changes: [{ at: never } as never] }) },
      workloads: { ...shop.source.workloads, find: async () => ({ query: 'q', workload: { service: 'payments' } }) } as never,
    })
    const failed = evidence.filter(({ kind }) => kind !== 'topology')
    expect(failed.map(({ kind }) => kind)).toEqual(['symptom', 'metrics', 'metrics', 'metrics', 'changes', 'workload', 'logs'])
    expect(failed.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 'failed'))
  })

  it('floods is bounded', async () => {
    const flood = 'x'.repeat(1_000_000)
    const points = Array.from({ length: 50_000 }, (_, i) => ({ at: new Date(STARTED.getTime() - i), value: i === 777 ? 9 : Math.sin(i) }))
    const { evidence } = await collected({
      metrics: {
        read: async () => ({
          query: flood,
          link: null,
          labels: {},
          points: [...points, { at: new Date(Number.NaN), value: 1 }, { at: STARTED, value: Number.NaN }],
        }),
      },
      logs: {
        read: async () => ({
          query: flood,
          link: null,
          omitted: 0,
          lines: Array.from({ length: 3_000 }, (_, i) => ({
            at: STARTED,
            level: 'error' as const,
            text: `${i % 7 ? 'a' : 'b'} ${flood}`,
            instance: null,
            version: flood,
            traceId: null,
          })),
        }),
      },
      changes: {
        list: async () => ({
          query: flood,
          changes: Array.from({ length: 5_000 }, (_, i) => ({
            id: `${i}`,
            at: STARTED,
            kind: 'other' as const,
            service: 'payments',
            environment: 'shop',
            summary: flood,
            by: flood,
            from: flood,
            to: flood,
            link: null,
          })),
        }),
      },
      workloads: {
        ...shop.source.workloads,
        find: async () => ({
          query: flood,
          workload: {
            ...(await shop.source.workloads?.list())?.[0],
            events: Array.from({ length: 900 }, () => ({ at: STARTED, text: flood })),
            keepers: Array.from({ length: 900 }, () => flood),
          },
        }),
      } as never,
    })
    for (const item of evidence) {
      expect(Buffer.byteLength(contentJson(item.content))).toBeLessThan(160 * 1_024)
      expect(item.query.length).toBeLessThanOrEqual(8_000)
      expect(item.summary.length).toBeLessThan(2_000)
    }
    const series = (only(evidence, 'metrics').content as { series: { points: [number, number][] }[] }).series[0]
    expect(Math.max(...(series?.points ?? []).map(([, value]) => value))).toBe(9)
    expect(only(evidence, 'logs').content).toMatchObject({ lines: 500, omitted: 2_500 })
  })
})

describe('who keeps a service', () => {
  it('stands in its summary with what they are doing, and is no event of it', async () => {
    const shop = createShopTelemetry()
    shop.run('payments', { version: 'v42', keepers: ['a keeper syncs it to 1.137.0 token=abcdefgh12345678', 'a keeper finds it degraded'] })
    const { summary, content } = only((await collected(shop.source)).evidence, 'workload')
    expect(summary).toMatch(/^payments runs v42, 1 of 1 replicas ready, 0 restarts; a keeper syncs it to 1\.137\.0/)
    expect(content).toMatchObject({ events: [], keepers: [expect.stringContaining('syncs it'), 'a keeper finds it degraded'] })
    expect(JSON.stringify(content)).not.toContain('abcdefgh12345678')
  })
})

describe('text from outside', () => {
  it('loses secrets, line breaks and what hides, and stays data', async () => {
    const shop = createShopTelemetry()
    shop.log({
      service: 'payments',
      at: later(1),
      text: 'token=abcdefgh12345678 failed\n<!channel> “Approve” \u202e\u0000 Bearer aaaaaaaaaaaaaaaaaaaa',
    })
    shop.change({ service: 'payments', at: later(-5), summary: 'deploy with password: hunter2hunter2\u2028', by: 'eve\n@here' })
    shop.run('payments', { version: 'v42', events: [{ at: later(1), text: 'postgres://admin:s3cr3t@db/x refused' }] })
    const { evidence } = await collected(shop.source)
    const text = JSON.stringify(evidence)
    for (const secret of ['abcdefgh12345678', 'aaaaaaaaaaaaaaaaaaaa', 'hunter2', 's3cr3t']) expect(text).not.toContain(secret)
    for (const hidden of ['\\u0000', '\u202e', '\u2028', '\\n<!channel>']) expect(text).not.toContain(hidden)
    expect(only(evidence, 'logs').content).toMatchObject({
      patterns: [{ sample: "token=[secret] failed <!channel> 'Approve' Bearer [secret]" }],
    })
  })
})
