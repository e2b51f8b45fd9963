import { afterAll, describe, expect, test } from 'vitest'
import { checkOf, holds, type Judgement, judge } from '../../../agent/actions/verify.ts'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import type { SuccessContract } from '../../../agent/domain/plan.ts'
import type { Action, Observation, Step } from '../../../integrations/ports/action.ts'
import type { MetricName } from '../../../integrations/ports/metrics.ts'
import { breakTarget } from './practised-target.ts'
import { actionOf, latest, never, type StartedTarget, startTarget, stopTargets, until } from './started-target.ts'

afterAll(stopTargets)

async function propose(action: Action, cause: Hypothesis['class'], component: string): Promise<{ step: Step; observation: Observation }> {
  const hypothesis = { rank: 1, class: cause, component, confidence: 90, parts: [], claims: [], against: [], unknown: [], since: null }
  const suggestion = await action.suggest(hypothesis, { service: 'storefront', environment: 'local' })
  const observation = suggestion && (await action.observe(suggestion.target))
  if (!suggestion || !observation) throw new Error(`nothing is suggested for ${cause}`)
  const step = { planId: 'p', target: observation.target, parameters: suggestion.parameters, preconditions: observation.preconditions }
  return { step, observation }
}

/** Judges a contract as the executor does, until there is a verdict. */
async function verdictOf({ target }: StartedTarget, action: Action, step: Step, contract: SuccessContract): Promise<Judgement['verdict']> {
  const began = new Date()
  const state: { at: Date; held: boolean; value: string }[] = []
  let verdict: Judgement['verdict'] = 'waiting'
  await until(
    'a verdict',
    async () => {
      const to = new Date()
      const fields = await action.readState(
        step.target,
        contract.state.map(({ field }) => field),
      )
      state.push({ at: to, held: contract.state.every(({ field, equals }) => fields[field] === equals), value: '' })
      const metrics = contract.metrics.map(async (bound) => {
        const series = await target.metrics.read({
          service: bound.service,
          metric: bound.metric as MetricName,
          from: began,
          to,
          stepSeconds: 1,
        })
        return {
          ...checkOf(bound),
          readings: series.points.map(({ at, value }) => ({ at, value: String(value), held: holds(bound, value) })),
        }
      })
      const checks = [...(await Promise.all(metrics)), { ...{ check: 'state', words: 'state', unit: null }, readings: [...state] }]
      verdict = judge(contract, checks, began, to).verdict
      return verdict !== 'waiting'
    },
    contract.withinSeconds + 5,
  )
  return verdict
}

async function expectRestored({ target, deps }: StartedTarget): Promise<void> {
  await target.drills.restore(never)
  const workloads = await target.workloads.list()
  expect(
    workloads.map(({ version, previousVersion, desiredReplicas, readyReplicas }) => [
      version,
      previousVersion,
      desiredReplicas,
      readyReplicas,
    ]),
  ).toEqual([
    ['v8', null, 1, 1],
    ['v17', null, 1, 1],
    ['v41', null, 1, 1],
    ['v12', null, 1, 1],
  ])
  await until('every alert is over', () => {
    const over = new Set(deps.alerts.filter(({ status }) => status === 'resolved').map(({ key }) => key))
    return deps.alerts.every(({ key }) => over.has(key))
  })
}

describe('scenarios', { timeout: 90_000 }, () => {
  test.concurrent('bad-release: every charge fails, the errors spread, rolling back mends it', async () => {
    const started = await startTarget()
    const alert = await breakTarget(started, 'bad-release', 'HighErrorRatio')
    expect(alert).toMatchObject({ name: 'HighErrorRatio', status: 'firing', environment: 'local' })
    await until('the callers suffer too', () =>
      ['storefront', 'checkout'].every((service) => started.deps.alerts.some((other) => other.service === service)),
    )
    const logs = await started.target.logs.read({ service: 'payments', from: new Date(0), to: new Date(), limit: 5, level: 'error' })
    expect(logs.lines.every(({ version, text }) => version === 'v42' && text.includes('cannot be converted to a BigInt'))).toBe(true)
    const { changes } = await started.target.changes.list({ services: ['payments'], from: new Date(0), to: new Date() })
    expect(changes).toMatchObject([{ kind: 'release', summary: 'payments went from v41 to v42', from: 'v41', to: 'v42' }])

    const action = actionOf(started.target, 'local.rollback')
    const { step, observation } = await propose(action, 'bad_release', 'service/payments')
    expect(action.title(step.target, step.parameters)).toBe('Roll back payments from v42 to v41')
    expect(await action.effect(step, 'x-1', never)).toEqual({ result: 'applied' })
    expect(await verdictOf(started, action, step, action.success(step, observation))).toBe('verified')
    await expectRestored(started)
  })

  test.concurrent('memory-leak: the heap fills and stays full, and a restart empties it', async () => {
    const started = await startTarget()
    const alert = await breakTarget(started, 'memory-leak', 'HighMemory')
    expect(alert).toMatchObject({ name: 'HighMemory', trigger: { metric: 'memory_used_ratio', threshold: 0.85 } })
    await until('it stays full', async () =>
      (await latest(started.target, 'inventory', 'memory_used_ratio', 4)).every(({ value }) => value > 0.85),
    )
    expect((await started.target.workloads.find('inventory'))?.workload.restarts).toBe(0)

    const action = actionOf(started.target, 'local.restart')
    const { step, observation } = await propose(action, 'memory_leak', 'service/inventory')
    expect(await action.effect(step, 'x-1', never)).toEqual({ result: 'applied' })
    expect(await verdictOf(started, action, step, action.success(step, observation))).toBe('verified')
    expect(action.undo(step, observation)).toBeNull()
    await expectRestored(started)
  })

  test.concurrent('blip: the failure is announced, and is over without anybody doing anything', async () => {
    const started = await startTarget()
    const { key } = await breakTarget(started, 'blip', 'HighErrorRatio')
    await until('it healed', () => started.deps.alerts.some((alert) => alert.key === key && alert.status === 'resolved'), 15)
    expect((await started.target.changes.list({ services: 'all', from: new Date(0), to: new Date() })).changes).toEqual([])
    await expectRestored(started)
  })

  test.concurrent('wrong-fix: rolling back is plausible, does not help, and is undone', async () => {
    const started = await startTarget()
    await breakTarget(started, 'wrong-fix', 'HighErrorRatio')
    const action = actionOf(started.target, 'local.rollback')
    const { step, observation } = await propose(action, 'bad_release', 'app/checkout')
    expect(await action.effect(step, 'x-1', never)).toEqual({ result: 'applied' })
    expect(await verdictOf(started, action, step, action.success(step, observation))).toBe('failed')

    const undo = action.undo(step, observation)
    if (!undo) throw new Error('a rollback has a way back')
    const back = { ...step, parameters: undo.parameters, preconditions: undo.preconditions }
    expect((await action.dryRun(back)).changes).toEqual([{ field: 'version', from: 'v17', to: 'v18' }])
    expect(await action.effect(back, 'x-2', never)).toEqual({ result: 'applied' })
    expect(await verdictOf(started, action, back, undo.success)).toBe('verified')
    expect((await started.target.workloads.find('checkout'))?.workload).toMatchObject({ version: 'v18', previousVersion: 'v17' })
    await expectRestored(started)
  })
})
