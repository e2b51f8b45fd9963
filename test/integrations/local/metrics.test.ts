import { expect, test } from 'vitest'
import type { Scrape } from '../../../integrations/contract.ts'
import { createDesiredState } from '../../../integrations/local/desired-state.ts'
import { createLocalMetrics } from '../../../integrations/local/metrics.ts'
import { parseSamples, quantileOf } from '../../../integrations/local/samples.ts'
import type { MetricName } from '../../../integrations/ports/metrics.ts'
import { scriptedDeps } from './scripted-deps.ts'

const START = Date.parse('2026-03-14T02:10:00.000Z')
const at = (second: number): Date => new Date(START + second * 1_000)

function row(second: number, instance: string, samples: Record<string, number>, version = 'v41'): Scrape {
  return { at: at(second), service: 'payments', instance, version, samples }
}

const requests = (ok: number, failed: number): Record<string, number> => ({
  'http_requests_total{status="200"}': ok,
  'http_requests_total{status="500"}': failed,
})

async function read(
  rows: Scrape[],
  metric: MetricName,
  { from = 0, to = 10, step = 1, version = null as string | null, service = 'payments' } = {},
): Promise<[number, number][]> {
  const deps = scriptedDeps()
  deps.scraped.push(...rows)
  const state = createDesiredState(deps, () => crypto.randomUUID())
  await state.open()
  const metrics = createLocalMetrics({ scrapes: deps.scrapes, state })
  const series = await metrics.read({ service, metric, from: at(from), to: at(to), stepSeconds: step, ...(version ? { version } : {}) })
  return series.points.map((point) => [(point.at.getTime() - START) / 1_000, Math.round(point.value * 1_000) / 1_000])
}

test('rates and ratios come from increases, one point a step, and a moment without data has none', async () => {
  const rows = [
    row(0.003, 'a', requests(100, 0)),
    row(1.004, 'a', requests(110, 0)),
    row(2.002, 'a', requests(112, 8)),
    row(5, 'a', requests(118, 8)),
  ]
  expect(await read(rows, 'error_ratio')).toEqual([
    [1, 0],
    [2, 0.8],
    [5, 0],
  ])
  expect(await read(rows, 'request_rate')).toEqual([
    [1, 9.99],
    [2, 10.02],
    [5, 2.001],
  ])
})

test('instances are added up, and the first scrape of one is where its counting begins', async () => {
  const rows = [
    row(0, 'a', requests(100, 0)),
    row(1, 'a', requests(110, 0)),
    row(1, 'b', requests(0, 500)),
    row(2, 'a', requests(120, 0)),
    row(2, 'b', requests(0, 510)),
  ]
  expect(await read(rows, 'error_ratio')).toEqual([
    [1, 0],
    [2, 0.5],
  ])
  expect(await read(rows, 'error_ratio', { version: 'v42' })).toEqual([])
})

test('an instance that started in between counts from zero, and from its start', async () => {
  const started = (second: number) => ({ process_start_time_seconds: at(second).getTime() / 1_000, process_cpu_seconds_total: 0.4 })
  const rows = [
    row(0, 'supervisor', {}),
    row(1, 'old', { ...requests(100, 0), ...started(-60) }),
    row(1, 'new', { ...requests(0, 4), ...started(0.5) }),
    row(2, 'new', { ...requests(0, 12), ...started(0.5) }),
  ]
  expect(await read(rows, 'error_ratio')).toEqual([
    [1, 1],
    [2, 1],
  ])
  expect(await read(rows, 'request_rate')).toEqual([
    [1, 8],
    [2, 8],
  ])
  expect(await read(rows, 'cpu_used_ratio')).toEqual([[2, 0]])
})

test('a counter that fell counts from zero', async () => {
  expect(await read([row(0, 'a', requests(100, 0)), row(1, 'a', requests(4, 4))], 'error_ratio')).toEqual([[1, 0.5]])
})

test('a window is answered alike whatever came before it, and its first point has the scrape before it to compare with', async () => {
  const rows = Array.from({ length: 10 }, (_, second) => row(second, 'a', requests(second * 10, 0)))
  expect(await read(rows, 'request_rate', { from: 4, to: 6 })).toEqual([
    [4, 10],
    [5, 10],
    [6, 10],
  ])
  expect(await read(rows, 'request_rate', { step: 5 })).toEqual([
    [5, 10],
    [10, 10],
  ])
})

test('gauges: the fullest heap of the instances, and what the supervisor knows', async () => {
  const heap = (used: number): Record<string, number> => ({ process_heap_used_bytes: used, process_heap_limit_bytes: 100 })
  const rows = [
    row(1, 'a', heap(40)),
    row(1, 'b', heap(90)),
    row(1, 'supervisor', { workload_replicas_ready: 2, workload_replicas_desired: 2, workload_restarts_total: 3 }),
  ]
  expect(await read(rows, 'memory_used_ratio')).toEqual([[1, 0.9]])
  expect(await read(rows, 'memory_used_bytes')).toEqual([[1, 90]])
  expect(await read(rows, 'replicas_ready')).toEqual([[1, 2]])
  expect(await read(rows, 'restarts')).toEqual([[1, 3]])
})

test('a service the shop does not have has no points', async () => {
  expect(await read([row(0, 'a', requests(1, 0)), row(1, 'a', requests(2, 0))], 'request_rate', { service: 'billing' })).toEqual([])
})

test('a quantile lies within its bucket, and beyond the last bound it is that bound', () => {
  const increase = (...counts: number[]) => ({
    instance: 'a',
    at: at(0),
    seconds: 1,
    requests: 0,
    errors: 0,
    cpuSeconds: 0,
    buckets: [0.1, 1, Number.POSITIVE_INFINITY].map((bound, i) => ({ bound, count: counts[i] ?? 0 })),
  })
  expect(quantileOf(0.5, [increase(10, 10, 10)])).toBeCloseTo(0.05)
  expect(quantileOf(0.99, [increase(0, 100, 100)])).toBeCloseTo(0.991)
  expect(quantileOf(0.99, [increase(0, 0, 5)])).toBe(1)
  expect(quantileOf(0.99, [increase(0, 0, 0)])).toBeNull()
})

test('only samples are read from scraped text, and not without end', () => {
  const text = [
    '# TYPE x counter',
    'x{a="b"} 3',
    'y 1e3',
    'z NaN',
    'not a sample',
    ...Array.from({ length: 300 }, (_, i) => `m${i} 1`),
  ].join('\n')
  const samples = parseSamples(text)
  expect(samples['x{a="b"}']).toBe(3)
  expect(samples['y']).toBe(1_000)
  expect(Object.keys(samples)).toHaveLength(200)
  expect(samples).not.toHaveProperty('z')
})
