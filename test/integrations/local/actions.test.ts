import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import { successContractSchema } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import { actionOf, never, type StartedTarget, startTarget, stepOn, stopTargets, until } from './started-target.ts'

let started: StartedTarget
beforeAll(async () => {
  started = await startTarget()
})
afterAll(stopTargets)

const hypothesis = (cause: Hypothesis['class'], component: string): Hypothesis => ({
  rank: 1,
  class: cause,
  component,
  confidence: 90,
  parts: [],
  claims: [],
  against: [],
  unknown: [],
  since: null,
})
test('each can be asked for by hand, with the parameters that it would be planned with', async () => {
  for (const { definition, byHand } of started.target.actions) {
    const verb = definition.kind.replace('local.', '')
    const service = { 'archive-logs': 'inventory', 'renew-certificate': 'storefront', 'restart-job': 'inventory' }[verb] ?? 'payments'
    const where = { environment: 'local', name: service }
    const parameters = (await byHand?.defaults(where)) ?? (verb === 'rollback' ? { version: 'v41' } : { replicas: 3 })
    expect(definition.parameters.safeParse(parameters).success, definition.kind).toBe(true)
    const target = { provider: 'local', kind: 'service', uid: 'x', ...where }
    const command = byHand?.command({ target, parameters, incident: 'inc-4' }) ?? ''
    expect(command).toMatch(new RegExp(`^npx steadyhand do ${verb} ${service}( [a-z]+=[\\w-]+)* for inc-4 --as YOU$`))
    for (const [name, value] of Object.entries(parameters)) expect(command).toContain(` ${name}=${String(value)} `)
  }
  const [rollback] = started.target.actions
  const hostile = { provider: 'local', environment: 'local', kind: 'service', name: "x'; rm -rf / #", uid: 'x' }
  expect(rollback?.byHand?.command({ target: hostile, parameters: {}, incident: 'inc-4' })).toBe(
    "npx steadyhand do rollback 'x'\\''; rm -rf / #' for inc-4 --as YOU",
  )
})

const here = { service: 'storefront', environment: 'local' }

test('every definition keeps to its bounds', () => {
  expect(started.target.actions.map(({ definition }) => definition.kind)).toEqual([
    'local.rollback',
    'local.restart',
    'local.scale',
    'local.archive-logs',
    'local.renew-certificate',
    'local.restart-job',
  ])
  for (const { definition } of started.target.actions) expect(definition.maxTtlSeconds).toBeLessThanOrEqual(3_600)
  const bounds: [string, unknown, boolean][] = [
    ['local.scale', { replicas: 4 }, true],
    ['local.scale', { replicas: 0 }, false],
    ['local.scale', { replicas: 5 }, false],
    ['local.scale', { replicas: 1.5 }, false],
    ['local.scale', {}, false],
    ['local.rollback', { version: 'v41' }, true],
    ['local.rollback', { version: 'v41; rm -rf /' }, false],
    ['local.rollback', { version: 'v41', force: true }, false],
    ['local.restart', {}, true],
    ['local.restart', { now: true }, false],
    ['local.archive-logs', { way: 'archive', batch: 1 }, true],
    ['local.archive-logs', { way: 'delete', batch: 1 }, false],
    ['local.archive-logs', { way: 'archive', batch: '../..' }, false],
    ['local.renew-certificate', { certificate: 2 }, true],
    ['local.renew-certificate', { certificate: 0 }, false],
    ['local.restart-job', { job: 'all' }, false],
  ]
  for (const [kind, parameters, valid] of bounds) {
    expect(
      actionOf(started.target, kind).definition.parameters.safeParse(parameters).success,
      `${kind} ${JSON.stringify(parameters)}`,
    ).toBe(valid)
  }
})

test.each([
  ['local.restart', 'memory_leak', 'service/inventory', { target: { environment: 'local', name: 'inventory' }, parameters: {} }],
  ['local.restart', 'deadlock_or_hang', 'app/checkout', { target: { environment: 'local', name: 'checkout' }, parameters: {} }],
  ['local.restart', 'bad_release', 'service/payments', null],
  ['local.rollback', 'memory_leak', 'service/payments', null],
  ['local.rollback', 'bad_release', 'service/storefront', null],
  [
    'local.scale',
    'traffic_surge',
    'service/storefront',
    { target: { environment: 'local', name: 'storefront' }, parameters: { replicas: 2 } },
  ],
  ['local.rollback', 'crash_on_start', 'service/payments', null],
  ['local.archive-logs', 'log_volume_full', 'service/inventory', null],
  [
    'local.archive-logs',
    'log_volume_full',
    'service/checkout',
    { target: { environment: 'local', name: 'checkout' }, parameters: { way: 'archive', batch: 1 } },
  ],
  ['local.renew-certificate', 'certificate_expiring', 'service/checkout', null],
  ['local.restart-job', 'job_stuck', 'external/bank', null],
  ['local.scale', 'unknown', 'service/storefront', null],
  ['local.scale', 'traffic_surge', 'service/billing', null],
  ['local.scale', 'traffic_surge', 'node/storefront', null],
] as const)('%s for %s of %s', async (kind, cause, component, suggested) => {
  const suggestion = await actionOf(started.target, kind).suggest(hypothesis(cause, component), here)
  expect(suggestion && { target: suggestion.target, parameters: suggestion.parameters }).toEqual(suggested)
})

test('nothing is suggested for another environment', async () => {
  const elsewhere = { service: 'storefront', environment: 'production' }
  expect(await actionOf(started.target, 'local.scale').suggest(hypothesis('traffic_surge', 'service/storefront'), elsewhere)).toBeNull()
})

