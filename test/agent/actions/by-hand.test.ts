import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createByHand } from '../../../agent/actions/by-hand.ts'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import { judgeByHand } from '../../../agent/actions/judge-by-hand.ts'
import { withoutModel } from '../../../agent/diagnosis/confidence.ts'
import { withOpinion } from '../../../agent/diagnosis/second-opinion.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import { describeDatabases } from '../../support/database.ts'
import { createExecutorHarness, type ExecutorHarness } from '../../support/executor-harness.ts'
import { FAKE_DEFINITION } from '../../support/fake-target.ts'
import { inventoryOf, workload } from '../../support/shop-inventory.ts'

const CAROL = { id: 'carol', name: 'Carol', kind: 'human', active: true } as const

function byRules(cause: Hypothesis['class'], rank: number, score: number): Hypothesis {
  return {
    ...{ rank, class: cause, component: 'service/payments', claims: [], against: [], unknown: [], since: null },
    ...withoutModel([
      { name: 'validator', score, why: 'as the rule says' },
      { name: 'retrieval', score, why: 'as its signs say' },
      { name: 'evidence', score: 100, why: 'all was answered' },
    ]),
  }
}

describeDatabases('an action asked for by hand', (store) => {
  const database = store.perTest()
  let harness: ExecutorHarness
  beforeEach(async () => {
    harness = await createExecutorHarness(database())
  })
  afterEach(() => harness.close())

  const byHand = (environments: readonly string[] = ['local']) => {
    const { kernel, incidents, people, proposing } = harness
    const workloads = environments.map((environment) => workload('payments', { environment }))
    const topology = { inventory: async () => inventoryOf({ workloads }) }
    return createByHand({
      proposing,
      catalog: proposing.catalog,
      ...{ incidents, topology, seen: { incidents, topology } },
      approvals: kernel,
      people,
      jobs: { follow: async () => {}, investigateSoon: async () => {} },
      workspaces: [],
      now: proposing.now,
    })
  }
  const ask = async (parameters = {}, by: Parameters<ReturnType<typeof byHand>['proposeByHand']>[1] = CAROL) =>
    await byHand().proposeByHand({ action: 'set-version', service: 'payments', parameters, incident: null }, by)

  it('takes what it did not name from the target, and says why not where that has nothing', async () => {
    expect((await ask()).plan).toMatchObject({ action: { title: 'Set payments to v1' }, requester: 'carol' })
    const { byHand: own } = harness.target.action
    if (!own) throw new Error('the fake action can be asked for by hand')
    Object.assign(own, { defaults: async () => null, noDefaults: 'Nothing ran before it.' })
    await expect(ask()).rejects.toThrow('Nothing ran before it. Say it as: do set-version payments version=…')
    await expect(ask({ version: 'old' })).rejects.toThrow('version is not of the form that it must have.')
  })

  it('of somebody who may not is refused with the role that it takes', async () => {
    const refused = await ask({}, { id: 'bob', name: 'Bob', kind: 'human', active: true }).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'not-authorised',
      needs: { role: 'responder', of: { service: 'payments', environment: 'local' } },
    })
  })

  it('tells why the agent does not propose it, by the code that proposes', async () => {
    const { incidents, incidentId, proposing } = harness
    const why = async (service = 'payments', action = 'set-version') =>
      (await byHand().whyNot({ action, service, incident: null }))?.reasons ?? null
    expect(await why()).toEqual(['The cause is not known, so no action is suggested.'])
    await incidents.saveHypotheses(incidentId, [byRules('memory_leak', 1, 60)])
    expect(await why()).toEqual(['It is no cure for the suspected cause: memory leak of service/payments.'])
    await incidents.saveHypotheses(incidentId, [byRules('bad_release', 1, 60)])
    expect(await why()).toEqual([])
    const before = proposing.policy
    proposing.policy = (candidate) => ({ decide: 'deny', code: 'policy-denied', reasons: [`corroborated: ${candidate.corroborated}`] })
    expect(await why()).toEqual(['The policy does not allow this action. corroborated: false.'])
    proposing.policy = before
    const request = await ask()
    expect(await why()).toEqual(['Set payments to v1 is still open.'])
    await harness.vote(request, 'alice', 'deny')
    expect(await why()).toEqual(['Set payments to v1 was denied in this incident.'])
    await incidents.record(incidentId, { kind: 'incident-taken', text: 'Alice took it.', detail: { person: 'alice', name: 'Alice' } })
    expect(await why()).toEqual(['Alice has taken the incident.', 'Set payments to v1 was denied in this incident.'])
    await incidents.record(incidentId, { kind: 'incident-resolved', text: 'Over.', state: 'resolved', from: ['open'] })
    expect(await why()).toBeNull()
    await expect(why('paymnts')).rejects.toThrow('Did you mean "payments"?')
    await expect(why('payments', 'set-versoin')).rejects.toThrow('Did you mean "set-version"?')
  })

  describe('in an incident of its own, whose end no alert tells', () => {
    beforeEach(async () => {
      const over = { kind: 'incident-resolved', text: 'It is over.' }
      await harness.incidents.record(harness.incidentId, { ...over, state: 'resolved', from: ['open'] })
    })
    const judged = async (approval: Approval) => {
      const { incidents, kernel, proposing } = harness
      const incident = await incidents.get(approval.incidentId)
      if (!incident) throw new Error('the incident is gone')
      const { items } = await kernel.approvals({ incidentId: incident.id, limit: 50 })
      const deps = { incidents, catalog: proposing.catalog, now: proposing.now }
      const isOwn = await judgeByHand(deps, incident, items, AbortSignal.timeout(5_000))
      const told = (await incidents.timeline(incident.id)).filter(({ kind }) => kind === 'contract-judged')
      return { isOwn, told: told.map(({ text }) => text), state: (await incidents.get(incident.id))?.state }
    }
    const denied = async () => {
      const approval = await harness.vote(await ask(), 'alice', 'deny')
      const event = { kind: 'state-changed', text: 'Nothing was run.' }
      await harness.incidents.record(approval.incidentId, { ...event, state: 'observing', from: ['open', 'awaiting-approval'] })
      return approval
    }

    it('is over once what was asked for is so, whoever brought it about', async () => {
      const approval = await denied()
      harness.target.state.version = 'v1'
      expect(await judged(approval)).toEqual({ isOwn: true, told: [], state: 'observing' })
      await harness.moveTo(6)
      const words = 'Set payments to v1 was not run, and what it was for is so without it: errors of payments ≤ 5 % (held for 3 s).'
      expect(await judged(approval)).toEqual({ isOwn: true, told: [words], state: 'healed' })
    })

    it('stays open where it is not, and says so once', async () => {
      const approval = await denied()
      await harness.moveTo(12)
      const words = [expect.stringMatching(/^It stays open: errors of payments ≤ 5 % did not hold .* close inc-\d+ as fixed\.$/)]
      expect(await judged(approval)).toEqual({ isOwn: true, told: words, state: 'observing' })
      expect(await judged(approval)).toEqual({ isOwn: true, told: words, state: 'observing' })
    })

    it('is nothing of an incident that an alert opened', async () => {
      expect(await judged({ ...(await denied()), incidentId: harness.incidentId })).toMatchObject({ isOwn: false, told: [] })
    })
  })

  it('is of the environment that is said, else of that of its incident, where a service runs in several', async () => {
    const { incidentId } = harness
    const asked = { action: FAKE_DEFINITION.kind, service: 'payments', parameters: { version: 'v1' }, incident: null }
    const inBoth = byHand(['local', 'far'])
    await expect(inBoth.proposeByHand(asked, CAROL)).rejects.toThrow('payments runs in local and far. Say which: env:local or env:far.')
    await expect(inBoth.proposeByHand({ ...asked, environment: 'else' }, CAROL)).rejects.toThrow('local and far, not in else.')
    await expect(inBoth.proposeByHand({ ...asked, environment: 'far' }, CAROL)).rejects.toMatchObject({ code: 'not-authorised' })
    const { plan } = await inBoth.proposeByHand({ ...asked, incident: incidentId }, CAROL)
    expect(plan.target).toMatchObject({ name: 'payments', environment: 'local' })
    await expect(inBoth.proposeByHand({ ...asked, environment: 'local' }, CAROL)).rejects.toThrow('Set payments to v1 is still open.')
  })

  it('has the cause that the rules see, however sure a model is of another', async () => {
    const { incidents, incidentId } = harness
    const said = { component: 'service/payments', confidence: 100, against: [], unknown: [] }
    const merged = withOpinion(
      [byRules('bad_release', 1, 60), byRules('memory_leak', 2, 50)],
      [{ ...said, class: 'memory_leak', claims: [{ text: 'It leaks.', cites: [], supported: true }] }],
    )
    expect(merged[0]?.class).toBe('memory_leak')
    await incidents.saveHypotheses(incidentId, merged)
    const asked = { action: FAKE_DEFINITION.kind, service: 'payments', parameters: { version: 'v1' }, incident: incidentId }
    const { plan } = await byHand().proposeByHand(asked, CAROL)
    expect(plan.cause).toEqual({ class: 'bad_release', component: 'service/payments' })
  })

  it('of what is no service belongs to an incident of a service that it concerns, and of one owner', async () => {
    const { kernel, incidents, incidentId, people, proposing, target } = harness
    const observe = async ({ name }: { name: string }) =>
      name === 'node-1'
        ? {
            target: { provider: 'fake', environment: 'local', kind: 'Node', name, uid: 'uid-9' },
            preconditions: [{ field: 'version', equals: 'v2' }],
            replicas: 0,
          }
        : null
    const concerns = async (name: string) => (name === 'node-1' ? { environment: 'local', services: ['payments', 'checkout'] } : null)
    const { defaults, command } = target.action.byHand ?? { defaults: async () => null, command: () => '' }
    const action = { ...target.action, observe, byHand: { defaults, command, concerns } }
    const topology = {
      inventory: async () =>
        inventoryOf({ workloads: ['payments', 'checkout'].map((service) => workload(service, { environment: 'local' })) }),
    }
    const byHandOf = (workspaces: readonly Workspace[]) =>
      createByHand({
        ...{ proposing, incidents, topology, seen: { incidents, topology }, approvals: kernel, people, workspaces, now: proposing.now },
        catalog: createCatalog([{ ...target.provider, actions: [action] }]),
        jobs: { follow: async () => {}, investigateSoon: async () => {} },
      })
    const asked = { action: FAKE_DEFINITION.kind, service: 'node-1', parameters: { version: 'v1' }, incident: incidentId }
    const { plan } = await byHandOf([]).proposeByHand(asked, CAROL)
    expect([plan.target.name, plan.incident]).toEqual(['node-1', incidentId])
    await expect(byHandOf([]).proposeByHand({ ...asked, service: 'node-2' }, CAROL)).rejects.toMatchObject({ code: 'unknown-target' })
    const team = (name: string): Workspace => ({
      ...{ name, services: [name], environments: null, data: [], people: [], keys: [], channels: [] },
    })
    await expect(byHandOf([team('payments'), team('checkout')]).proposeByHand(asked, CAROL)).rejects.toMatchObject({
      code: 'invalid-parameters',
      message: expect.stringContaining('different workspaces'),
    })
  })
})
