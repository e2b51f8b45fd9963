import { expect, it } from 'vitest'
import { createWatch } from '../../../agent/detection/watch-services.ts'
import { type Alert, alertSchema } from '../../../agent/domain/alert.ts'
import { createDependencyGraph } from '../../../agent/topology/dependency-graph.ts'
import type { MetricName, MetricQuery } from '../../../integrations/ports/metrics.ts'
import type { Workload } from '../../../integrations/ports/workloads.ts'

const NOW = Date.UTC(2026, 2, 16, 9)
const noise = (at: number): number => (((at / 15_000) * 7_919) % 1_000) / 10_000
const workload = (service: string, environment: string): Workload => ({
  ...{ service, environment, uid: service, version: 'v1', previousVersion: null, desiredReplicas: 1, readyReplicas: 1 },
  ...{ restarts: 0, startedAt: null, events: [] },
})

/** A source of metrics that are functions of time, asked as Steadyhand asks any. */
function watching(values: Partial<Record<MetricName, (at: number) => number>>, environment = 'production') {
  let now = NOW
  const raised: Alert[] = []
  const noted: object[] = []
  const asked: MetricQuery[] = []
  const metrics = {
    async read(query: MetricQuery) {
      asked.push(query)
      const step = query.stepSeconds * 1_000
      const first = Math.ceil(query.from.getTime() / step) * step
      const value = values[query.metric]
      const length = value ? Math.max(0, Math.floor((query.to.getTime() - first) / step) + 1) : 0
      const points = Array.from({ length }, (_, index) => first + index * step).map((at) => ({ at: new Date(at), value: value?.(at) ?? 0 }))
      return { query: query.metric, link: null, labels: {}, points }
    },
  }
  const watch = createWatch({
    sources: [{ id: 'metrics', environments: [environment], metrics }],
    topology: {
      inventory: async () => ({
        ...{ workloads: [workload('checkout', environment)], graph: createDependencyGraph([]) },
        ...{ outside: [], missing: [], readAt: new Date(now) },
      }),
    },
    exceptIn: ['local'],
    raise: async (alerts) => void raised.push(...alerts),
    now: () => new Date(now),
    log: { info: (object) => void noted.push(object), warn: () => {} },
  })
  const until = async (end: number): Promise<void> => {
    await watch.round()
    for (; now < end; ) {
      now += 60_000
      await watch.round()
    }
  }
  return { watch, raised, noted, asked, until }
}

it('what lasts is told once with what was seen before, and its end as well', async () => {
  const fault = (at: number): boolean => at >= NOW + 300_000 && at < NOW + 600_000
  const { raised, until } = watching({ latency_p99: (at) => 0.2 + noise(at) + (fault(at) ? 0.08 : 0) })
  await until(NOW + 900_000)
  expect(
    raised.map((alert) => alertSchema.parse(alert)).map(({ name, status, service, environment }) => [name, status, service, environment]),
  ).toEqual([
    ['Unusual latency p99', 'firing', 'checkout', 'production'],
    ['Unusual latency p99', 'resolved', 'checkout', 'production'],
  ])
  expect(new Set(raised.map(({ key }) => key)).size).toBe(1)
  expect(raised[0]?.summary).toMatch(/^latency p99 of checkout is 0\.\d+ s; until now it was between 0\.2\d\d s and 0\.(?:29\d|300) s$/)
  expect(raised[0]?.trigger).toMatchObject({ metric: 'latency_p99', comparator: '>' })
})

it('a blip that heals is noted and not told; what is good news is neither', async () => {
  const { raised, noted, until } = watching({
    latency_p99: (at) => 0.2 + noise(at) + (at === NOW + 300_000 ? 0.08 : 0),
    error_ratio: (at) => (at > NOW + 300_000 ? 0 : 0.2 + noise(at)),
  })
  await until(NOW + 900_000)
  expect(raised).toEqual([])
  expect(noted).toEqual([expect.objectContaining({ service: 'checkout', metric: 'latency_p99' })])
})

it('history is learned from and not told, and read once', async () => {
  const { raised, asked, until } = watching({ request_rate: (at) => noise(at) + (at > NOW - 86_400_000 && at < NOW - 80_000_000 ? 5 : 0) })
  await until(NOW + 300_000)
  expect(raised).toEqual([])
  expect(asked.filter(({ metric, stepSeconds }) => metric === 'request_rate' && stepSeconds === 300)).toHaveLength(1)
})

it('a slow trend is told once, with its date', async () => {
  const { raised, until } = watching({
    memory_used_ratio: (at) => 0.8 + ((at - NOW) / 86_400_000) * 0.4,
    certificate_days_left: (at) => 10 - (at - NOW) / 86_400_000,
  })
  await until(NOW + 1_500_000)
  expect(raised.map(({ name, summary }) => `${name}: ${summary}`).filter((words) => words.includes('runs out'))).toEqual([
    expect.stringMatching(/^memory used runs out: .* is at 80\.0 % and changes by 40\.0 % a day: it reaches 100 % on 2026-03-16 21:00 UTC/),
    expect.stringMatching(/^days left of the certificate runs out: .* on 2026-03-26 09:00 UTC/),
  ])
})

it('an environment with a detection of its own is left to it', async () => {
  const { asked, watch, until } = watching({ latency_p99: noise }, 'local')
  await until(NOW)
  expect([asked, watch.size(), watch.isNeeded()]).toEqual([[], 0, false])
})
