import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { actorOf, CHANNEL, describeKernel, type Kernel, RENDER_HASH } from '../../support/kernel.ts'
import { samplePlan } from '../../support/kernel-plans.ts'
import { insertRow, linkOf, voteRow } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse } from '../../support/kernel-sql.ts'

const FAILED = ['intent', 'sent', 'succeeded', 'failed'] as const
const ELSEWHERE = { ...CHANNEL, place: 'C-elsewhere' }

/** A request of an incident of its own, shown at places of its own. */
async function proposeAt({ approvals, now }: Kernel, place: { surface: 'slack' | 'console'; tenant: string; place: string }) {
  const { parent, undo } = samplePlan(now(), { incident: 'inc-2', target: { name: 'checkout' } })
  const { id } = await approvals.propose({ parent, undo, presentations: [place], renderHash: RENDER_HASH, renderVersion: 1 })
  return { requestId: id, parent, undo }
}

describeKernel('what is of others: votes', (kernel) => {
  test('a denial ends its own request alone', async () => {
    const { propose, click, approvals } = kernel()
    const [mine, other] = [await propose({ incident: 'inc-1' }), await propose({ incident: 'inc-2', target: { name: 'checkout' } })]
    expect(await click(mine, 'ada', { decision: 'deny' })).toMatchObject({ requestState: 'denied' })
    expect(await approvals.approval(other.requestId)).toMatchObject({ requestState: 'pending' })
  })

  test('who approved and then denies is listed with both, and each counts by itself', async () => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    const denied = await click(asked, 'ada', { decision: 'deny' })
    expect(denied.votes.map(({ decision }) => decision).toSorted()).toEqual(['approve', 'deny'])
    const { rows } =
      await sql`select vote_counts(${asked.requestId}::uuid, 'ada', said) as counts from unnest(array['approve', 'deny']) said`.execute(db)
    expect(rows).toEqual([{ counts: true }, { counts: true }])
  })

  test('the place where another card is shown is the wrong place for this one', async () => {
    const { propose, db } = kernel()
    const asked = await propose()
    await proposeAt(kernel(), ELSEWHERE)
    const row = await voteRow(db, asked, 'ada', { place: ELSEWHERE.place })
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', row))).toBe('refused wrong-place')
  })

  test('an account of one surface is none of another that calls it the same', async () => {
    const { db } = kernel()
    const asked = await proposeAt(kernel(), { ...CHANNEL, surface: 'console' })
    const row = await voteRow(db, asked, 'ada', { surface: 'console', link_id: await linkOf(db, 'U-ada') })
    expect(await rehearse(db, (tx) => insertRow(tx, 'vote', row))).toBe('refused not-linked')
  })

  test('the newest role behind a vote is one of that person', async () => {
    const { propose, click, db } = kernel()
    await click(await propose(), 'ada')
    const { rows } = await sql<{ kept: number; own: number; newest: number }>`select v.last_grant::int as kept,
      (select max(id) from role_grant where principal_id = 'ada')::int as own, (select max(id) from role_grant)::int as newest from vote v`.execute(
      db,
    )
    const [row] = rows
    expect(row?.kept).toBe(row?.own)
    expect(row?.newest).toBeGreaterThan(row?.own ?? 0)
  })

  test('only approvals of this request and these bytes are counted, even where rows say otherwise', async () => {
    const { propose, db } = kernel()
    const asked = await propose({ needed: 5 })
    const other = await propose({ incident: 'inc-2', target: { name: 'checkout' } })
    let counted = -1
    await rehearse(db, async (tx) => {
      await insertRow(tx, 'vote', await voteRow(tx, asked, 'ada'))
      await sql`set local session_replication_role = replica`.execute(tx)
      const rows = [
        await voteRow(tx, asked, 'ben', { decision: 'deny' }),
        await voteRow(tx, asked, 'cleo', { digest: other.parent.digest }),
        await voteRow(tx, asked, 'max', { request_id: other.requestId }),
      ]
      for (const row of rows) await insertRow(tx, 'vote', { ...row, last_grant: 1_000_000 })
      const { rows: found } = await sql<{ n: number }>`select standing_approvals(${asked.requestId}::uuid) as n`.execute(tx)
      counted = found[0]?.n ?? -1
    })
    expect(counted).toBe(1)
  })

  describe('a role that was taken away and given anew is not behind a vote, whatever else the person held:', () => {
    const give = (role: string, environment: string, until: string) =>
      sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until)
        values ('ada', ${role}, ${environment}, 'configuration', ${sql.raw(until)})`
    test.each([
      ['a lesser role', 'viewer', 'shop', `'infinity'`],
      ['the role elsewhere', 'approver', 'other', `'infinity'`],
      ['a greater role for some minutes', 'admin', 'shop', `clk() + interval '2 minutes'`],
    ])('%s', async (_, role, environment, until) => {
      const { propose, click, db, approvals, later } = kernel()
      await give(role, environment, until).execute(db)
      const asked = await propose({ needed: 2 })
      await click(asked, 'ada')
      await sql`update role_grant set revoked_at = clk() where principal_id = 'ada' and role = 'approver' and environment = 'shop'
        and valid_until = 'infinity'`.execute(db)
      await later(180)
      await give('approver', 'shop', `'infinity'`).execute(db)
      expect((await approvals.approval(asked.requestId))?.votes).toEqual([])
      expect(await click(asked, 'ben')).toMatchObject({ requestState: 'pending' })
    })
  })
})

describeKernel('what is of others: ends, starts and undos', (kernel) => {
  test('a newer plan takes the place of a request, whoever asked for it', async () => {
    const { propose, db } = kernel()
    const { requestId } = await propose()
    const superseded = sql`update request set state = 'superseded', decided_by = 'vera' where id = ${requestId}`
    expect(await rehearse(db, (tx) => superseded.execute(tx))).toBe('done')
  })

  test('there is no vote to start what runs again', async () => {
    const { control, db } = kernel()
    await control.stop('env:shop', 'ada')
    await control.start('env:shop', 'cli', 'host')
    const row = { scope: 'env:shop', generation: 0, principal_id: 'ada' }
    expect(await rehearse(db, (tx) => insertRow(tx, 'start_vote', row))).toBe('refused too-late')
  })

  test('Keep is told of the incident it belongs to', async () => {
    const { carryOut, approvals, db } = kernel()
    const other = async (incident: string, name: string) =>
      await carryOut({ incident, target: { name } }, 'intent', 'sent', 'succeeded', 'verified')
    await other('inc-2', 'checkout')
    const { requestId, executionId } = await carryOut({}, ...FAILED)
    await other('inc-3', 'inventory')
    const { rows: before } = await sql<{ id: number }>`select coalesce(max(id), 0)::int as id from outbox`.execute(db)
    await approvals.keep(requestId, actorOf('vera'))
    const { rows } = await sql<{ topic: string; incident_id: string; body: object }>`select topic, incident_id, body from outbox
      where id > ${before[0]?.id ?? 0} order by topic`.execute(db)
    const about = { incidentId: 'inc-1', requestId, executionId }
    expect(rows).toEqual([
      { topic: 'approval-changed', incident_id: 'inc-1', body: about },
      { topic: 'notice', incident_id: 'inc-1', body: { ...about, code: 'undo-kept' } },
    ])
  })

  describe('an undo does not lapse', () => {
    const lapsed = async (executionId: string): Promise<string> =>
      await rehearse(kernel().db, (tx) => insertRow(tx, 'undo_waived', { execution_id: executionId, how: 'lapsed' }))

    test('while its authorisation can still be claimed', async () => {
      const { carryOut, executions, later } = kernel()
      const { executionId } = await carryOut({}, ...FAILED)
      await later(61)
      await executions.authoriseUndo(executionId)
      await later(601)
      expect(await lapsed(executionId)).toBe('refused too-late')
    })

    test('once it was claimed', async () => {
      const { carryOut, executions, later, epoch } = kernel()
      const { executionId } = await carryOut({ undoTtlSeconds: 120 }, ...FAILED)
      await later(61)
      await executions.claim(await executions.authoriseUndo(executionId), epoch)
      await later(121)
      expect(await lapsed(executionId)).toBe('refused too-late')
    })

    test('when it has taken everything back, and nothing is kept then', async () => {
      const { carryOut, executions, later, epoch, advance, approvals } = kernel()
      const { executionId, requestId } = await carryOut({}, ...FAILED)
      await later(61)
      const undo = await executions.claim(await executions.authoriseUndo(executionId), epoch)
      for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) await advance(undo.executionId, step, { samples: 1 })
      await executions.settleUndos(epoch)
      expect(await outcomeOf(approvals.keep(requestId, actorOf('vera')))).toBe('refused undo-not-due')
      expect(await lapsed(executionId)).toBe('refused undo-not-due')
    })
  })
})
