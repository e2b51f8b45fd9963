import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import { AUDITED, CHECKERS, EVERYTHING } from '../../../storage/invariants.ts'
import type { Database } from '../../../storage/schema.ts'
import { describeKernel, tampers, violationsOf } from '../../support/kernel.ts'
import { fillTables } from '../../support/kernel-rows.ts'
import { behind, countOf } from '../../support/kernel-sql.ts'

/** Fixed, so that a failure can be run again; printed by fast-check with the shrunk case. */
const SEED = 20_260_301

const chain = CHECKERS.find(({ claim }) => claim.startsWith('The chain'))

class Undone extends Error {}

/** Tampers with what no guard sees, asks a query of the proof about it, and takes everything back. */
async function asking(db: Kysely<Database>, query: string, tamper: (tx: Kysely<Database>) => Promise<unknown>): Promise<string[]> {
  let found: string[] = []
  const attempt = db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`set local timezone to 'UTC'`.execute(tx)
    await tamper(tx)
    const { rows } = await sql.raw<{ subject: string; words: string }>(query).execute(tx)
    found = rows.map(({ subject, words }) => `${subject} ${words}`)
    throw new Undone()
  })
  await attempt.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error
  })
  return found
}

describeKernel('the audit log: what it says', (kernel) => {
  test('every write has its entry, by who wrote it, in pages, newest first', async () => {
    const { audit, propose, click, approvals, control, now, db } = kernel()
    const before = await countOf(db, 'audit_entry')
    const { requestId, ...asked } = await propose({ undo: false })
    await click({ requestId, ...asked }, 'ada')
    await approvals.cancel(requestId, 'rex', 'x')
    await control.stop('env:x', 'ben')
    const id = await control.freeze({ scope: '*', from: now(), to: new Date(now().getTime() + 1_000), reason: 'x', by: 'rex' })
    await control.unfreeze(id, 'cleo')
    const first = await audit.entries({ limit: 5 })
    const second = await audit.entries({ limit: 100, ...(first.next ? { cursor: first.next } : {}) })
    const entries = [...first.items, ...second.items].slice(0, -before).toReversed()
    expect(entries.map(({ actor, what }) => `${actor} ${what}`)).toEqual([
      'steadyhand plan-written',
      'steadyhand request-written',
      'steadyhand presentation-written',
      'ada vote-written',
      'steadyhand authorisation-written',
      'ada request-changed',
      'rex request-changed',
      'ben kill_switch-written',
      'rex freeze_window-written',
      'cleo freeze_window-changed',
    ])
    expect(second.next).toBeNull()
    expect((await audit.entries({ limit: 1, cursor: "1'; drop" })).items).toHaveLength(1)
  })

  test('a verdict names the head', async () => {
    const { audit } = kernel()
    const [newest] = (await audit.entries({ limit: 1 })).items
    expect(await audit.verify()).toEqual({ ok: true, violations: [], entries: newest?.seq, head: newest?.hash })
  })

  test('an empty log is whole', async () => {
    const { audit, db } = tampers(kernel())
    await behind(db, async (tx) => {
      for (const table of ['audit_entry', ...Object.keys(AUDITED)]) await sql`delete from ${sql.id(table)}`.execute(tx)
    })
    expect(await audit.verify()).toEqual({ ok: true, violations: [], entries: 0, head: '0'.repeat(64) })
  })

  test('what is shown of many violations ends', async () => {
    const { audit, db } = tampers(kernel())
    await behind(db, async (tx) => await sql`update audit_entry set hash = repeat('f', 64)`.execute(tx))
    const { violations } = await audit.verify()
    expect(violations.filter((words) => words.startsWith('invariant 9: The chain'))).toHaveLength(21)
    expect(violations.find((words) => words.includes('more'))).toMatch(/and \d+ more$/)
  })
})

