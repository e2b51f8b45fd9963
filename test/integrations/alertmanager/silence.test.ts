import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { buildPlan } from '../../../agent/actions/build-plan.ts'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import { type ProposalInput, weighAction } from '../../../agent/actions/propose.ts'
import { objectionOfDryRun, objectionOfTarget } from '../../../agent/actions/recheck.ts'
import type { Plan } from '../../../agent/domain/plan.ts'
import { labelsOf, textOf } from '../../../integrations/alertmanager/alert-labels.ts'
import { createAlertmanager } from '../../../integrations/alertmanager/index.ts'
import { type AlertmanagerServer, type Fate, startAlertmanagerServer } from '../../support/alertmanager/server.ts'
import { ALERT, type Labels, silenceOf, silenceSuite, stateOf, stepOf, undoOf } from '../../support/alertmanager/silence-suite.ts'
import { anyText } from '../../support/any-text.ts'

const servers: AlertmanagerServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop()
})

async function start(...firing: readonly Labels[]): Promise<AlertmanagerServer> {
  const server = await startAlertmanagerServer()
  servers.push(server)
  for (const labels of firing) await server.fire(labels)
  return server
}
const SIGNAL = AbortSignal.timeout(60_000)

silenceSuite(() => start())

test.each([
  ['answered', { result: 'applied' }, 'applied', 1],
  ['reply-lost', 'unknown', 'applied', 1],
  ['doubled', { result: 'applied' }, 'applied', 2],
  ['lost', 'unknown', 'not-applied', 0],
  ['broken', { result: 'unknown', words: 'alertmanager: answered 503: "overloaded"' }, 'not-applied', 0],
  ['forbidden', { result: 'refused', reason: 'permission-missing' }, 'not-applied', 0],
] as const satisfies readonly (readonly [Fate, unknown, string, number])[])(
  'a request that is %s: what is said of it, what the probe finds, and the undo ends all of it',
  async (fate, said, found, changes) => {
    const server = await start(ALERT)
    const action = silenceOf(server.url)
    const [step, executionId] = [await stepOf(action), randomUUID()]
    server.next(fate)
    // Without an answer the executor takes it for unknown, and asks the probe.
    const result = await action.effect(step, executionId, SIGNAL).catch(() => 'unknown')
    if (said === 'unknown') expect(result).toBe('unknown')
    else expect(result).toMatchObject(said)
    expect(server.changes()).toBe(changes)
    expect(await action.probe(step, executionId, SIGNAL)).toBe(found)
    const undo = undoOf(action, step)
    expect(await action.effect(undo, randomUUID(), SIGNAL)).toEqual({ result: 'applied' })
    expect(await stateOf(action, step)).toBe('none')
  },
)

test('an execution that left its mark is not carried out again', async () => {
  const server = await start(ALERT)
  const action = silenceOf(server.url)
  const [step, executionId] = [await stepOf(action), randomUUID()]
  await action.effect(step, executionId, SIGNAL)
  expect(await action.effect(step, executionId, SIGNAL)).toEqual({ result: 'applied' })
  expect(server.changes()).toBe(1)
})

test('an undo whose request is lost half-way is not told as done', async () => {
  const server = await start(ALERT)
  const action = silenceOf(server.url)
  const step = await stepOf(action)
  await action.effect(step, randomUUID(), SIGNAL)
  const undo = undoOf(action, step)
  server.next('lost')
  await expect(action.effect(undo, randomUUID(), SIGNAL)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await action.probe(undo, randomUUID(), SIGNAL)).toBe('not-applied')
  expect(await stateOf(action, step)).toBe('active')
})

test('an alert that is over, silenced by somebody or of another service is left alone, and nothing is sent', async () => {
  const server = await start(ALERT)
  const action = silenceOf(server.url)
  const step = await stepOf(action)
  await server.resolve(ALERT)
  const over = { result: 'refused', reason: 'stale-target', words: 'no alert of payments with exactly these labels fires now' }
  expect(await action.effect(step, randomUUID(), SIGNAL)).toEqual(over)
  await server.fire({ ...ALERT, pod: 'payments-0' })
  expect(await action.effect(step, randomUUID(), SIGNAL)).toEqual(over)
  const other = { ...ALERT, service: 'checkout' }
  await server.fire(other)
  expect(await action.effect({ ...step, parameters: { alert: textOf(other), minutes: 60 } }, randomUUID(), SIGNAL)).toEqual(over)
  await expect(action.dryRun(step, SIGNAL)).rejects.toMatchObject({ code: 'refused' })
  expect(server.changes()).toBe(0)
})

