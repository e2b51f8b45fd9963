import { afterEach, expect, test } from 'vitest'
import { actionOf, latest, never, startTarget, stepOn, stopTargets, until } from './started-target.ts'

afterEach(stopTargets)

test('what runs, what is broken and what was done survive the supervisor', { timeout: 60_000 }, async () => {
  const first = await startTarget()
  await first.target.drills.begin('bad-release', never)
  const action = actionOf(first.target, 'local.scale')
  const seen = await stepOn(action, 'payments', { replicas: 2 })
  await action.effect(seen, 'x-scale', never)
  await until('an alert', () => first.deps.alerts.some(({ service }) => service === 'payments'))
  const rollback = await stepOn(actionOf(first.target, 'local.rollback'), 'payments', { version: 'v41' })
  await first.target.stop()

  const second = await startTarget(first)
  expect((await second.target.workloads.find('payments'))?.workload).toMatchObject({
    version: 'v42',
    previousVersion: 'v41',
    desiredReplicas: 2,
    readyReplicas: 2,
  })
  expect(await actionOf(second.target, 'local.scale').probe(seen, 'x-scale', never)).toBe('applied')
  expect((await second.target.changes.list({ services: ['payments'], from: new Date(0), to: new Date() })).changes).toHaveLength(2)
  await until('it still fails', async () => (await latest(second.target, 'payments', 'error_ratio', 2)).some(({ value }) => value === 1))
  await second.target.drills.begin('bad-release', never)
  expect(await actionOf(second.target, 'local.rollback').effect(rollback, 'x-back', never)).toEqual({ result: 'applied' })
  const alert = first.deps.alerts.find(({ service }) => service === 'payments')
  await until('the alert from before the interruption is resolved', () =>
    second.deps.alerts.some(({ key, status }) => key === alert?.key && status === 'resolved'),
  )
})

test('a leak that was interrupted is full again at once', { timeout: 60_000 }, async () => {
  const first = await startTarget()
  await first.target.drills.begin('memory-leak', never)
  await first.target.stop()
  const second = await startTarget(first)
  await until(
    'the heap is full',
    async () => ((await latest(second.target, 'inventory', 'memory_used_ratio', 2)).at(-1)?.value ?? 0) > 0.85,
    5,
  )
})

test('an alert that could not be told is told by the next start', { timeout: 60_000 }, async () => {
  const first = await startTarget(undefined, (deps) => {
    deps.raise = async () => Promise.reject(new Error('the database is down'))
  })
  await first.target.drills.begin('bad-release', never)
  await until('the alert could not be told', () =>
    first.deps.warnings.includes('alerts of the local target could not be raised; they wait'),
  )
  await first.target.stop()
  expect(first.deps.alerts).toEqual([])
  const second = await startTarget(first)
  await until('it is told', () => second.deps.alerts.some(({ service, status }) => service === 'payments' && status === 'firing'), 5)
})

test('scrapes wait while the store is away, and come in bounded batches when it is back', { timeout: 60_000 }, async () => {
  const batches: number[] = []
  let away = true
  const { deps, target } = await startTarget(undefined, (changed) => {
    const { append } = changed.scrapes
    changed.scrapes.append = async (rows) => {
      if (away) throw new Error('the database is down')
      batches.push(rows.length)
      await append(rows)
    }
  })
  await until('three rounds that could not be stored', () => deps.warnings.length >= 3)
  away = false
  await until('all of them are there', async () => (await latest(target, 'payments', 'request_rate', 10)).length >= 3)
  expect(Math.max(...batches)).toBeGreaterThan(8)
  expect(Math.max(...batches)).toBeLessThanOrEqual(500)
})

test('while a drill runs, nothing from before the last one is shown; afterwards everything is', { timeout: 90_000 }, async () => {
  const { target } = await startTarget()
  await target.drills.begin('bad-release', never)
  await until('errors', async () => (await latest(target, 'payments', 'error_ratio', 5)).some(({ value }) => value === 1))
  await target.drills.restore(never)
  const everything = { service: 'payments', from: new Date(0), to: new Date(Date.now() + 60_000) }
  const errorsShown = async (): Promise<boolean[]> => [
    (await target.metrics.read({ ...everything, metric: 'error_ratio', stepSeconds: 1 })).points.some(({ value }) => value > 0),
    (await target.logs.read({ ...everything, limit: 100, level: 'error' })).lines.length > 0,
    (await target.changes.list({ ...everything, services: ['payments'] })).changes.length > 0,
  ]
  expect(await errorsShown()).toEqual([true, true, true])
  await target.drills.begin('blip', never)
  expect(await errorsShown()).toEqual([false, false, false])
  await target.drills.restore(never)
  expect(await errorsShown()).toEqual([true, true, true])
})
