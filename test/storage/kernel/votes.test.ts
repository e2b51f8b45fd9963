import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { VoteInput } from '../../../agent/ports.ts'
import { type Asked, actorOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import { type PlanOptions, SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { countOf, outcomeOf } from '../../support/kernel-sql.ts'

const { failover } = SAMPLE_ACTIONS

describeKernel('votes: a click', (kernel) => {
  const clicking = async (person: string, over: Partial<VoteInput> = {}, options: PlanOptions = {}): Promise<string> =>
    await outcomeOf(kernel().click(await kernel().propose(options), person, over))

  test('approves, and is told with the person’s name', async () => {
    const { propose, click } = kernel()
    const approval = await click(await propose(), 'ada', { reason: 'looks right' })
    expect(approval).toMatchObject({
      requestState: 'authorised',
      votes: [
        {
          person: 'ada',
          personName: 'Ada',
          decision: 'approve',
          reason: 'looks right',
        },
      ],
      decidedAt: expect.any(Date),
    })
  })

  test('denies, and one denial is enough', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ needed: 3 })
    await click(asked, 'ada')
    expect(await click(asked, 'ben', { decision: 'deny', reason: 'too risky' })).toMatchObject({
      requestState: 'denied',
      reason: 'too risky',
    })
    expect(await outcomeOf(click(asked, 'cleo'))).toBe('refused already-decided')
    expect(await countOf(kernel().db, 'authorisation')).toBe(0)
  })

  test.each<[string, string, Partial<VoteInput>, string]>([
    ['a viewer', 'vera', {}, 'not-authorised'],
    ['a responder', 'rex', {}, 'not-authorised'],
    ['an approver of another environment', 'otto', {}, 'not-authorised'],
    ['an approver who was deactivated', 'ina', {}, 'not-authorised'],
    ['a person without a role', 'nobody', {}, 'not-authorised'],
    ['a bot', 'bot', {}, 'not-human'],
    ['an unlinked account', 'stranger', {}, 'not-linked'],
    ['the account id in another tenant', 'ada', { actor: { ...actorOf('ada'), tenant: 'T2' } }, 'not-linked'],
    ['the account id on another surface', 'ada', { actor: { ...actorOf('ada'), surface: 'teams' } }, 'not-linked'],
    ['another channel', 'ada', { place: 'C-elsewhere' }, 'wrong-place'],
    ['another digest', 'ada', { digest: 'a'.repeat(64) }, 'stale-digest'],
  ])('%s: %s', async (_, person, over, code) => {
    expect(await clicking(person, over)).toBe(`refused ${code}`)
    expect(await outcomeOf(kernel().click(await kernel().propose(), person, { ...over, decision: 'deny' }))).toBe(`refused ${code}`)
    expect(await countOf(kernel().db, 'vote')).toBe(0)
  })

  test('an account that was unlinked', async () => {
    const { db, propose, click } = kernel()
    const asked = await propose()
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db)
    expect(await outcomeOf(click(asked, 'ada'))).toBe('refused not-linked')
  })

  test('who asked does not approve, but may deny', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ requester: 'ada' })
    expect(await outcomeOf(click(asked, 'ada'))).toBe('refused self-approval')
    expect(await outcomeOf(click(asked, 'ada', { actor: { surface: 'slack', tenant: 'T1', externalId: 'U-ada-second' } }))).toBe(
      'refused self-approval',
    )
    expect(await click(asked, 'ada', { decision: 'deny' })).toMatchObject({ requestState: 'denied' })
  })

  test('who asked approves where the plan says so', async () => {
    expect(await clicking('ada', {}, { requester: 'ada', requesterMayApprove: true })).toBe('done')
  })

  test.each<[string, string | null, string]>([
    ['not', null, 'refused step-up-required'],
    ['as nothing', '', 'refused step-up-required'],
    ['in other letters', 'Payments', 'refused step-up-required'],
    ['with a blank', 'payments ', 'refused step-up-required'],
    ['of another target', 'checkout', 'refused step-up-required'],
    ['and 300 letters more', `payments${'x'.repeat(300)}`, 'refused step-up-required'],
    ['exactly', 'payments', 'done'],
  ])('a plan that asks for a confirmation, typed %s', async (_, confirm, expected) => {
    expect(await clicking('max', { confirm }, { action: failover, undo: false })).toBe(expected)
  })

  test('a confirmation counts in either form of its letters, and a denial needs none', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ action: failover, undo: false, confirm: 'Zürich' })
    expect(await outcomeOf(click(asked, 'max', { confirm: 'Zu\u0308rich' }))).toBe('done')
    expect(await outcomeOf(click(asked, 'nora', { confirm: null, decision: 'deny' }))).toBe('done')
  })

  test('texts that a database cannot hold are cut and cleaned', async () => {
    const { propose, click } = kernel()
    const { votes } = await click(await propose(), 'ada', { decision: 'deny', reason: `no\u0000\ud800${'x'.repeat(600)}` })
    expect(votes[0]?.reason).toMatch(/^no\uFFFD\uFFFDx{495}…$/)
  })
})

