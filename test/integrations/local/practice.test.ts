import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import { breakTarget, hypothesesFor, restoreTarget, suggested } from './practised-target.ts'
import { latest, never, type StartedTarget, startTarget, stopTargets, until } from './started-target.ts'

/** One shop for all of them, one after the other: what one leaves behind would show in the next. */
let started: StartedTarget
beforeAll(async () => {
  started = await startTarget()
})
afterEach(() => restoreTarget(started))
afterAll(stopTargets)

function causeOf([first]: readonly Hypothesis[]): { cause: string; component: string | undefined; struck: string[] } {
  const struck = first?.claims.filter(({ supported }) => !supported).map(({ text }) => text) ?? []
  return { cause: first?.class ?? 'none', component: first?.component, struck }
}

describe('scenarios', { timeout: 90_000 }, () => {
  test('crash-loop: the release exits with its own error again and again, and rolling back ends that', async () => {
    const alert = await breakTarget(started, 'crash-loop', 'CrashLoop')
    expect(alert).toMatchObject({ level: 'critical', trigger: { metric: 'recent_restarts', comparator: '>', threshold: 0 } })
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'crash_on_start', component: 'service/payments', struck: [] })
    expect(hypotheses[0]?.claims.map(({ text }) => text).join(' ')).toContain('the setting settlementAccount is missing')
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    expect(wanted?.action.title(wanted.step.target, wanted.step.parameters)).toBe('Roll back payments from v43 to v41')
    expect(await wanted?.action.effect(wanted.step, 'x-crash', never)).toEqual({ result: 'applied' })
    await until('no exit is recent', async () => (await latest(started.target, 'payments', 'recent_restarts', 2)).at(-1)?.value === 0, 20)
  })

  test('slow-dependency: its callers fail loudest, the slow one is to blame', async () => {
    const alert = await breakTarget(started, 'slow-dependency', 'HighLatency')
    await until(
      'checkout fails',
      () => started.deps.alerts.some(({ name, service }) => name === 'HighErrorRatio' && service === 'checkout'),
      20,
    )
    const loudest = started.deps.alerts.findLast(({ name, service }) => name === 'HighErrorRatio' && service === 'checkout') ?? alert
    const hypotheses = await hypothesesFor(started, loudest)
    expect(causeOf(hypotheses)).toEqual({ cause: 'bad_release', component: 'service/inventory', struck: [] })
    expect((await latest(started.target, 'inventory', 'error_ratio', 5)).every(({ value }) => value === 0)).toBe(true)
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    expect(wanted?.action.title(wanted.step.target, wanted.step.parameters)).toBe('Roll back inventory from v14 to v12')
  })

  test('outside-cause: the bank is named with its owner, and nothing is suggested', async () => {
    const alert = await breakTarget(started, 'outside-cause', 'HighErrorRatio')
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'provider_outage', component: 'external/bank', struck: [] })
    expect(hypotheses[0]?.claims[0]?.text).toContain('“Northmark Bank”')
    expect(hypotheses[0] && (await suggested(started, hypotheses[0]))).toBeNull()
  })

  test('traffic-surge: more come than one process can serve, and a second one is enough', async () => {
    const alert = await breakTarget(started, 'traffic-surge', 'HighLatency')
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'traffic_surge', component: 'service/storefront', struck: [] })
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    expect(wanted?.step.parameters).toEqual({ replicas: 2 })
    expect(await wanted?.action.effect(wanted.step, 'x-surge', never)).toEqual({ result: 'applied' })
    await until(
      'it keeps up',
      async () => (await latest(started.target, 'storefront', 'latency_p99', 3)).every(({ value }) => value < 1),
      20,
    )
  })
})
