import { expect, it } from 'vitest'
import { createSloWatch } from '../../../agent/detection/watch-slos.ts'
import { type Alert, alertSchema } from '../../../agent/domain/alert.ts'
import type { Slo } from '../../../agent/domain/slo.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { MetricName, MetricQuery } from '../../../integrations/ports/metrics.ts'

const NOW = Date.UTC(2026, 2, 16, 9)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const errors: Slo = { service: 'checkout', environment: 'production', of: { metric: 'error_ratio' }, objective: 0.999, days: 30 }
const speed: Slo = { ...errors, of: { metric: 'latency_p99', atMostSeconds: 0.5 }, objective: 0.99 }

/** A source of metrics that are functions of time, no more than a thousand points an answer. */
function watching(slos: readonly Slo[], values: Partial<Record<MetricName, (at: number) => number>>) {
  let now = NOW
  let isDown = false
  const raised: Alert[] = []
  const asked: MetricQuery[] = []
  const metrics = {
    async read(query: MetricQuery) {
      asked.push(query)
      if (isDown) throw new IntegrationError('metrics', 'unavailable', 'it is away')
      const value = values[query.metric]
      const first = Math.ceil(query.from.getTime() / MINUTE) * MINUTE
      const length = value ? Math.floor((query.to.getTime() - first) / MINUTE) + 1 : 0
      expect(length).toBeLessThanOrEqual(1_000)
      const points = Array.from({ length }, (_, index) => first + index * MINUTE).map((at) => ({
        at: new Date(at),
        value: value?.(at) ?? 0,
      }))
      return { query: query.metric, link: null, labels: {}, points }
    },
  }
  const quiet = { info: () => {}, warn: () => {} }
  const watch = createSloWatch({
    ...{ sources: [{ id: 'metrics', environments: ['production'], metrics }], slos, now: () => new Date(now), log: quiet },
    raise: async (alerts) => void raised.push(...alerts),
  })
  const until = async (end: number): Promise<void> => {
    await watch.round(new AbortController().signal)
    for (; now < end; ) {
      now += MINUTE
      await watch.round(new AbortController().signal)
    }
  }
  const down = (is: boolean): void => {
    isDown = is
  }
  return { watch, raised, asked, until, down }
}

it('tells once that the budget burns fast, and that it is over once the pace is, however many calm moments there were', async () => {
  const bad = (at: number): number => (at > NOW && at <= NOW + 90 * MINUTE ? 0.05 : 0)
  const { raised, until } = watching([errors], { error_ratio: bad, request_rate: () => 20 })
  await until(NOW + HOUR)
  const [first] = raised
  expect(raised).toHaveLength(1)
  expect(alertSchema.parse(first)).toMatchObject({
    ...{ name: 'Error budget burns fast', service: 'checkout', status: 'firing', level: 'high' },
    trigger: null,
  })
  expect(first?.summary).toMatch(
    /^checkout promises that 99\.9 % of its requests succeed over 30 days\. In the last hour it broke that [\d.]+ times faster than it may: a full budget would be gone on 2026-03-\d\d \d\d:\d\d UTC$/,
  )
  await until(NOW + 2 * HOUR)
  expect(raised.filter(({ name }) => name === 'Error budget burns fast').map(({ status }) => status)).toEqual(['firing', 'resolved'])
  expect(raised.at(-1)?.key).toBe(first?.key)
})

it('counts requests, and reads three days of history in pieces a source can answer', async () => {
  const nightly = (at: number): number => (at > NOW - 30 * MINUTE ? 0.5 : 0)
  const { raised, asked, watch } = watching([errors], { error_ratio: nightly, request_rate: (at) => (at > NOW - 30 * MINUTE ? 0.1 : 500) })
  await watch.round(new AbortController().signal)
  expect(raised).toEqual([])
  expect(Math.min(...asked.map(({ from }) => from.getTime()))).toBe(NOW - 72 * HOUR)
  expect(asked.length).toBeLessThan(20)
})

it('a promise about speed counts slow minutes', async () => {
  const { raised, until } = watching([speed], { latency_p99: (at) => (at > NOW - 20 * MINUTE ? 2 : 0.1) })
  await until(NOW)
  expect(raised.map(({ name }) => name)).toContain('Error budget burns fast')
  expect(raised[0]?.summary).toContain('promises that 99 % of its minutes have p99 ≤ 0.5 s over 30 days')
})

it('asks once a minute however often it is called, and only where somebody promised something', async () => {
  const { watch, asked } = watching([errors], {})
  await watch.round(new AbortController().signal)
  const once = asked.length
  await watch.round(new AbortController().signal)
  expect(asked).toHaveLength(once)
  expect(watch.isNeeded()).toBe(true)
  expect(watching([], {}).watch.isNeeded()).toBe(false)
  expect(watching([{ ...errors, environment: 'elsewhere' }], {}).watch.isNeeded()).toBe(false)
})

it('a source that is away ends nothing and tells nothing; what was missed is read when it is back', async () => {
  const bad = (at: number): number => (at > NOW && at <= NOW + 3 * HOUR ? 0.05 : 0)
  const { raised, until, down } = watching([errors], { error_ratio: bad })
  await until(NOW + HOUR)
  expect(raised).toHaveLength(1)
  down(true)
  await until(NOW + 2 * HOUR)
  expect(raised.filter(({ status }) => status === 'resolved')).toEqual([])
  down(false)
  await until(NOW + 2 * HOUR + 5 * MINUTE)
  expect(raised.filter(({ name, status }) => name === 'Error budget burns fast' && status === 'resolved')).toEqual([])
  await until(NOW + 3 * HOUR + 40 * MINUTE)
  expect(raised.filter(({ name }) => name === 'Error budget burns fast').map(({ status }) => status)).toEqual(['firing', 'resolved'])
})

it('raises nothing once it is told to end', async () => {
  const { watch, raised } = watching([errors], { error_ratio: () => 1 })
  const ended = new AbortController()
  ended.abort()
  await watch.round(ended.signal)
  expect(raised).toEqual([])
})
