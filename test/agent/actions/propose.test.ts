import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { createExecutorHarness, type ExecutorHarness } from '../../support/executor-harness.ts'
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
})
