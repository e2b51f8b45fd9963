import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fitsOnCard } from '../../../bot/messages/plan-facts.ts'
import { describeDatabases } from '../../support/database.ts'
import { type AskOptions, createExecutorHarness, type ExecutorHarness } from '../../support/executor-harness.ts'
import { FAKE_DEFINITION } from '../../support/fake-target.ts'

describeDatabases('proposing a named action', (store) => {
  const database = store.perTest()
  let harness: ExecutorHarness

  beforeEach(async () => {
    harness = await createExecutorHarness(database())
  })
  afterEach(() => harness.close())

  const asked = async (): Promise<number> => (await harness.kernel.approvals({ limit: 50 })).items.length

  it('plans nothing for a target that is not there, whatever its name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('Payments', 'payments ', 'payments\u0000', '../payments')),
        async (name) => {
          fc.pre(name !== 'payments')
          expect(await harness.askFor(name, { version: 'v1' })).toMatchObject({ result: 'held-back', code: 'unknown-target' })
        },
      ),
      { numRuns: 500 },
    )
    expect(await asked()).toBe(0)
  })

  it('plans nothing with parameters out of bounds, whatever they are', async () => {
    const near = fc.record({ version: fc.oneof(fc.string(), fc.integer(), fc.constantFrom('v', 'v1000', 'V1', 'v1 ', 'v-1', 'latest')) })
    await fc.assert(
      fc.asyncProperty(fc.oneof(near, fc.dictionary(fc.string(), fc.jsonValue())), async (parameters) => {
        fc.pre(!FAKE_DEFINITION.parameters.safeParse(parameters).success)
        expect(await harness.askFor('payments', parameters)).toMatchObject({ result: 'held-back', code: 'invalid-parameters' })
      }),
      { numRuns: 2_000 },
    )
    expect(await asked()).toBe(0)
  })

  it('plans what is there and within bounds', async () => {
    expect(await harness.askFor('payments', { version: 'v1' })).toMatchObject({ result: 'asked' })
    expect(await asked()).toBe(1)
  })

  it.each<[string, AskOptions, boolean]>([
    ['asked for by nobody, in no drill, and not grave', {}, true],
    ['asked for', { asked: true }, false],
    ['grave', { incident: { severity: 2 } }, false],
    ['a drill', { incident: { drillRun: 'run-1' } }, false],
  ])('what can wait is told to the policy: %s', async (_, { asked: isAsked = false, incident = {} }, canWait) => {
    const told: boolean[] = []
    harness.proposing.policy = (candidate) => {
      told.push(candidate.canWait)
      return { decide: 'deny', code: 'asked-too-often', reasons: ['far enough'] }
    }
    expect(await harness.ask({ asked: isAsked, incident: { severity: 3, ...incident } })).toMatchObject({
      result: 'held-back',
      code: 'asked-too-often',
    })
    expect(told).toEqual([canWait])
  })

  it('says on the card that what is asked for was taken away before, and that it helped', async () => {
    const mend = await harness.card()
    await harness.vote(mend, 'alice')
    const executor = harness.executor()
    executor.start()
    await harness.until(mend.id, ({ execution }) => execution?.state === 'succeeded')
    await harness.moveTo(10)
    executor.wake()
    await harness.until(mend.id, ({ execution }) => execution?.state === 'verified')
    const again = await harness.askFor('payments', { version: 'v2' })
    expect(again).toMatchObject({
      result: 'asked',
      approval: { plan: { cautions: [expect.stringMatching(/took version v2 away, and that helped\.$/)] } },
    })
    expect(mend.plan.cautions).toBeUndefined()
  })

  it('says on the card what the dry run would have people know', async () => {
    harness.target.cautions = ['Somebody is already on it.', 'x'.repeat(400)]
    const asking = await harness.askFor('payments', { version: 'v1' })
    expect(asking).toMatchObject({ result: 'asked', approval: { plan: { cautions: ['Somebody is already on it.', 'x'.repeat(300)] } } })
  })

  it.each<[string, string, { named: string[]; more: number }]>([
    ['300 callers', 'caller-of-everyday-name', { named: Array(10).fill(expect.stringMatching(/^caller-of-everyday-name\d+$/)), more: 290 }],
    ['names of 200 characters', 'x'.repeat(197), { named: Array(10).fill(`${'x'.repeat(57)}...`), more: 290 }],
    ['names that grow when they are shown', '\u0430&'.repeat(98), { named: [], more: 300 }],
  ])('can be asked for with %s, and says how many there are', async (_what, name, { named, more }) => {
    harness.proposing.dependents = async () => Array.from({ length: 300 }, (_, at) => `${name}${at}`)
    harness.proposing.card = { ...harness.proposing.card, fits: fitsOnCard }
    expect(await harness.askFor('payments', { version: 'v1' })).toMatchObject({
      result: 'asked',
      approval: { plan: { blastRadius: { dependents: named, moreDependents: more } } },
    })
  })
})
