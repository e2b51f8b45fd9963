import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { type Asked, CHANNEL, describeKernel } from '../../support/kernel.ts'
import { type PlanOptions, SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { insertRow, linkOf, type Row, voteRow } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const { purge } = SAMPLE_ACTIONS

describeKernel('votes: rows written past every store', (kernel) => {
  /** What the guard says, and what is left when it is off. */
  const forged = async (person: string, over: Row, options: PlanOptions = {}): Promise<[string, string]> => {
    const { db, propose } = kernel()
    const asked = await propose(options)
    const row = await voteRow(db, asked, person, over)
    return [
      await rehearse(db, (tx) => insertRow(tx, 'vote', row)),
      await rehearseUnguarded(db, ['vote'], (tx) => insertRow(tx, 'vote', row)),
    ]
  }

  test.each<[string, Row, string, string]>([
    ['nothing forged', {}, 'done', 'done'],
    ['no such request', { request_id: randomUUID() }, 'refused unknown-approval', 'constraint vote_is_for_these_bytes'],
    ['another digest', { digest: 'a'.repeat(64) }, 'refused stale-digest', 'constraint vote_is_for_these_bytes'],
    ['another plan', { plan_id: randomUUID() }, 'refused stale-digest', 'constraint vote_is_for_these_bytes'],
    ['another place', { place: 'C-elsewhere' }, 'refused wrong-place', 'constraint vote_was_cast_where_the_card_is'],
    ['another tenant', { tenant: 'T2' }, 'refused wrong-place', 'constraint vote_was_cast_where_the_card_is'],
    ['another surface', { surface: 'console' }, 'refused wrong-place', 'constraint vote_was_cast_where_the_card_is'],
    ['another account', { external_id: 'U-mallory' }, 'refused not-linked', 'constraint vote_is_by_a_linked_account'],
    ['another link', { link_id: 1_000_000 }, 'refused not-linked', 'constraint vote_is_by_a_linked_account'],
    ['another person', { principal_id: 'ben' }, 'refused not-linked', 'constraint vote_is_by_a_linked_account'],
    ['another decision', { decision: 'abstain' }, 'constraint vote_decision', 'constraint vote_decision'],
    [
      'a confirmation of 201 characters',
      { confirm: 'x'.repeat(201) },
      'constraint vote_confirm_is_short',
      'constraint vote_confirm_is_short',
    ],
    ['a reason of 501 characters', { reason: 'x'.repeat(501) }, 'constraint vote_reason_is_short', 'constraint vote_reason_is_short'],
    ['no delivery', { delivery_key: '' }, 'constraint vote_delivery_key_is_short', 'constraint vote_delivery_key_is_short'],
    [
      'a delivery key of 513 characters',
      { delivery_key: 'x'.repeat(513) },
      'constraint vote_delivery_key_is_short',
      'constraint vote_delivery_key_is_short',
    ],
  ])('%s', async (_, over, guarded, unguarded) => {
    expect(await forged('ada', over)).toEqual([guarded, unguarded])
  })

  test.each<[string, string]>([
    ['bot', 'refused not-human'],
    ['vera', 'refused not-authorised'],
    ['rex', 'refused not-authorised'],
    ['otto', 'refused not-authorised'],
    ['ina', 'refused not-authorised'],
    ['nobody', 'refused not-authorised'],
  ])('a vote of %s', async (person, expected) => {
    expect((await forged(person, {}))[0]).toBe(expected)
  })

  test('a card that is shown in another tenant is voted on by accounts of that tenant only', async () => {
    const { db, propose } = kernel()
    const asked = await propose()
    await insertRow(db, 'presentation', { request_id: asked.requestId, ...CHANNEL, tenant: 'T2' })
    const row = await voteRow(db, asked, 'ada', { tenant: 'T2' })
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', row))).toBe('refused not-linked')
    expect(await rehearseUnguarded(db, ['vote'], (tx) => insertRow(tx, 'vote', row))).toBe('constraint vote_is_by_a_linked_account')
  })

  test('a revoked link, and the link of before after the account was linked anew', async () => {
    const { db, propose } = kernel()
    const asked = await propose()
    const old = await voteRow(db, asked, 'ada')
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db)
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', old))).toBe('refused not-linked')
    await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T1', 'U-ada', 'ada', 'configuration')`.execute(
      db,
    )
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', old))).toBe('refused not-linked')
    const fresh = { ...old, link_id: await linkOf(db, 'U-ada') }
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', fresh))).toBe('done')
  })

  test('a self-approval, a missing and a wrong confirmation', async () => {
    expect((await forged('ada', {}, { requester: 'ada' }))[0]).toBe('refused self-approval')
    expect((await forged('ada', { confirm: null }, { action: purge }))[0]).toBe('refused step-up-required')
    expect((await forged('ada', { confirm: 'x' }, { action: purge }))[0]).toBe('refused step-up-required')
  })

  test('stopped, frozen, expired, cancelled, superseded, decided', async () => {
    const { db, propose, control, approvals, later, now, click } = kernel()
    const trying = async (asked: Asked): Promise<string> => {
      const row = await voteRow(db, asked, 'ada')
      return await rehearse(db, (tx) => insertRow(tx, 'vote', row))
    }
    const asked = await propose({ needed: 2 })
    await control.stop('kind:sample.restart', 'ben')
    expect(await trying(asked)).toBe('refused kill-switch')
    await control.start('kind:sample.restart', 'cli', 'host')
    const freeze = await control.freeze({
      scope: 'env:shop',
      from: new Date(now().getTime() - 1_000),
      to: new Date(now().getTime() + 60_000),
      reason: 'x',
      by: 'rex',
    })
    expect(await trying(asked)).toBe('refused frozen')
    await control.unfreeze(freeze, 'rex')
    expect(await trying(asked)).toBe('done')
    const decided = await propose({ incident: 'inc-2' })
    await click(decided, 'ben')
    expect(await trying(decided)).toBe('refused already-decided')
    const cancelled = await propose({ incident: 'inc-3' })
    await approvals.cancel(cancelled.requestId, 'ben', 'x')
    expect(await trying(cancelled)).toBe('refused cancelled')
    await propose()
    expect(await trying(asked)).toBe('refused superseded')
    const late = await propose({ incident: 'inc-4' })
    await later(601)
    expect(await trying(late)).toBe('refused expired')
  })

  test('the same person, decision or delivery again', async () => {
    const { db, propose, click } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada', { deliveryKey: 'first' })
    const again = await voteRow(db, asked, 'ada', { external_id: 'U-ada-second', link_id: await linkOf(db, 'U-ada-second') })
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', again))).toBe('constraint vote_counts_people')
    const replay = await voteRow(db, asked, 'ben', { delivery_key: 'first' })
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', replay))).toBe('constraint vote_delivery_counts_once')
  })

  test('the time of a vote is the database’s', async () => {
    const { db, propose } = kernel()
    await insertRow(db, 'vote', await voteRow(db, await propose({ needed: 2 }), 'ada', { at: new Date(0) }))
    const { at } = await db.selectFrom('vote').select('at').executeTakeFirstOrThrow()
    expect(at.getTime()).toBeGreaterThan(Date.now() - 60_000)
  })

  test('a vote of somebody who was deactivated between the card and the click', async () => {
    const { db, propose } = kernel()
    const row = await voteRow(db, await propose(), 'ada')
    await sql`update principal set active = false where id = 'ada'`.execute(db)
    expect(await outcomeOf(insertRow(db, 'vote', row))).toBe('refused not-authorised')
  })
})
