import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { describeKernel, type Kernel, tampers } from '../../support/kernel.ts'
import { fillTables } from '../../support/kernel-rows.ts'
import { disable, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

/** Every table of the kernel, and what refuses to delete from it. */
const TABLES = {
  kernel_turn: 'kernel_turn is part of the rules',
  role: 'role is part of the rules',
  execution_state: 'execution_state is part of the rules',
  execution_edge: 'execution_edge is part of the rules',
  principal: 'principal is append-only',
  identity_link: 'identity_link is revoked, never deleted',
  role_grant: 'role_grant is revoked, never deleted',
  power_change: 'power_change is append-only',
  power_confirmation: 'power_confirmation is append-only',
  policy_version: 'policy_version is append-only',
  policy_activation: 'policy_activation is append-only',
  kill_switch: 'kill_switch is append-only',
  start_vote: 'start_vote is append-only',
  freeze_window: 'freeze_window is append-only',
  action_definition: 'action_definition is append-only',
  plan: 'plan is append-only',
  request: 'request is append-only',
  presentation: 'presentation is append-only',
  vote: 'vote is append-only',
  authorisation: 'authorisation is append-only',
  execution: 'execution is append-only',
  execution_event: 'execution_event is append-only',
  undo_waived: 'undo_waived is append-only',
  graduation_report: 'graduation_report is append-only',
  standing_grant: 'standing_grant is revoked, never deleted',
  audit_entry: 'audit_entry is append-only',
  restoration: 'restoration is append-only',
  accepted_effect: 'accepted_effect is append-only',
  refused_attempt: 'refused_attempt is append-only',
  drill_start: 'drill_start is append-only',
} as const

/** Of these not one column ever changes, whatever it is set to. */
const UNCHANGING = [
  'kernel_turn',
  'role',
  'execution_state',
  'execution_edge',
  'power_confirmation',
  'policy_version',
  'policy_activation',
  'start_vote',
  'action_definition',
  'plan',
  'presentation',
  'vote',
  'authorisation',
  'execution_event',
  'undo_waived',
  'graduation_report',
  'audit_entry',
  'restoration',
  'accepted_effect',
  'refused_attempt',
  'drill_start',
] as const

/** Primary keys that say what they hold. */
const NAMED_KEYS: Readonly<Record<string, string>> = { vote: 'vote_counts_people', power_confirmation: 'power_confirmation_counts_people' }

describeKernel('history: append-only', (kernel) => {
  const { ...tables } = TABLES

  test('every table of the kernel is named here', async () => {
    const { rows } = await sql<{ name: string }>`
      select distinct c.relname as name from pg_class c join pg_trigger t on t.tgrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgname in ('never_emptied', 'audit') order by 1`.execute(
      kernel().db,
    )
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(tables).sort())
  })

  test.each(Object.entries(tables))('nothing is deleted from %s', async (table, words) => {
    await fillTables(kernel())
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.id(table)}`.execute(kernel().db)
    expect(rows[0]?.n).toBeGreaterThan(0)
    expect(await rehearse(kernel().db, (tx) => sql`delete from ${sql.id(table)}`.execute(tx))).toBe(`kept ${words}`)
  })

  test.each(Object.keys(tables))('%s is never emptied', async (table) => {
    const truncate = rehearse(kernel().db, (tx) => sql.raw(`truncate ${table} cascade`).execute(tx))
    expect(await truncate).toBe(`kept ${table} is append-only`)
  })

  test.each(UNCHANGING)('no column of %s changes', async (table) => {
    const { db } = kernel()
    await fillTables(kernel())
    const { rows } = await sql<{ name: string }>`select attname as name from pg_attribute
      where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''`.execute(db)
    for (const { name } of rows) {
      const outcome = await rehearse(db, (tx) => sql`update ${sql.id(table)} set ${sql.id(name)} = ${sql.id(name)}`.execute(tx))
      expect([name, outcome]).toEqual([name, expect.stringMatching(/^kept \w+ is (append-only|part of the rules)$/)])
    }
  })

  test.each(['kernel_turn', 'role', 'execution_state', 'execution_edge'])('nothing is added to %s', async (table) => {
    const insert = rehearse(kernel().db, (tx) => sql`insert into ${sql.id(table)} select * from ${sql.id(table)} limit 1`.execute(tx))
    expect(await insert).toBe(`kept ${table} is part of the rules`)
  })

  test.each(Object.keys(tables))('a row of %s is there once', async (table) => {
    const { db } = kernel()
    await fillTables(kernel())
    const copy = rehearse(db, async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx)
      const columns = await keepPrimaryKeyOnly(tx, table)
      await sql.raw(`insert into ${table} (${columns}) overriding system value select ${columns} from ${table} limit 1`).execute(tx)
    })
    expect(await copy).toBe(`constraint ${NAMED_KEYS[table] ?? `${table}_pkey`}`)
  })

  test('no two roles are of one rank', async () => {
    const adding = rehearseUnguarded(kernel().db, ['role'], (tx) => sql`insert into role values ('owner', 4)`.execute(tx))
    expect(await adding).toBe('constraint role_rank_key')
  })

  test('a step is between states that there are', async () => {
    const adding = (from: string, to: string) =>
      rehearseUnguarded(kernel().db, ['execution_edge'], (tx) => sql`insert into execution_edge values (${from}, ${to})`.execute(tx))
    expect(await adding('landed', 'sent')).toBe('constraint execution_edge_from_state_fkey')
    expect(await adding('sent', 'landed')).toBe('constraint execution_edge_to_state_fkey')
  })

  test('the turn is one row', async () => {
    const second = rehearse(kernel().db, async (tx) => {
      await disable(tx, 'kernel_turn', 'kernel_turn_stays')
      await sql`insert into kernel_turn values (2)`.execute(tx)
    })
    expect(await second).toBe('constraint kernel_turn_is_one_row')
  })
})

describeKernel('history: who writes the log', (kernel) => {
  test('nobody adds an entry by hand', async () => {
    const { db } = kernel()
    const entry = sql`insert into audit_entry (seq, prev, hash, at, actor, what, body) values (1000, repeat('0', 64), repeat('0', 64), clk(), 'x', 'y', '{}')`
    expect(await rehearse(db, (tx) => entry.execute(tx))).toBe('kept the audit log is written with the rows it speaks of')
  })

  test('an entry that some trigger adds follows from the one before it all the same', async () => {
    const { db, audit } = tampers(kernel())
    await sql`create table trap (id int)`.execute(db)
    await sql
      .raw(`create function trap() returns trigger language plpgsql as $$ begin
      insert into audit_entry (seq, prev, hash, at, actor, what, body) values (1000, 'x', 'y', 'epoch', 'mallory', 'z', '{}'); return null; end $$`)
      .execute(db)
    await sql`create trigger trap after insert on trap for each row execute function trap()`.execute(db)
    await sql`insert into trap values (1)`.execute(db)
    expect((await audit.verify()).violations).toEqual([])
    const [entry] = (await audit.entries({ limit: 1 })).items
    expect(entry).toMatchObject({ actor: 'mallory', at: expect.any(Date) })
    expect(entry?.at.getTime()).toBeGreaterThan(Date.now() - 60_000)
    await sql`drop table trap`.execute(db)
    await sql`drop function trap`.execute(db)
  })
})

describeKernel('history: nobody stands in for a table', (kernel) => {
  describe('a temporary table of the same name is not read', () => {
    test('for roles, stops, freezes, leases and turns', async () => {
      const { propose, db, control, carryOut } = kernel()
      const asked = await propose()
      const { executionId } = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent')
      await control.stop('*', 'ada')
      const attack = rehearse(db, async (tx) => {
        for (const table of ['kill_switch', 'freeze_window', 'role_grant', 'kernel_turn', 'lease', 'principal'])
          await sql`create temporary table ${sql.id(table)} (like public.${sql.id(table)})`.execute(tx)
        await sql`insert into pg_temp.kernel_turn values (1)`.execute(tx)
        await sql`insert into pg_temp.role_grant select * from public.role_grant`.execute(tx)
        await sql`insert into pg_temp.principal select * from public.principal`.execute(tx)
        await sql`insert into pg_temp.lease select * from public.lease`.execute(tx)
        await sql`insert into execution_event (execution_id, seq, from_state, to_state, epoch) values (${executionId}, 3, 'intent', 'sent', 1)`.execute(
          tx,
        )
      })
      expect(await attack).toBe('refused kill-switch')
      expect(asked.requestId).toBeTruthy()
    })

    test('nor for the quorum', async () => {
      const { propose, db } = kernel()
      const asked = await propose()
      const attack = rehearse(db, async (tx) => {
        await sql`create temporary table role_grant (like public.role_grant)`.execute(tx)
        await sql`insert into pg_temp.role_grant select * from public.role_grant`.execute(tx)
        await sql`update pg_temp.role_grant set role = 'admin', environment = '*' where principal_id = 'vera'`.execute(tx)
        await sql`insert into vote (request_id, plan_id, digest, principal_id, link_id, decision, surface, tenant, external_id, place, delivery_key)
          select ${asked.requestId}, ${asked.parent.plan.id}, ${asked.parent.digest}, 'vera', l.id, 'approve', 'slack', 'T1', 'U-vera', 'C-incidents', 'k'
          from identity_link l where l.external_id = 'U-vera'`.execute(tx)
      })
      expect(await attack).toBe('refused not-authorised')
    })
  })

  test('every guard looks in one schema only', async () => {
    const { rows } = await sql<{ name: string }>`
      select distinct p.proname as name from pg_trigger t join pg_proc p on p.oid = t.tgfoid
      where not t.tgisinternal and t.tgrelid in (select g.tgrelid from pg_trigger g where g.tgname = 'never_emptied')
        and not coalesce(p.proconfig @> array['search_path=public, pg_temp'], false)`.execute(kernel().db)
    expect(rows).toEqual([])
  })
})

/** Drops every other unique constraint and index of a table, within the transaction; returns the columns that can be written. */
async function keepPrimaryKeyOnly(tx: Kernel['db'], table: string): Promise<string> {
  const constraints = await sql<{ name: string }>`
    select conname as name from pg_constraint where conrelid = ${table}::regclass and contype = 'u'`.execute(tx)
  for (const { name } of constraints.rows) await sql`alter table ${sql.id(table)} drop constraint ${sql.id(name)} cascade`.execute(tx)
  const indexes = await sql<{ name: string }>`
    select indexrelid::regclass::text as name from pg_index where indrelid = ${table}::regclass and indisunique and not indisprimary`.execute(
    tx,
  )
  for (const { name } of indexes.rows) await sql.raw(`drop index ${name}`).execute(tx)
  const { rows } = await sql<{ columns: string }>`select string_agg(quote_ident(attname), ', ' order by attnum) as columns from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and attgenerated = ''`.execute(tx)
  return rows[0]?.columns ?? ''
}