test('the card shows every label, how many alerts have them, and that nobody is told', async () => {
  const long = { ...ALERT, note: 'x'.repeat(150) }
  const server = await start(
    long,
    { ...long, service: 'payments', pod: 'payments-0' },
    { ...ALERT, alertname: 'Other', service: 'checkout' },
  )
  const action = silenceOf(server.url)
  const target = (await action.observe({ environment: 'production', name: 'payments' }))?.target
  if (!target) throw new Error('payments has alerts that fire')
  const parameters = { alert: textOf(long), minutes: 60 }
  const { changes, downtime } = await action.dryRun({ planId: randomUUID(), target, preconditions: [], parameters }, SIGNAL)
  const shown = changes.map(({ to }) => String(to))
  expect(shown.every((line) => line.length <= 200)).toBe(true)
  for (const [name, value] of Object.entries(long)) expect(shown.join()).toContain(`${name}=${JSON.stringify(value)}`)
  expect(downtime).toContain('2 alerts have these labels now; nobody is told')
  expect(action.title(target, parameters)).toBe('Silence HighErrors of payments for 60 minutes')
  expect(action.byHand?.command({ target, parameters, incident: 'inc-1' })).toContain(`'service="payments"'`)
})

test('what is asked again right before it holds for the plan and for its undo, also when the alert is over meanwhile', async () => {
  const server = await start(ALERT)
  const { entry, result } = await weighed(server, ALERT)
  if (result.result !== 'fits') throw new Error(result.words)
  const { parent, undo } = buildPlan({
    ...result.chosen,
    ids: { plan: result.chosen.planId, undo: randomUUID() },
    ...{ incident: { id: 'inc-1', severity: 2 }, entry, symptom: null, cause: { class: 'unknown', component: 'service/payments' } },
    ...{ dependents: [], cautions: [], requester: 'alice', build: 'b'.repeat(64), now: new Date() },
  })
  if (!undo) throw new Error('a silence has an undo')
  const objections = async (plan: Plan) => [await objectionOfTarget(entry, plan, SIGNAL), await objectionOfDryRun(entry, plan, SIGNAL)]
  expect(await objections(parent.plan)).toEqual([null, null])
  const { id: planId, target, parameters, preconditions } = parent.plan
  await entry.action.effect({ planId, target, parameters, preconditions }, randomUUID(), SIGNAL)
  await server.resolve(ALERT)
  expect(await objections(undo.plan)).toEqual([null, null])
  const end = { ...undo.plan, planId: undo.plan.id }
  expect(await entry.action.effect(end, randomUUID(), SIGNAL)).toEqual({ result: 'applied' })
  expect(await entry.action.observe({ environment: 'production', name: 'payments' })).toBeNull()
})

test('it heals nothing: only that it is active is checked', async () => {
  const action = silenceOf((await start(ALERT)).url)
  const step = await stepOf(action)
  expect(action.success(step, { target: step.target, preconditions: [], replicas: 0 })).toMatchObject({ heals: false, metrics: [] })
  expect(
    await action.suggest({ class: 'bad_release', component: 'service/payments' } as never, {
      service: 'payments',
      environment: 'production',
    }),
  ).toBeNull()
})

test.each([
  ['another environment', { environment: 'staging', name: 'payments' }],
  ['a service without alerts', { environment: 'production', name: 'inventory' }],
])('there is no target in %s', async (_, where) => {
  expect(await silenceOf((await start(ALERT)).url).observe(where)).toBeNull()
})