test('what is not there is not observed', async () => {
  const action = actionOf(started.target, 'local.restart')
  expect(await action.observe({ environment: 'local', name: 'billing' })).toBeNull()
  expect(await action.observe({ environment: 'local', name: 'outside' })).toBeNull()
  expect(await action.observe({ environment: 'production', name: 'payments' })).toBeNull()
})

test('a version that was never released fails the dry run and is refused by the effect', async () => {
  const action = actionOf(started.target, 'local.rollback')
  const step = await stepOn(action, 'payments', { version: 'v40' })
  await expect(action.dryRun(step)).rejects.toThrow(IntegrationError)
  expect(await action.effect(step, 'x-unknown-version', never)).toMatchObject({ result: 'refused', reason: 'invalid' })
})

test('scaling: shown, applied once, found by its probe, undone to what was captured', async () => {
  const action = actionOf(started.target, 'local.scale')
  const observation = await action.observe({ environment: 'local', name: 'payments' })
  if (!observation) throw new Error('payments is not there')
  const step = { planId: 'p', target: observation.target, parameters: { replicas: 3 }, preconditions: observation.preconditions }
  expect(action.title(step.target, step.parameters)).toBe('Scale payments from 1 to 3 replicas')
  expect((await action.dryRun(step)).changes).toEqual([{ field: 'replicas', from: 1, to: 3 }])
  expect(successContractSchema.safeParse(action.success(step, observation)).success).toBe(true)
  expect(await action.probe(step, 'x-scale', never)).toBe('not-applied')
  expect(await action.effect(step, 'x-scale', never)).toEqual({ result: 'applied' })
  expect(await action.effect(step, 'x-scale', never)).toEqual({ result: 'applied' })
  expect(await action.probe(step, 'x-scale', never)).toBe('applied')
  const fields = ['replicas', 'updatedReplicas', 'generation', 'nonsense']
  await until('three replicas', async () => (await action.readState(step.target, fields))['updatedReplicas'] === 3)
  expect(await action.readState(step.target, fields)).toEqual({ replicas: 3, updatedReplicas: 3, generation: 2, nonsense: null })

  expect(await action.effect(step, 'x-scale-again', never)).toEqual({
    result: 'refused',
    reason: 'stale-target',
    words: 'replicas of payments is 3, not 1',
  })

  const undo = action.undo(step, observation)
  if (!undo) throw new Error('scaling has a way back')
  expect(successContractSchema.safeParse(undo.success).success).toBe(true)
  const back = { ...step, parameters: undo.parameters, preconditions: undo.preconditions }
  expect((await action.dryRun(back)).changes).toEqual([{ field: 'replicas', from: 3, to: 1 }])
  expect(await action.effect(back, 'x-unscale', never)).toEqual({ result: 'applied' })
  await until('one replica', () => started.target.processes().filter(({ service }) => service === 'payments').length === 1)
})

test('of many effects on what was seen once, one is applied', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'storefront', {})
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => action.effect(step, `x-race-${i}`, never)))
  expect(results.map(({ result }) => result).sort()).toEqual(['applied', ...Array.from({ length: 9 }, () => 'refused')])
})

test('another uid is another service', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'checkout', {})
  const other = { ...step, target: { ...step.target, uid: '00000000-0000-4000-8000-000000000000' } }
  expect(await action.effect(other, 'x-other', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
  await expect(action.dryRun(other)).rejects.toThrow('its uid changed')
})

test('the dry run of a restart reads the same whichever processes run, so that a crash does not outdate an approval', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'inventory', {})
  const before = await action.dryRun(step)
  const pid = started.target.processes().find(({ service }) => service === 'inventory')?.pid
  process.kill(pid ?? 0, 'SIGKILL')
  await until('inventory is back', async () => (await started.target.workloads.find('inventory'))?.workload.restarts === 1)
  await until('inventory is ready', async () => (await started.target.workloads.find('inventory'))?.workload.readyReplicas === 1)
  expect(await action.dryRun(step)).toEqual(before)
  expect((await action.observe({ environment: 'local', name: 'inventory' }))?.preconditions).toEqual(step.preconditions)
})

test('an effect that could not be stored is unknown, and its probe says that it did not happen', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'checkout', {})
  const { save } = started.deps.memory
  started.deps.memory.save = async () => Promise.reject(new Error('disk full'))
  expect(await action.effect(step, 'x-disk', never)).toMatchObject({ result: 'unknown', words: expect.stringContaining('disk full') })
  started.deps.memory.save = save
  expect(await action.probe(step, 'x-disk', never)).toBe('not-applied')
})

test('an effect that was stored, and whose answer was lost, is found by its probe, and is not made again', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'checkout', {})
  const { save, load } = started.deps.memory
  started.deps.memory.save = async (key, value) => {
    await save(key, value)
    throw new Error('connection reset')
  }
  expect(await action.effect(step, 'x-lost', never)).toMatchObject({
    result: 'unknown',
    words: expect.stringContaining('connection reset'),
  })
  started.deps.memory.load = async () => Promise.reject(new Error('away'))
  expect(await action.probe(step, 'x-lost', never)).toBe('unknown')
  Object.assign(started.deps.memory, { save, load })
  expect(await action.probe(step, 'x-lost', never)).toBe('applied')
  expect(await action.effect(step, 'x-lost', never)).toEqual({ result: 'applied' })
})

test('an effect that was cancelled before it began changes nothing', async () => {
  const action = actionOf(started.target, 'local.restart')
  const step = await stepOn(action, 'checkout', {})
  await action.effect(step, 'x-cancelled', AbortSignal.abort(new Error('cancelled')))
  expect(await action.probe(step, 'x-cancelled', never)).toBe('not-applied')
})