describeKernel('the audit log: tampering with entries', (kernel) => {
  const place = 10
  const findings = async (tamper: (tx: Kysely<Database>) => Promise<unknown>): Promise<string[]> => {
    const { db } = kernel()
    return await asking(db, chain?.sql(EVERYTHING) ?? '', tamper)
  }
  const bad = (seq: number): string => `${seq} does not follow from the entries before it`

  test.each<[string, string, number]>([
    ['prev', `prev = overlay(prev placing case when prev like 'a%' then 'b' else 'a' end from 1 for 1)`, place],
    ['hash', `hash = overlay(hash placing case when hash like 'a%' then 'b' else 'a' end from 1 for 1)`, place],
    ['at, by a microsecond', `at = at + interval '1 microsecond'`, place],
    ['actor', `actor = overlay(actor placing 'X' from 1 for 1)`, place],
    ['what', `what = overlay(what placing 'X' from 1 for 1)`, place],
    ['body', `body = jsonb_set(body, '{row}', to_jsonb(overlay(body ->> 'row' placing 'X' from 1 for 1)))`, place],
    ['body, by a fact more', `body = body || '{"x": null}'`, place],
    ['actor and what, by a byte from one to the other', `actor = left(actor, -1), what = right(actor, 1) || what`, place],
    ['actor and what, across the separator', `actor = actor || '|' || left(what, 1), what = substr(what, 2)`, place],
    ['seq', `seq = 100000`, place + 1],
  ])('%s', async (_, change, first) => {
    expect((await findings((tx) => sql.raw(`update audit_entry set ${change} where seq = ${place}`).execute(tx)))[0]).toBe(bad(first))
  })

  test('an entry that is missing, in the middle or at the beginning', async () => {
    expect((await findings((tx) => sql`delete from audit_entry where seq = ${place}`.execute(tx)))[0]).toBe(bad(place + 1))
    expect((await findings((tx) => sql`delete from audit_entry where seq = 1`.execute(tx)))[0]).toBe(bad(2))
  })

  test('two entries that changed places', async () => {
    const swap = sql`update audit_entry set seq = case seq when ${place} then -1 else ${place} end where seq in (${place}, ${place + 1})`
    const found = await findings(async (tx) => {
      await swap.execute(tx)
      await sql`update audit_entry set seq = ${place + 1} where seq = -1`.execute(tx)
    })
    expect(found[0]).toBe(bad(place))
  })

  test('a chain that was computed anew from an entry on is bad where its rows say otherwise', async () => {
    const { db } = tampers(kernel())
    await behind(db, async (tx) => {
      await sql`update audit_entry set body = jsonb_set(body, '{row}', to_jsonb(repeat('0', 64))) where seq = 1`.execute(tx)
      await sql
        .raw(`do $$ declare e audit_entry; before text := repeat('0', 64); begin
        for e in select * from audit_entry order by seq loop
          before := audit_hash(before, e.seq, e.at, e.actor, e.what, e.body);
          update audit_entry set prev = (select coalesce((select hash from audit_entry where seq = e.seq - 1), repeat('0', 64))), hash = before where seq = e.seq;
        end loop; end $$`)
        .execute(tx)
    })
    const violations = await violationsOf(kernel())
    expect(violations).toEqual([expect.stringMatching(/^invariant 9: rows are as the chain says\. .* was changed behind the audit log$/)])
  })

  test('the last entry that is missing is missed by its row', async () => {
    const { db, propose } = tampers(kernel())
    await propose()
    await behind(db, async (tx) => await sql`delete from audit_entry where seq = (select max(seq) from audit_entry)`.execute(tx))
    expect(await violationsOf(kernel())).toEqual([expect.stringMatching(/^invariant 9: .* presentation is not in the audit log$/)])
  })

  test('any byte of any entry, at random', async () => {
    const { db } = kernel()
    await fillTables(kernel())
    const last = await countOf(db, 'audit_entry')
    const change = fc.record({
      seq: fc.integer({ min: 1, max: last }),
      column: fc.constantFrom('prev', 'hash', 'actor', 'what', 'body'),
      at: fc.nat(1_000),
      byte: fc.constantFrom(...'0123456789abcxyz"{}|'),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ seq, column, at, byte }) => {
        let changed = false
        const found = await findings(async (tx) => {
          const { rows } = await sql<{ text: string }>`select ${sql.id(column)}::text as text from audit_entry where seq = ${seq}`.execute(
            tx,
          )
          const text = rows[0]?.text ?? ''
          const index = at % text.length
          const tampered = text.slice(0, index) + byte + text.slice(index + 1)
          changed = tampered !== text && (column !== 'body' || isOtherDocument(text, tampered))
          if (changed)
            await sql`update audit_entry set ${sql.id(column)} = ${tampered}${sql.raw(column === 'body' ? '::jsonb' : '')} where seq = ${seq}`.execute(
              tx,
            )
        })
        if (changed) expect(found[0]).toBe(bad(seq))
        else expect(found).toEqual([])
      }),
      { seed: SEED, numRuns: 80 },
    )
  })
})

function isDocument(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Whether jsonb would hold another value after the change. */
function isOtherDocument(before: string, after: string): boolean {
  return isDocument(after) && JSON.stringify(JSON.parse(before)) !== JSON.stringify(JSON.parse(after))
}
