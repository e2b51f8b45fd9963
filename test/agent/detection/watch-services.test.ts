import { expect, it } from 'vitest'
import { createWatch } from '../../../agent/detection/watch-services.ts'
import { type Alert, alertSchema } from '../../../agent/domain/alert.ts'
import { createDependencyGraph } from '../../../agent/topology/dependency-graph.ts'
import { IntegrationError, type IntegrationFault } from '../../../integrations/errors.ts'
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
  let faulty: { metric: MetricName | 'all'; code: IntegrationFault } | null = null
  let services = ['checkout']
  const warned: object[] = []
  const stop = new AbortController()
  const raised: Alert[] = []
  const noted: object[] = []
  const asked: MetricQuery[] = []
  const metrics = {
    async read(query: MetricQuery) {
      asked.push(query)
      if (faulty && [query.metric, 'all'].includes(faulty.metric)) throw new IntegrationError('metrics', faulty.code, 'it failed')
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
        ...{ workloads: services.map((service) => workload(service, environment)), graph: createDependencyGraph([]) },
        ...{ outside: [], missing: [], readAt: new Date(now) },
      }),
    },
    exceptIn: ['local'],
    raise: async (alerts) => void raised.push(...alerts),
    now: () => new Date(now),
    log: { info: (object) => void noted.push(object), warn: (object) => void warned.push(object) },
  })
  const until = async (end: number, every = 60_000): Promise<void> => {
    await watch.round(stop.signal)
    for (; now < end; ) {
      now += every
      await watch.round(stop.signal)
    }
  }
  const fail = (metric: MetricName | 'all', code: IntegrationFault): void => {
    faulty = { metric, code }
  }
  const mend = (): void => {
    faulty = null
  }
  const run = (...names: string[]): void => {
    services = names
  }
  return { watch, raised, noted, warned, asked, until, fail, mend, run, stop }
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

it('asks a series no more often than it has points, and one that is not there every ten minutes for what is new', async () => {
  const { asked, until } = watching({ request_rate: (at) => noise(at) })
  await until(NOW + 20 * 60_000, 5_000)
  const of = (name: MetricName) => asked.filter(({ metric }) => metric === name)
  expect(of('request_rate')).toHaveLength(1 + (20 * 60) / 15)
  expect(of('queue_depth').map(({ from, to }) => (to.getTime() - from.getTime()) / 60_000)).toEqual([14 * 24 * 60, 20, 20])
})

it('a series that cannot be read is asked less and less, and costs the others nothing', async () => {
  const { raised, warned, asked, until, fail } = watching({
    latency_p99: (at) => 0.2 + noise(at) + (at > NOW + 600_000 ? 0.5 : 0),
    request_rate: (at) => noise(at),
  })
  fail('request_rate', 'invalid_response')
  await until(NOW + 1_200_000, 15_000)
  expect(raised.map(({ name }) => name)).toEqual(['Unusual latency p99'])
  expect(warned).toEqual([expect.objectContaining({ environment: 'production', part: 'request_rate' })])
  expect(asked.filter(({ metric }) => metric === 'request_rate').length).toBeLessThan(10)
})

it('an environment that is away is asked once a round, and said to be once, and to be back', async () => {
  const { asked, warned, noted, until, fail, mend } = watching({ latency_p99: (at) => 0.2 + noise(at) })
  await until(NOW)
  const before = asked.length
  fail('all', 'unavailable')
  await until(NOW + 300_000)
  // As many at once as are read at once.
  expect(asked.length - before).toBeLessThanOrEqual(6 * 8)
  expect(warned).toEqual([expect.objectContaining({ environment: 'production', what: 'metrics' })])
  mend()
  await until(NOW + 600_000)
  expect(noted).toEqual([expect.objectContaining({ environment: 'production', what: 'metrics' })])
})

it('what left the inventory is let go of, and what was told of it is over', async () => {
  const { watch, raised, until, run } = watching({
    latency_p99: (at) => 0.2 + noise(at) + (at > NOW + 300_000 ? 0.08 : 0),
    certificate_days_left: () => 10,
  })
  await until(NOW + 600_000)
  run('other')
  await until(NOW + 1_200_000)
  const mine = raised.filter(({ service }) => service === 'checkout')
  expect(mine.filter(({ status }) => status === 'resolved').map(({ key }) => key)).toHaveLength(2)
  expect(new Set(mine.map(({ key }) => key)).size).toBe(2)
  expect(watch.size()).toBe(9)
})

it('a trend that ends is told to be over', async () => {
  const { raised, until } = watching({ memory_used_ratio: (at) => (at > NOW + 600_000 ? 0.3 : 0.8 + ((at - NOW) / 86_400_000) * 0.4) })
  await until(NOW + 2_400_000)
  const [first, second] = raised.filter(({ name }) => name === 'memory used runs out')
  expect([first?.status, second?.status]).toEqual(['firing', 'resolved'])
  expect(second?.key).toBe(first?.key)
})

it('raises nothing once it is told to stop', async () => {
  const { raised, until, stop } = watching({ certificate_days_left: () => 10 })
  stop.abort()
  await until(NOW)
  expect(raised).toEqual([])
})
