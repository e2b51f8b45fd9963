import { expect, test } from 'vitest'
import { alertSchema } from '../../../agent/domain/alert.ts'
import { ALERT_RULES, type AlertRule, evaluateRule, type Reading, type RuleState } from '../../../integrations/local/alert-rules.ts'

const BEGINNING = Date.parse('2026-03-14T02:10:00.000Z')

function ruleOf(name: string): AlertRule {
  const rule = ALERT_RULES.find((candidate) => candidate.name === name)
  if (!rule) throw new Error(`no rule ${name}`)
  return rule
}

function reading(second: number, changed: Partial<Reading>): Reading {
  return {
    service: 'payments',
    at: new Date(BEGINNING + second * 1_000),
    requestsPerSecond: 12,
    error_ratio: 0,
    latency_p99: 0.02,
    memory_used_ratio: 0.2,
    replicas_ready: 1,
    recent_restarts: 0,
    log_volume_used_ratio: 0.1,
    certificate_days_left: 300,
    job_age_seconds: 0,
    desiredReplicas: 1,
    ...changed,
  }
}

/** What the rule says second by second: 'f' fires, 'r' resolves, '.' is silent. */
function play(name: string, readings: readonly Partial<Reading>[]): string {
  let state: RuleState = { rule: name, service: 'payments', badSince: null, goodSince: null, firing: null }
  return readings
    .map((changed, second) => {
      const result = evaluateRule(ruleOf(name), reading(second, changed), state)
      state = result.state
      return result.alert === null ? '.' : result.alert.status === 'firing' ? 'f' : 'r'
    })
    .join('')
}

const errors = (...ratios: (number | null)[]): Partial<Reading>[] => ratios.map((error_ratio) => ({ error_ratio }))

test.each([
  ['three bad seconds fire once', 'HighErrorRatio', errors(0, 0.5, 0.5, 0.5, 0.5, 0.5), '...f..'],
  ['a break begins the count anew', 'HighErrorRatio', errors(0.5, 0.5, 0, 0.5, 0.5, 0), '......'],
  ['the limit itself is not beyond it', 'HighErrorRatio', errors(0.2, 0.2, 0.2, 0.2), '....'],
  ['three good seconds resolve', 'HighErrorRatio', errors(1, 1, 1, 0, 0, 0, 0), '..f..r.'],
  ['half good is not over', 'HighErrorRatio', errors(1, 1, 1, 0.1, 0.1, 0.1, 0.1), '..f....'],
  ['flapping does not resolve', 'HighErrorRatio', errors(1, 1, 1, 0, 0, 1, 0, 0), '..f.....'],
  ['no data neither fires nor resolves', 'HighErrorRatio', errors(1, 1, null, 1, 1, 1, null, null, null), '.....f...'],
  ['a second trouble is a second alert', 'HighErrorRatio', errors(1, 1, 1, 0, 0, 0, 1, 1, 1), '..f..r..f'],
])('%s', (_title, rule, readings, said) => expect(play(rule, readings)).toBe(said))

test('a share of very few requests says nothing', () => {
  expect(
    play(
      'HighErrorRatio',
      Array.from({ length: 5 }, () => ({ error_ratio: 1, requestsPerSecond: 1 })),
    ),
  ).toBe('.....')
})

test.each([
  ['HighLatency', { latency_p99: 1.2 }, { latency_p99: 0.1 }, 3],
  ['HighMemory', { memory_used_ratio: 0.9 }, { memory_used_ratio: 0.2 }, 3],
  ['TooFewReplicas', { replicas_ready: 1, desiredReplicas: 2 }, { replicas_ready: 2, desiredReplicas: 2 }, 5],
])('%s fires after its time and resolves after three good seconds', (rule, bad, good, seconds) => {
  const said = play(rule, [...Array.from({ length: seconds }, () => bad), good, good, good])
  expect(said).toBe(`${'.'.repeat(seconds - 1)}f..r`)
})

test('an alert is of the common shape, says its numbers, and keeps its key when it resolves', () => {
  const rule = ruleOf('HighErrorRatio')
  let state: RuleState = { rule: rule.name, service: 'payments', badSince: null, goodSince: null, firing: null }
  const alerts = errors(1, 1, 1, 0, 0, 0).flatMap((changed, second) => {
    const result = evaluateRule(rule, reading(second, changed), state)
    state = result.state
    return result.alert ?? []
  })
  expect(alerts.map((alert) => alertSchema.parse(alert))).toEqual(alerts)
  const [firing, resolved] = alerts
  expect(firing).toMatchObject({
    key: 'local/payments/HighErrorRatio/2026-03-14T02:09:59.000Z',
    status: 'firing',
    level: 'critical',
    summary: '100 % of the requests to payments fail (12 requests/s; the limit is 20 %)',
    trigger: { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.2 },
  })
  expect(resolved).toMatchObject({ key: firing?.key, status: 'resolved', startsAt: firing?.startsAt, endsAt: '2026-03-14T02:10:02.000Z' })
})
