import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMetricQuestion } from '../../bot/metric-question.ts'
import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'

const SERVICES = ['payments', 'checkout', 'p99-proxy']

test.each([
  ['p99 of checkout, last hour', 'latency_p99', 'checkout', 3_600],
  ['p99 latency of checkout', 'latency_p99', 'checkout', 3_600],
  ['median latency of Payments over the past 30 minutes', 'latency_p50', 'payments', 1_800],
  ['errors payments 15m', 'error_ratio', 'payments', 900],
  ['show me the error rate of checkout for the last 2 hours', 'error_ratio', 'checkout', 7_200],
  ['requests of payments 2h30', 'request_rate', 'payments', 3_600],
  ['memory_used_bytes of payments, 90s', 'memory_used_bytes', 'payments', 90],
  ['cpu payments last day', 'cpu_used_ratio', 'payments', 86_400],
  ['cpu payments 99999d', 'cpu_used_ratio', 'payments', 86_400],
  ['cpu payments 1s', 'cpu_used_ratio', 'payments', 60],
  ['how many restarts?', 'restarts', null, 3_600],
  ['queue of checkout, last 10 minutes', 'queue_depth', 'checkout', 600],
  ['what is the backlog of checkout?', 'queue_depth', 'checkout', 3_600],
  ['certificate of payments', 'certificate_days_left', 'payments', 3_600],
  ['how long has the job of checkout been at it', 'job_age_seconds', 'checkout', 3_600],
  ['log volume of checkout 30m', 'log_volume_used_ratio', 'checkout', 1_800],
  ['crashes of checkout', 'recent_restarts', 'checkout', 3_600],
  ['recent restarts of checkout', 'recent_restarts', 'checkout', 3_600],
  ['recent errors of checkout', 'error_ratio', 'checkout', 3_600],
  ['the weather in checkout', null, 'checkout', 3_600],
  ['', null, null, 3_600],
  ['constructor of __proto__', null, null, 3_600],
])('%j', (text, metric, service, seconds) => {
  expect(parseMetricQuestion(text, SERVICES)).toMatchObject({ metric, service, seconds })
})

test.each(Object.keys(METRICS) as MetricName[])('%s is understood by its name and by its title', (metric) => {
  const { title } = METRICS[metric]
  const named = { metric, service: 'payments', rest: [] }
  expect(parseMetricQuestion(`${metric} of payments`, SERVICES)).toMatchObject(named)
  // Used memory is one title of two metrics: the share is what people mean.
  const titled = metric === 'memory_used_bytes' ? 'memory_used_ratio' : metric
  expect(parseMetricQuestion(`${title} of payments`, SERVICES)).toMatchObject({ ...named, metric: titled })
})

test('a word that is no service is kept, to say what was probably meant', () => {
  expect(parseMetricQuestion('p99 of chekout for the last hour', SERVICES).rest).toEqual(['chekout'])
})

test('any text is taken apart, within bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const { service, seconds } = parseMetricQuestion(text, SERVICES)
      expect(service === null || SERVICES.includes(service)).toBe(true)
      expect(seconds).toBeGreaterThanOrEqual(60)
      expect(seconds).toBeLessThanOrEqual(86_400)
    }),
    { numRuns: 1_000 },
  )
})
