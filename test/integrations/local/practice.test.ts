import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
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

  test('full-log-directory: nothing more can be written down, the old files are archived, and can be put back', async () => {
    const alert = await breakTarget(started, 'full-log-directory', 'LogDirectoryFull')
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'log_volume_full', component: 'service/checkout', struck: [] })
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    if (!wanted) throw new Error('nothing was suggested')
    const [journal, archive] = ['journal', 'archive'].map((name) => join(started.dir, 'data', name)) as [string, string]
    const before = await readdir(journal)
    expect(await wanted.action.effect(wanted.step, 'x-archive', never)).toEqual({ result: 'applied' })
    expect(await readdir(journal)).toEqual(['orders.log'])
    expect((await readdir(join(archive, 'batch-1'))).toSorted()).toEqual(before.filter((name) => name !== 'orders.log').toSorted())
    expect(await wanted.action.probe(wanted.step, 'x-archive', never)).toBe('applied')
    await until('orders are taken again', async () => (await latest(started.target, 'checkout', 'error_ratio', 2)).at(-1)?.value === 0, 15)

    const undo = wanted.action.undo(wanted.step, wanted.observation)
    if (!undo) throw new Error('what was archived can be put back')
    const back = { ...wanted.step, parameters: undo.parameters, preconditions: undo.preconditions }
    expect(await wanted.action.effect(back, 'x-back', never)).toEqual({ result: 'applied' })
    expect(await readdir(archive)).toEqual([])
    expect((await readdir(journal)).length).toBe(before.length)
    expect((await wanted.action.effect(back, 'x-again', never)).result).toBe('refused')
  })

  test('expiring-certificate: what the door shows ends soon, and a new one is shown without closing it', async () => {
    const alert = await breakTarget(started, 'expiring-certificate', 'CertificateExpiring')
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'certificate_expiring', component: 'service/storefront', struck: [] })
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    if (!wanted) throw new Error('nothing was suggested')
    expect(wanted.action.title(wanted.step.target, wanted.step.parameters)).toBe('Renew the certificate of storefront')
    const days = async () => (await latest(started.target, 'storefront', 'certificate_days_left', 2)).at(-1)?.value ?? 0
    expect(Math.round(await days())).toBe(5)
    expect(await wanted.action.effect(wanted.step, 'x-renew', never)).toEqual({ result: 'applied' })
    await until('the new one is shown', async () => (await days()) > 300)
    const undo = wanted.action.undo(wanted.step, wanted.observation)
    expect(undo && wanted.action.title(wanted.step.target, undo.parameters)).toBe('Show certificate 2 of storefront again')
    expect((await started.target.workloads.find('storefront'))?.workload.restarts).toBe(0)
  })

  test('hung-job: only the job is ended, and its work is taken up again', async () => {
    const alert = await breakTarget(started, 'hung-job', 'JobStuck')
    const hypotheses = await hypothesesFor(started, alert)
    expect(causeOf(hypotheses)).toEqual({ cause: 'job_stuck', component: 'service/checkout', struck: [] })
    const pids = started.target.processes().map(({ pid }) => pid)
    const wanted = hypotheses[0] && (await suggested(started, hypotheses[0]))
    expect(wanted && (await wanted.action.dryRun(wanted.step)).changes).toEqual([
      { field: 'job confirmations', from: 'run 1', to: 'run 2' },
    ])
    expect(await wanted?.action.effect(wanted.step, 'x-job', never)).toEqual({ result: 'applied' })
    await until(
      'the queue is worked off',
      async () => ((await latest(started.target, 'checkout', 'queue_depth', 2)).at(-1)?.value ?? 99) < 20,
    )
    expect(started.target.processes().map(({ pid }) => pid)).toEqual(pids)
  })
})