test.each([
  ['a part of the labels', { alertname: 'HighErrors' }],
  ['another value', { ...ALERT, quote: '.*' }],
  ['an alert of another incident', { ...ALERT, alertname: 'Other' }],
])('in an incident, %s is not asked for', async (_, labels) => {
  const server = await start(ALERT, { ...ALERT, ...labels })
  expect((await weighed(server, labels)).result).toMatchObject({
    result: 'held-back',
    words: expect.stringContaining('exactly these labels'),
  })
})

test('in its incident it is weighed by the policy, while the alert fires there', async () => {
  const server = await start(ALERT)
  expect((await weighed(server, ALERT)).result).toMatchObject({ result: 'fits' })
  expect((await weighed(server, ALERT, 'resolved')).result).toMatchObject({ result: 'held-back' })
})

async function weighed(server: AlertmanagerServer, labels: Labels, status: 'firing' | 'resolved' = 'firing') {
  const integration = createAlertmanager({ now: () => new Date() }, [{ environment: 'production', url: server.url, token: null }])
  const catalog = createCatalog([
    { id: integration.id, environments: integration.environments, actions: integration.actions ?? [], metrics: null },
  ])
  const [entry] = catalog.entries
  if (!entry) throw new Error('a silence is what it is for')
  const input: ProposalInput = {
    incident: {
      ...{ id: 'inc-1', title: '', service: 'payments', environment: 'production', severity: 2, severityReason: '', state: 'open' },
      ...{ openedAt: new Date(), endedAt: null, drillRun: null },
    },
    hypothesis: {
      rank: 1,
      class: 'unknown',
      component: 'service/payments',
      confidence: 0,
      parts: [],
      claims: [],
      against: [],
      unknown: [],
      since: null,
    },
    ...{ corroborated: false, symptom: null, approvals: [], requester: 'alice', asked: true },
    alerts: [{ source: 'alertmanager', key: 'f00d', status, labels: ALERT }],
  }
  const asking = {
    rule: 'test',
    role: 'approver',
    needed: 1,
    requesterMayApprove: false,
    ttlSeconds: 600,
    cooldownSeconds: 0,
    typed: false,
  } as const
  const deps = {
    ...{ kernel: {} as never, catalog, policy: () => ({ decide: 'ask', asking }) as const, workspaces: [], now: () => new Date() },
    ...{
      card: { fits: () => true, renderHash: () => '', renderVersion: 1 },
      presentations: () => [],
      dependents: async () => [],
      build: () => '',
    },
  }
  const wanted = { target: { environment: 'production', name: 'payments' }, parameters: { alert: textOf(labels), minutes: 30 } }
  return { entry, result: await weighAction(deps, input, entry, wanted) }
}

test.each([
  ['no labels', '{}'],
  ['no alertname', '{"service":"payments"}'],
  ['an empty value, which stands for any alert without the label', '{"alertname":""}'],
  ['a name that is none', '{"alertname":"X","a b":"c"}'],
  ['not JSON', '{alertname="X"}'],
  ['a list', '["alertname"]'],
  ['too long', JSON.stringify({ alertname: 'x'.repeat(500) })],
])('an alert is not named by %s', (_, text) => {
  expect(labelsOf(text)).toBeNull()
})

test('labels are read back from their text as they were', () => {
  const labels = fc.dictionary(
    fc.stringMatching(/^[a-z_]{1,5}$/),
    anyText(10).filter((text) => text !== ''),
    { maxKeys: 5, noNullPrototype: true },
  )
  fc.assert(
    fc.property(labels, (some) => {
      const all = { ...some, alertname: 'X' }
      expect(labelsOf(textOf(all))).toEqual(all)
    }),
  )
})

test('doctor says that it answers, or what to do', async () => {
  const server = await start()
  const check = async () =>
    (await createAlertmanager({ now: () => new Date() }, [{ environment: 'production', url: server.url, token: 'hush' }]).check())[0]
  expect(await check()).toMatchObject({ name: 'alertmanager/production', status: 'ok', words: expect.stringContaining('0.28.0') })
  server.stop()
  expect(await check()).toMatchObject({ status: 'failed', fix: expect.stringContaining('ALERTMANAGER_URL') })
  expect(JSON.stringify(await check())).not.toContain('hush')
})
