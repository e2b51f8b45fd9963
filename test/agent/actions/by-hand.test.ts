import { afterEach, beforeEach, expect, it } from 'vitest'
import { createByHand } from '../../../agent/actions/by-hand.ts'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import { withoutModel } from '../../../agent/diagnosis/confidence.ts'
import { withOpinion } from '../../../agent/diagnosis/second-opinion.ts'
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

  it('has the cause that the rules see, however sure a model is of another', async () => {
    const { kernel, incidents, incidentId, people, proposing } = harness
    const said = { component: 'service/payments', confidence: 100, against: [], unknown: [] }
    const merged = withOpinion(
      [byRules('bad_release', 1, 60), byRules('memory_leak', 2, 50)],
      [{ ...said, class: 'memory_leak', claims: [{ text: 'It leaks.', cites: [], supported: true }] }],
    )
    expect(merged[0]?.class).toBe('memory_leak')
    await incidents.saveHypotheses(incidentId, merged)
    const byHand = createByHand({
      proposing,
      catalog: proposing.catalog,
      incidents,
      approvals: kernel,
      people,
      topology: { inventory: async () => inventoryOf({ workloads: [workload('payments', { environment: 'local' })] }) },
      jobs: { follow: async () => {}, investigateSoon: async () => {} },
      workspaces: [],
      now: proposing.now,
    })
    const asked = { action: FAKE_DEFINITION.kind, service: 'payments', parameters: { version: 'v1' }, incident: incidentId }
    const { plan } = await byHand.proposeByHand(asked, CAROL)
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
    const byHandOf = (workspaces: readonly Workspace[]) =>
      createByHand({
        ...{ proposing, incidents, approvals: kernel, people, workspaces, now: proposing.now },
        catalog: createCatalog([{ ...target.provider, actions: [action] }]),
        topology: {
          inventory: async () =>
            inventoryOf({ workloads: ['payments', 'checkout'].map((service) => workload(service, { environment: 'local' })) }),
        },
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
