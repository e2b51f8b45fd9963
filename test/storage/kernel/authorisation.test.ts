import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { describeKernel, type Kernel } from '../../support/kernel.ts'
import { SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { authorisationRow, insertRow, type Row, voteRow } from '../../support/kernel-rows.ts'
import { disable, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

describeKernel('authorisation: the quorum', (kernel) => {
  test('comes with the last needed vote, for these bytes', async () => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 3 })
    for (const [person, state] of [
      ['ada', 'pending'],
      ['ben', 'pending'],
      ['cleo', 'authorised'],
    ] as const)
      expect(await click(asked, person)).toMatchObject({ requestState: state })
    expect(await db.selectFrom('authorisation').selectAll().execute()).toEqual([
      {
        id: expect.any(String),
        plan_id: asked.parent.plan.id,
        digest: asked.parent.digest,
        kind: 'votes',
        request_id: asked.requestId,
        parent_execution_id: null,
        at: expect.any(Date),
      },
    ])
    expect(await db.selectFrom('request').select('decided_by').executeTakeFirst()).toEqual({ decided_by: 'cleo' })
  })

  test('an irreversible action takes two people who typed its name', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ action: SAMPLE_ACTIONS.purge })
    expect(await click(asked, 'ada')).toMatchObject({ requestState: 'pending' })
    expect(await outcomeOf(click(asked, 'ben', { confirm: null }))).toBe('refused step-up-required')
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'authorised' })
  })

  test.each<[string, string]>([
    ['lost the role', `update role_grant set revoked_at = clk() where principal_id = 'ada'`],
    ['was deactivated', `update principal set active = false where id = 'ada'`],
    ['had the account unlinked', `update identity_link set revoked_at = clk() where external_id = 'U-ada'`],
  ])('does not count who %s since', async (_, change) => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    await sql.raw(change).execute(db)
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'pending' })
    expect(await click(asked, 'cleo')).toMatchObject({ requestState: 'authorised' })
  })

  test('a denial of something else does not matter', async () => {
    const { propose, click } = kernel()
    await click(await propose({ incident: 'inc-2', target: { name: 'checkout' } }), 'ada', { decision: 'deny' })
    expect(await click(await propose(), 'ben')).toMatchObject({ requestState: 'authorised' })
  })

  test('does not count a vote of an account that was linked anew', async () => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db)
    await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T1', 'U-ada', 'ada', 'configuration')`.execute(
      db,
    )
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'pending' })
  })

  test('a role that ended by itself does not count either', async () => {
    const { propose, click, db, later } = kernel()
    await sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until)
      values ('nobody', 'approver', 'shop', 'configuration', clk() + interval '1 minute')`.execute(db)
    const asked = await propose({ needed: 2 })
    await click(asked, 'nobody')
    await later(61)
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'pending' })
  })
})

describeKernel('authorisation: rows written past every store', (kernel) => {
  const inserting = async (row: Row): Promise<string> => await rehearse(kernel().db, (tx) => insertRow(tx, 'authorisation', row))

  test('without anybody, with too few, and with those of another plan', async () => {
    const { propose, click } = kernel()
    const asked = await propose({ needed: 2 })
    expect(await inserting(authorisationRow(asked))).toBe('refused quorum-missing')
    await click(asked, 'ada')
    expect(await inserting(authorisationRow(asked))).toBe('refused quorum-missing')
    const other = await propose({ incident: 'inc-2', target: { name: 'checkout' } })
    expect(await inserting(authorisationRow(other, { request_id: asked.requestId }))).toBe(
      'constraint authorisation_is_of_the_requests_bytes',
    )
  })

  test.each<[string, (kernel: Kernel) => Promise<unknown>, string]>([
    ['after its time', async ({ later }) => await later(601), 'refused expired'],
    ['while stopped', async ({ control }) => await control.stop('env:shop', 'ada'), 'refused kill-switch'],
    [
      'while frozen',
      async ({ control, now }) =>
        await control.freeze({
          scope: '*',
          from: new Date(now().getTime() - 1_000),
          to: new Date(now().getTime() + 60_000),
          reason: 'x',
          by: 'rex',
        }),
      'refused frozen',
    ],
    [
      'of a cancelled request',
      async ({ approvals, db }) => await approvals.cancel(await onlyRequest(db), 'ada', 'x'),
      'refused already-decided',
    ],
    ['of no request', async () => {}, 'refused already-decided'],
  ])('%s', async (title, change, expected) => {
    const asked = await kernel().propose({ needed: 2 })
    await change(kernel())
    expect(await inserting(authorisationRow(asked, title === 'of no request' ? { request_id: null } : {}))).toBe(expected)
  })

  test('against a denial, even if nothing had ended the request', async () => {
    const { propose, db } = kernel()
    const asked = await propose()
    const outcome = rehearse(db, async (tx) => {
      await disable(tx, 'vote', 'vote_decides')
      await insertRow(tx, 'vote', await voteRow(tx, asked, 'ada'))
      await insertRow(tx, 'vote', await voteRow(tx, asked, 'ben', { decision: 'deny' }))
      await insertRow(tx, 'authorisation', authorisationRow(asked))
    })
    expect(await outcome).toBe('refused denied')
  })

  test('a request that was approved without the authorisation being written', async () => {
    const { propose, db } = kernel()
    const asked = await propose()
    const outcome = rehearse(db, async (tx) => {
      await disable(tx, 'vote', 'vote_decides')
      await insertRow(tx, 'vote', await voteRow(tx, asked, 'ada'))
      await insertRow(tx, 'authorisation', authorisationRow(asked, { at: new Date(0) }))
      const { at } = await tx.selectFrom('authorisation').select('at').executeTakeFirstOrThrow()
      expect(at.getTime()).toBeGreaterThan(Date.now() - 60_000)
    })
    expect(await outcome).toBe('done')
  })

  test('an undo by votes, or a plan as somebody’s undo', async () => {
    const { propose, carryOut } = kernel()
    const asked = await propose()
    const undo = { plan_id: asked.undo?.plan.id, digest: asked.undo?.digest }
    expect(await inserting(authorisationRow(asked, undo))).toBe('refused policy-denied: an undo is authorised by its parent')
    const { executionId } = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent', 'succeeded', 'failed')
    const row = { ...undo, plan_id: asked.parent.plan.id, digest: asked.parent.digest, kind: 'undo', parent_execution_id: executionId }
    expect(await inserting(row)).toBe('refused policy-denied: not the undo of this execution')
    expect(await inserting({ ...row, parent_execution_id: null })).toBe('refused policy-denied: not the undo of this execution')
    expect(await inserting({ ...row, kind: 'grant' })).toBe('refused policy-denied: not the undo of this execution')
  })

  describe('where no guard looks', () => {
    const unguarded = async (rows: readonly Row[]): Promise<string> =>
      await rehearseUnguarded(kernel().db, ['authorisation'], async (tx) => {
        for (const row of rows) await insertRow(tx, 'authorisation', row)
      })

    test('another digest than the plan’s', async () => {
      const { executionId, undo } = await kernel().carryOut({}, 'intent', 'sent', 'succeeded', 'failed')
      const row = { plan_id: undo?.plan.id, kind: 'undo', parent_execution_id: executionId }
      expect(await unguarded([{ ...row, digest: undo?.digest }])).toBe('done')
      expect(await unguarded([{ ...row, digest: 'a'.repeat(64) }])).toBe('constraint authorisation_is_for_these_bytes')
    })

    test('the request of another plan', async () => {
      const [asked, other] = [await kernel().propose(), await kernel().propose({ incident: 'inc-2' })]
      expect(await unguarded([authorisationRow(asked, { request_id: other.requestId })])).toBe(
        'constraint authorisation_is_of_the_requests_bytes',
      )
    })

    test('a second one for a plan, a request, or an execution to take back', async () => {
      const { propose, carryOut, db } = kernel()
      const asked = await propose()
      expect(await unguarded([authorisationRow(asked), authorisationRow(asked)])).toBe('constraint plan_is_authorised_once')
      const { executionId, undo } = await carryOut(
        { incident: 'inc-2', target: { name: 'checkout' } },
        'intent',
        'sent',
        'succeeded',
        'failed',
      )
      const row = { plan_id: undo?.plan.id, digest: undo?.digest, kind: 'undo', parent_execution_id: executionId }
      const other = { ...row, plan_id: asked.parent.plan.id, digest: asked.parent.digest }
      expect(await unguarded([row, other])).toBe('constraint undo_is_authorised_once')
      const twice = rehearse(db, async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx)
        await insertRow(tx, 'authorisation', authorisationRow(asked))
        await insertRow(tx, 'authorisation', authorisationRow(asked, { plan_id: randomUUID() }))
      })
      expect(await twice).toBe('constraint authorisation_request_id_key')
    })

    test.each<[string, Row, string]>([
      ['another kind', { kind: 'grant', request_id: null }, 'constraint authorisation_kind'],
      ['votes without a request', { request_id: null }, 'constraint authorisation_has_one_ground'],
      ['votes and an execution', { parent_execution_id: randomUUID() }, 'constraint authorisation_has_one_ground'],
      ['an undo of nothing', { kind: 'undo', request_id: null }, 'constraint authorisation_has_one_ground'],
      ['an undo by a request', { kind: 'undo', parent_execution_id: randomUUID() }, 'constraint authorisation_has_one_ground'],
      [
        'an undo of an execution there is not',
        { kind: 'undo', request_id: null, parent_execution_id: randomUUID() },
        'constraint undo_is_of_an_execution',
      ],
    ])('%s', async (_, over, expected) => {
      expect(await unguarded([authorisationRow(await kernel().propose(), over)])).toBe(expected)
    })
  })

  test('an undo carries the digest that its parent names', async () => {
    const { carryOut, later } = kernel()
    const { executionId, undo } = await carryOut({}, 'intent', 'sent', 'succeeded', 'failed')
    await later(61)
    const row = { plan_id: undo?.plan.id, digest: undo?.digest, kind: 'undo', parent_execution_id: executionId }
    expect(await inserting({ ...row, digest: 'a'.repeat(64) })).toBe('refused policy-denied: not the undo of this execution')
    expect(await inserting(row)).toBe('done')
  })
})

async function onlyRequest(db: Kernel['db']): Promise<string> {
  return (await db.selectFrom('request').select('id').executeTakeFirstOrThrow()).id
}
