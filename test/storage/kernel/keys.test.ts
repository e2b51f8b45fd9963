import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel, type Kernel } from '../../support/kernel.ts'
import { fillTables } from '../../support/kernel-rows.ts'
import { rehearse } from '../../support/kernel-sql.ts'

/** The primary key of each table, by its name. */
const PRIMARY_KEYS = [
  'action_definition_pkey',
  'audit_entry_pkey',
  'authorisation_pkey',
  'execution_edge_pkey',
  'execution_event_pkey',
  'execution_pkey',
  'execution_state_pkey',
  'freeze_window_pkey',
  'graduation_report_pkey',
  'identity_link_pkey',
  'kernel_turn_pkey',
  'kill_switch_pkey',
  'plan_pkey',
  'policy_activation_pkey',
  'policy_version_pkey',
  'power_change_pkey',
  'power_confirmation_counts_people',
  'presentation_pkey',
  'principal_pkey',
  'request_pkey',
  'role_grant_pkey',
  'role_pkey',
  'standing_grant_pkey',
  'start_vote_pkey',
  'undo_waived_pkey',
  'vote_counts_people',
] as const

describeKernel('keys', (kernel) => {
  test.each(PRIMARY_KEYS)('%s: no row stands there twice', async (key) => {
    await fillTables(kernel())
    expect(await again(kernel(), key)).toBe(`constraint ${key}`)
  })

  test('role_rank_key: no two roles of one rank', async () => {
    const second = rehearse(kernel().db, async (tx) => {
      await sql`alter table role disable trigger user`.execute(tx)
      await sql`insert into role values ('owner', 4)`.execute(tx)
    })
    expect(await second).toBe('constraint role_rank_key')
  })

  test.each([
    ['execution_edge_from_state_fkey', 'nowhere', 'claimed'],
    ['execution_edge_to_state_fkey', 'claimed', 'nowhere'],
  ])('%s: steps are between states there are', async (key, from, to) => {
    const step = rehearse(kernel().db, async (tx) => {
      await sql`alter table execution_edge disable trigger user`.execute(tx)
      await sql`insert into execution_edge values (${from}, ${to})`.execute(tx)
    })
    expect(await step).toBe(`constraint ${key}`)
  })

  test.each([
    'action_definition',
    'execution',
    'execution_state',
    'execution_edge',
    'identity_link',
    'kill_switch',
    'plan',
    'presentation',
    'principal',
    'request',
    'role',
  ])('never_emptied: %s, also when nothing refers to it', async (table) => {
    const keys = await referring(kernel(), table)
    const emptied = rehearse(kernel().db, async (tx) => {
      for (const { name, from } of keys) await sql`alter table ${sql.id(from)} drop constraint ${sql.id(name)}`.execute(tx)
      await sql.raw(`truncate ${table}`).execute(tx)
    })
    expect(await emptied).toBe(`kept ${table} is append-only`)
  })
})

/** Writes a row of the key's table once more, with guards and all other keys off. */
async function again({ db }: Kernel, key: string): Promise<string> {
  const { rows } = await sql<{ table: string; columns: string }>`
    select c.conrelid::regclass::text as table, (
      select string_agg(quote_ident(a.attname), ', ') from pg_attribute a where a.attrelid = c.conrelid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    ) as columns
    from pg_constraint c where c.conname = ${key}`.execute(db)
  const [{ table, columns } = { table: key.replace(/_pkey$/, ''), columns: '*' }] = rows
  return await rehearse(db, async (tx) => {
    const others = await sql<{ name: string; constraint: boolean }>`
      select i.indexrelid::regclass::text as name, c.conname is not null as constraint from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid
      where i.indrelid = ${table}::regclass and i.indisunique and i.indexrelid::regclass::text <> ${key}`.execute(tx)
    await sql.raw(`alter table ${table} disable trigger user`).execute(tx)
    for (const { name, constraint } of others.rows)
      await sql
        .raw(constraint ? `alter table ${table} drop constraint if exists ${name} cascade` : `drop index if exists ${name}`)
        .execute(tx)
    await sql.raw(`insert into ${table} (${columns}) overriding system value select ${columns} from ${table} limit 1`).execute(tx)
  })
}

async function referring({ db }: Kernel, table: string): Promise<{ name: string; from: string }[]> {
  const { rows } = await sql<{ name: string; from: string }>`
    select conname as name, conrelid::regclass::text as from from pg_constraint where contype = 'f' and confrelid = ${table}::regclass`.execute(
    db,
  )
  return rows
}
