import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Database } from '../../../storage/schema.ts'
import { describeKernel, type Kernel, tampers, verified, violationsOf } from '../../support/kernel.ts'
import { behind } from '../../support/kernel-sql.ts'

const VERIFIED = ['intent', 'sent', 'succeeded', 'verified'] as const
const BACK = -7_200

/** An action of which each step is taken two minutes before the one before it, by the clock. */
async function carryOutBackwards({ propose, click, executions, advance, later, db, epoch }: Kernel): Promise<string> {
  await sql`insert into role_grant (principal_id, role, environment, granted_by) values ('rex', 'approver', 'shop', 'configuration')`.execute(
    db,
  )
  await later(BACK)
  const asked = await propose({ needed: 2 })
  await click(asked, 'rex')
  await later(-120)
  await click(asked, 'ada')
  await later(-120)
  const [claimable] = await executions.claimable(1)
  const { executionId } = await executions.claim(claimable?.authorisationId ?? '', epoch)
  for (const step of VERIFIED) {
    await later(-120)
    await advance(executionId, step, { samples: 5 })
  }
  return executionId
}

describeKernel('order: a clock that is set back', (kernel) => {
  test('makes no false order of granting, voting, authorising and sending', async () => {
    await carryOutBackwards(kernel())
    await verified(kernel())
  })

  test('makes no vote after the end, and no revocation before the send', async () => {
    const { propose, click, approvals, later, db } = kernel()
    await carryOutBackwards(kernel())
    await later(-600)
    await sql`update role_grant set revoked_at = clk() where principal_id = 'rex'`.execute(db)
    await sql`update identity_link set revoked_at = clk() where principal_id = 'ada'`.execute(db)
    const asked = await propose({ incident: 'inc-2', needed: 2 })
    await click(asked, 'ben')
    await later(-600)
    await approvals.cancel(asked.requestId, 'max', 'x')
    await verified(kernel())
  })

  test('makes no third change of an incident out of the first', async () => {
    const { carryOut, later } = kernel()
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      await carryOut({ target: { name }, cause: { class: 'bad_release', component: name }, needed: index === 2 ? 2 : 1 }, ...VERIFIED)
      await later(-600)
    }
    await verified(kernel())
  })
})

describeKernel('order: forged, with a chain that can be recomputed', (kernel) => {
  const unapproved = /^invariant 1: .*the proof query.* was sent without enough approvals of its digest$/
  const placeOf = async (what: string, entry = ''): Promise<number> => {
    const { rows } = await sql<{ seq: number }>`
      select min(seq) as seq from audit_entry where what = ${what} and body::text like ${`%${entry}%`}`.execute(kernel().db)
    return rows[0]?.seq ?? 0
  }
  const forged = async (from: number, to: number): Promise<string[]> => {
    await behind(tampers(kernel()).db, async (tx) => await moveEntry(tx, from, to))
    return await violationsOf(kernel())
  }

  test('a vote after the authorisation', async () => {
    await kernel().carryOut({}, ...VERIFIED)
    const found = await forged(await placeOf('vote-written'), await placeOf('authorisation-written'))
    expect(found).toEqual([expect.stringMatching(unapproved)])
  })

  test('a vote after the end', async () => {
    await kernel().carryOut({}, ...VERIFIED)
    const found = await forged(await placeOf('vote-written'), await placeOf('request-changed'))
    expect(found).toContainEqual(expect.stringMatching(/^invariant 3: .* has a vote after it ended$/))
  })

  test('an authorisation after the send', async () => {
    await kernel().carryOut({}, ...VERIFIED)
    const found = await forged(await placeOf('authorisation-written'), await placeOf('execution_event-written', '"sent"'))
    expect(found).toEqual([expect.stringMatching(unapproved)])
  })

  test.each([
    [
      'role',
      `insert into role_grant (principal_id, role, environment, granted_by) values ('rex', 'approver', 'shop', 'configuration')`,
      'role_grant',
    ],
    [
      'account',
      `insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T1', 'U-new', 'ben', 'configuration')`,
      'identity_link',
    ],
  ])('a vote before its %s', async (_, beginning, table) => {
    const { db, propose, click, executions, epoch, advance } = kernel()
    await sql.raw(beginning).execute(db)
    const began = await sql<{ seq: number }>`select max(seq) as seq from audit_entry where what = ${`${table}-written`}`.execute(db)
    const asked = await propose()
    await click(asked, 'rex', table === 'role_grant' ? {} : { actor: { surface: 'slack', tenant: 'T1', externalId: 'U-new' } })
    const [claimable] = await executions.claimable(1)
    const { executionId } = await executions.claim(claimable?.authorisationId ?? '', epoch)
    for (const step of VERIFIED) await advance(executionId, step, { samples: 5 })
    expect(await forged(began.rows[0]?.seq ?? 0, await placeOf('vote-written'))).toEqual([expect.stringMatching(unapproved)])
  })

  test.each([
    ['role', `update role_grant set revoked_at = clk() where principal_id = 'ada'`, 'role_grant-changed'],
    ['account', `update identity_link set revoked_at = clk() where external_id = 'U-ada'`, 'identity_link-changed'],
  ])('a send after the %s was taken away', async (_, revocation, what) => {
    await kernel().carryOut({}, ...VERIFIED)
    await sql.raw(revocation).execute(kernel().db)
    const found = await forged(await placeOf(what), await placeOf('execution_event-written', '"sent"'))
    expect(found).toEqual([expect.stringMatching(unapproved)])
  })
})

/** Puts an entry at another place in the log and computes the chain anew from the first. */
async function moveEntry(tx: Kysely<Database>, from: number, to: number): Promise<void> {
  const by = from < to ? -1 : 1
  await sql`alter table audit_entry drop constraint audit_entry_pkey`.execute(tx)
  await sql`update audit_entry set seq = case when seq = ${from} then ${to} else seq + ${by} end
    where seq between ${Math.min(from, to)} and ${Math.max(from, to)}`.execute(tx)
  await sql`alter table audit_entry add primary key (seq)`.execute(tx)
  await sql
    .raw(`do $$ declare e audit_entry; before text := repeat('0', 64); begin
      for e in select * from audit_entry order by seq loop
        update audit_entry set prev = before, hash = audit_hash(before, e.seq, e.at, e.actor, e.what, e.body) where seq = e.seq returning hash into before;
      end loop; end $$`)
    .execute(tx)
}
