import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel, type Kernel, tampers, violationsOf } from '../../support/kernel.ts'
import { behind, outcomeOf, rehearse } from '../../support/kernel-sql.ts'

/** What a restore writes, whatever it puts back. */
async function restored({ db }: Pick<Kernel, 'db'>, over: Record<string, unknown> = {}): Promise<void> {
  const row = { entries: 1, head: 'a'.repeat(64), sha256: 'b'.repeat(64), by_whom: 'host', ...over }
  await sql`insert into restoration (taken_at, entries, head, sha256, by_whom)
    values (clk(), ${row.entries}, ${row.head}, ${row.sha256}, ${row.by_whom})`.execute(db)
}

describeKernel('restored: approvals from before', (kernel) => {
  test('nothing goes on to intent, and nothing from intent to sent', async () => {
    const { carryOut, advance } = kernel()
    const claimed = await carryOut({})
    const intended = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent')
    await restored(kernel())
    expect(await outcomeOf(advance(claimed.executionId, 'intent'))).toBe('refused restored')
    expect(await outcomeOf(advance(intended.executionId, 'sent'))).toBe('refused restored')
    for (const { executionId } of [claimed, intended]) await advance(executionId, 'aborted', { reason: 'restored' })
  })

  test('what was sent before is settled and judged all the same', async () => {
    const { carryOut, advance } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent')
    await restored(kernel())
    await advance(executionId, 'succeeded')
    await advance(executionId, 'verified', { samples: 3 })
  })

  test('an undo that stands on an older click is refused, also when it is authorised afterwards', async () => {
    const { carryOut, executions, later, advance, epoch } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent', 'succeeded', 'failed')
    await restored(kernel())
    await later(65)
    const undo = await executions.claim(await executions.authoriseUndo(executionId), epoch)
    expect(await outcomeOf(advance(undo.executionId, 'intent'))).toBe('refused restored')
    await advance(undo.executionId, 'aborted', { reason: 'restored' })
  })

  test('what is approved afterwards runs', async () => {
    await restored(kernel())
    await kernel().carryOut({}, 'intent', 'sent', 'succeeded', 'verified')
  })

  test('a step that was forged past the guard is found', async () => {
    const { carryOut, db } = tampers(kernel())
    const { executionId } = await carryOut({}, 'intent')
    await restored(kernel())
    await sql`alter table execution_event disable trigger restored_guard`.execute(db)
    await kernel().advance(executionId, 'sent')
    await sql`alter table execution_event enable trigger restored_guard`.execute(db)
    expect(await violationsOf(kernel())).toEqual([
      `invariant 2: Nothing is sent on an approval from before the database was restored. ${executionId} had its step sent on an approval from before a restore`,
    ])
  })

  test.each([
    ['somebody else than the host', { by_whom: 'ada' }, 'constraint restoration_is_by_the_host'],
    ['a head that is no hash', { head: 'x' }, 'constraint restoration_head_is_a_hash'],
    ['a backup without a name', { sha256: '' }, 'constraint restoration_names_a_backup'],
    ['fewer entries than none', { entries: -1 }, 'constraint restoration_entries_check'],
    ['nothing odd', {}, 'done'],
  ])('a restore by %s', async (_, over, expected) => {
    expect(await rehearse(kernel().db, (tx) => restored({ db: tx }, over))).toBe(expected)
  })

  test.each([
    ['no reason', { reason: '' }, 'constraint accepted_effect_has_a_reason'],
    ['a reason of 501 characters', { reason: 'x'.repeat(501) }, 'constraint accepted_effect_has_a_reason'],
    ['somebody else than the host', { by_whom: 'ada' }, 'constraint accepted_effect_is_by_the_host'],
    ['no digest', { digest: 'x' }, 'constraint accepted_effect_has_a_digest'],
    ['no resource', { resource: '' }, 'constraint accepted_effect_resource_check'],
    ['everything', {}, 'done'],
  ])('an effect accepted with %s', async (_, over, expected) => {
    const row = { reason: 'looked at it', by_whom: 'host', digest: 'a'.repeat(64), resource: 'a/b/c/d', ...over }
    const accepting = rehearse(kernel().db, (tx) =>
      sql`insert into accepted_effect (execution_id, plan_id, digest, resource, reason, by_whom)
        values (gen_random_uuid(), gen_random_uuid(), ${row.digest}, ${row.resource}, ${row.reason}, ${row.by_whom})`.execute(tx),
    )
    expect(await accepting).toBe(expected)
  })

  test('a restore that is taken out of the log behind its back is found', async () => {
    const { db } = tampers(kernel())
    await restored(kernel())
    await behind(db, (tx) => sql`delete from restoration`.execute(tx))
    expect(await violationsOf(kernel())).toEqual([expect.stringMatching(/restoration is gone$/)])
  })
})
