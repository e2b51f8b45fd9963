import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { SealedPlan } from '../../../agent/domain/plan.ts'
import { describeKernel } from '../../support/kernel.ts'
import { forge, type PlanOptions, SAMPLE_ACTIONS, samplePlan } from '../../support/kernel-plans.ts'
import { insertPlan, outcomeOf, rehearse } from '../../support/kernel-sql.ts'

const { purge } = SAMPLE_ACTIONS

describeKernel('plans: the undo', (kernel) => {
  const insertAll = async (...plans: (SealedPlan | null)[]): Promise<string> =>
    await rehearse(kernel().db, async (tx) => {
      for (const plan of plans) if (plan) await insertPlan(tx, plan)
      await sql`set constraints all immediate`.execute(tx)
    })
  const strange = 'refused policy-denied: the undo does not belong to this plan'

  test.each<[string, PlanOptions, string]>([
    [
      'another resource',
      {
        undoOver: {
          target: { provider: 'sample', environment: 'shop', kind: 'service', name: 'x', uid: 'u' },
          resource: 'sample/shop/service/x',
        },
      },
      'the undo acts on something else',
    ],
    ['another incident', { undoOver: { incident: 'inc-2' } }, 'the undo acts on something else'],
    [
      'an action that cannot be undone itself',
      {
        needed: 2,
        confirm: 'x',
        undoOver: {
          action: { kind: purge.kind, version: 1, title: 'x' },
          reversibility: 'irreversible',
        },
      },
      'the undo cannot be irreversible',
    ],
  ])('of %s', async (_, options, words) => {
    const { parent, undo } = samplePlan(kernel().now(), options)
    expect(await insertAll(undo, parent)).toBe(`refused policy-denied: ${words}`)
  })

  test.each<[string, PlanOptions, Partial<SealedPlan['plan']['approval']>]>([
    ['more people', {}, { needed: 2 }],
    ['a greater role', {}, { role: 'admin' }],
    ['a confirmation', {}, { confirm: 'payments' }],
    ['somebody else than who asked', { requesterMayApprove: true }, { requesterMayApprove: false }],
  ])('that needs %s than its parent asks for', async (_, options, approval) => {
    const sample = samplePlan(kernel().now(), options)
    const { parent, undo } = samplePlan(kernel().now(), {
      ...options,
      undoOver: { approval: { ...sample.parent.plan.approval, ...approval } },
    })
    expect(await insertAll(undo, parent)).toBe('refused policy-denied: the undo needs more than this plan asks for')
  })

  test('with a parent that nobody wrote', async () => {
    const { undo } = samplePlan(kernel().now())
    expect(await insertAll(undo)).toBe('constraint undo_has_a_parent')
    expect(await outcomeOf(undo ? insertPlan(kernel().db, undo) : Promise.resolve())).toBe('constraint undo_has_a_parent')
  })

  test('that its parent does not name', async () => {
    const { parent, undo } = samplePlan(kernel().now())
    expect(await insertAll(undo, forge(parent, { undo: null }))).toBe(strange)
  })

  test('of other bytes than its parent names', async () => {
    const { parent, undo } = samplePlan(kernel().now())
    const other = undo && forge(undo, { 'parameters.version': 'v0' })
    expect(await insertAll(other, parent)).toBe('constraint plan_undo_is_these_bytes')
  })

  test('of another parent', async () => {
    const [first, second] = [samplePlan(kernel().now()), samplePlan(kernel().now())]
    const thief = forge(second.parent, { undo: JSON.parse(first.parent.canonical).undo })
    expect(await insertAll(first.undo, first.parent, thief)).toBe(strange)
  })

  test('written after its parent was approved', async () => {
    const { db, now, carryOut, propose } = kernel()
    const { parent } = await carryOut({ undo: false }, 'intent', 'sent', 'succeeded', 'failed')
    const late = samplePlan(now(), { undoOver: { undoOf: parent.plan.id } })
    expect(await outcomeOf(late.undo ? insertPlan(db, late.undo) : Promise.resolve())).toBe(strange)
    await propose({ incident: 'inc-2' })
  })

  test('of itself', async () => {
    const id = randomUUID()
    const { undo } = samplePlan(kernel().now(), { undoOver: { id, undoOf: id } })
    expect(await insertAll(undo)).toBe(strange)
  })

  test('a second one', async () => {
    const { parent, undo } = samplePlan(kernel().now())
    const second = samplePlan(kernel().now(), { undoOver: { undoOf: parent.plan.id } }).undo
    expect(await insertAll(undo, second, parent)).toBe('constraint plan_has_one_undo')
  })

  test('with an undo of its own', async () => {
    const inner = { plan: randomUUID(), digest: 'a'.repeat(64), title: 'x', changes: [] }
    const { parent, undo } = samplePlan(kernel().now(), { undoOver: { undo: inner } })
    expect(await insertAll(undo, parent)).toBe('constraint undo_ends_the_chain')
  })
})
