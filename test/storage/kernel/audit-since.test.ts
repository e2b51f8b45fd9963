import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import { createAuditStore } from '../../../storage/audit.ts'
import type { Database } from '../../../storage/schema.ts'
import { describeKernel, type Kernel, openKernel, tampers, violationsOf } from '../../support/kernel.ts'
import { behind } from '../../support/kernel-sql.ts'

const VERIFIED = ['intent', 'sent', 'succeeded', 'verified'] as const

type Break = (tx: Kysely<Database>) => Promise<unknown>

describeKernel('the proof since the last', (kernel, store) => {
  const since = async ({ audit }: Pick<Kernel, 'audit'> = kernel()): Promise<string[]> => (await audit.verify({ since: 'last' })).violations
  const run =
    (statement: string): Break =>
    async (tx) =>
      await sql.raw(statement).execute(tx)

  test('says the same of a log that is whole, and names its head', async () => {
    const { audit, carryOut } = kernel()
    await audit.verify()
    await carryOut({}, ...VERIFIED)
    const fresh = await audit.verify({ since: 'last' })
    expect(fresh).toMatchObject({ ok: true, violations: [] })
    expect(await audit.verify()).toEqual(fresh)
  })

  test('leaves what was proved out, and the whole one looks at it again', async () => {
    const { db, audit, carryOut } = tampers(kernel())
    await carryOut({}, ...VERIFIED)
    await audit.verify()
    await behind(db, run(`update vote set reason = 'x'`))
    expect(await since()).toEqual([])
    expect(await violationsOf(kernel())).toEqual([expect.stringMatching(/vote was changed behind the audit log$/)])
  })

  test('is whole the first time in a process', async () => {
    const { db, audit, carryOut } = tampers(kernel())
    await carryOut({}, ...VERIFIED)
    await audit.verify()
    await behind(db, run(`update vote set reason = 'x'`))
    expect(await since({ audit: createAuditStore({ db }) })).toHaveLength(1)
  })

  test.each([86_500, -86_500])('is whole a day after the last whole one, by a clock moved by %i s', async (seconds) => {
    const { db, audit, carryOut, later } = tampers(kernel())
    await carryOut({}, ...VERIFIED)
    await audit.verify()
    await behind(db, run(`update vote set reason = 'x'`))
    expect(await since()).toEqual([])
    await later(seconds)
    expect(await since()).toHaveLength(1)
  })

  test('is whole after a violation, until there is none', async () => {
    const { db, audit, carryOut } = tampers(kernel())
    await carryOut({}, ...VERIFIED)
    await audit.verify()
    await carryOut({ incident: 'inc-2', target: { name: 'b' } }, 'intent', 'sent')
    await behind(db, run(`update vote set reason = 'x'`))
    expect(await since()).toHaveLength(1)
    expect(await since()).toHaveLength(2)
    await behind(db, run('update vote set reason = null'))
    expect(await since()).toEqual([])
  })

  const fresh: [string, string, RegExp][] = [
    ['a row that was changed', `update vote set reason = 'x'`, /^invariant 9: rows .* vote was changed behind the audit log$/],
    ['a row that is gone', `delete from presentation`, /^invariant 9: rows .* presentation is gone$/],
    ['an entry that was changed', `update audit_entry set actor = 'x' where seq = (select max(seq) from audit_entry)`, /does not follow/],
    ['a vote that is gone', 'delete from vote', /^invariant 1: .* was sent without enough approvals/],
    [
      'another epoch',
      `update execution_event set epoch = 0 where to_state = 'intent'`,
      /^invariant 7: .* by another epoch than its intent$/,
    ],
    ['a notice that is gone', `delete from outbox where topic = 'notice'`, /^invariant 8: .* ended verified without a notice$/],
  ]
  test.each(fresh)('finds %s, of what is new', async (_, statement, words) => {
    const { db, audit, carryOut } = tampers(kernel())
    await audit.verify()
    await carryOut({}, ...VERIFIED)
    await behind(db, run(statement))
    expect(await since()).toContainEqual(expect.stringMatching(words))
  })

  test('finds a head that was cut off, or is another', async () => {
    const { db, audit, carryOut } = tampers(kernel())
    await carryOut({}, ...VERIFIED)
    const { entries } = await audit.verify()
    await behind(db, run(`update audit_entry set hash = repeat('f', 64) where seq = (select max(seq) from audit_entry)`))
    expect(await since()).toContainEqual(expect.stringContaining(`${entries} is another entry, though it was verified before`))
    await behind(db, run(`update audit_entry set hash = audit_hash(prev, seq, at, actor, what, body)`))
    await audit.verify()
    await behind(db, run('delete from audit_entry where seq = (select max(seq) from audit_entry)'))
    expect(await since()).toContainEqual(expect.stringContaining(`${entries} is gone, though it was verified before`))
  })

  test('finds the third change of an incident by one person', async () => {
    const broken = await openKernel(store)
    try {
      await sql`create or replace function refusal_to_act(x uuid) returns text language sql as 'select null::text'`.execute(broken.db)
      const change = async (name: string): Promise<unknown> =>
        await broken.carryOut({ target: { name }, cause: { class: 'bad_release', component: name } }, ...VERIFIED)
      await change('a')
      await change('b')
      await broken.audit.verify()
      await change('c')
      expect(await since(broken)).toEqual([
        expect.stringMatching(/^invariant 12: .* was the third change of its incident with one person$/),
      ])
    } finally {
      await broken.close()
    }
  })

  test('calls at the same time share one run', async () => {
    const { audit, carryOut } = kernel()
    await carryOut({}, ...VERIFIED)
    const [first, second, third] = await Promise.all([audit.verify(), audit.verify(), audit.verify({ since: 'last' })])
    expect(second).toBe(first)
    expect(third).toBe(first)
    expect(await audit.verify()).not.toBe(first)
  })
})