describeKernel('votes: people, not accounts', (kernel) => {
  const second = { actor: { surface: 'slack', tenant: 'T1', externalId: 'U-ada-second' } } as const

  test('two accounts of one human count once', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    expect(await outcomeOf(click(asked, 'ada', second))).toBe('refused already-voted')
    expect(await kernel().approvals.approval(asked.requestId)).toMatchObject({ requestState: 'pending' })
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'authorised' })
  })

  test('who approved may still veto, with any account, until the quorum is reached', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    expect(await click(asked, 'ada', { ...second, decision: 'deny' })).toMatchObject({ requestState: 'denied' })
    expect(await outcomeOf(click(asked, 'ben'))).toBe('refused already-decided')
  })

  test('who denied does not approve', async () => {
    const { propose, click } = kernel()
    const asked = await propose()
    await click(asked, 'ada', { decision: 'deny' })
    expect(await outcomeOf(click(asked, 'ada'))).toBe('refused already-decided')
  })

  test('the same click delivered fifty times is one vote and no error', async () => {
    const { propose, click, later, approvals } = kernel()
    const asked = await propose({ needed: 2 })
    const delivery = { deliveryKey: randomUUID() }
    for (let n = 0; n < 50; n += 1) expect((await click(asked, 'ada', delivery)).votes).toHaveLength(1)
    await click(asked, 'ben')
    expect(await click(asked, 'ada', delivery)).toMatchObject({ requestState: 'authorised' })
    await approvals.cancel(asked.requestId, 'ada', 'x')
    await later(3_600)
    expect((await click(asked, 'ada', delivery)).votes).toHaveLength(2)
  })

  test('one delivery is one click: of no other person, decision or request', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ needed: 2 })
    const delivery = { deliveryKey: 'once' }
    await click(asked, 'ada', delivery)
    expect(await outcomeOf(click(asked, 'ben', delivery))).toBe('refused already-voted')
    expect(await outcomeOf(click(asked, 'ada', { ...delivery, decision: 'deny' }))).toBe('refused already-voted')
    expect(await outcomeOf(click(await propose({ incident: 'inc-2' }), 'ada', delivery))).toBe('refused already-voted')
  })
})

describeKernel('votes: until when', (kernel) => {
  const after: [string, (kernel: Kernel, asked: Asked) => Promise<unknown>, string, PlanOptions?][] = [
    ['the quorum', async ({ click }, asked) => await click(asked, 'ben'), 'already-decided'],
    ['a denial', async ({ click }, asked) => await click(asked, 'ben', { decision: 'deny' }), 'already-decided'],
    ['a cancellation', async ({ approvals }, { requestId }) => await approvals.cancel(requestId, 'ben', 'x'), 'cancelled'],
    ['a newer plan', async ({ propose }) => await propose(), 'superseded'],
    ['the expiry, before anybody noticed', async ({ later }) => await later(601), 'expired'],
    [
      'the expiry',
      async ({ later, approvals }) => {
        await later(601)
        await approvals.expireDue()
      },
      'expired',
    ],
  ]
  test.each(after)('no vote after %s', async (_, ending, code) => {
    const asked = await kernel().propose()
    await ending(kernel(), asked)
    const before = await countOf(kernel().db, 'vote')
    for (const decision of ['approve', 'deny'] as const)
      expect(await outcomeOf(kernel().click(asked, 'ada', { decision }))).toBe(`refused ${code}`)
    expect(await countOf(kernel().db, 'vote')).toBe(before)
  })

  test.each([
    ['*', 'refused kill-switch'],
    ['env:shop', 'refused kill-switch'],
    ['kind:sample.restart', 'refused kill-switch'],
    ['env:other', 'done'],
    ['kind:sample.rollback', 'done'],
  ])('no approval while %s is stopped: %s', async (scope, expected) => {
    const { propose, click, control } = kernel()
    const asked = await propose({ needed: 2 })
    await control.stop(scope, 'ben')
    expect(await outcomeOf(click(asked, 'ada'))).toBe(expected)
    expect(await outcomeOf(click(asked, 'cleo', { decision: 'deny' }))).toBe('done')
  })

  test.each([
    ['*', 0, 'refused frozen'],
    ['env:shop', 0, 'refused frozen'],
    ['resource:sample/shop/service/payments', 0, 'refused frozen'],
    ['env:other', 0, 'done'],
    ['resource:sample/shop/service/checkout', 0, 'done'],
    ['*', 60, 'done'],
  ])('no approval while %s is frozen, from %d s on: %s', async (scope, from, expected) => {
    const { propose, click, control, now } = kernel()
    const asked = await propose({ needed: 2 })
    await control.freeze({
      scope,
      from: new Date(now().getTime() + (from - 1) * 1_000),
      to: new Date(now().getTime() + 120_000),
      reason: 'launch',
      by: 'rex',
    })
    expect(await outcomeOf(click(asked, 'ada'))).toBe(expected)
    expect(await outcomeOf(click(asked, 'cleo', { decision: 'deny' }))).toBe('done')
  })
})
