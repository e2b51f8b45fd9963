import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { AUDITED, CHECKERS, EVERYTHING, rowsAgainstChain } from '../../../storage/invariants.ts'
import type { Database } from '../../../storage/schema.ts'
import { describeKernel, type Kernel, violationsOf } from '../../support/kernel.ts'
import { fillTables } from '../../support/kernel-rows.ts'
import { outcomeOf } from '../../support/kernel-sql.ts'

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

/** Takes every check of a table away, within the transaction. */
async function dropChecks(tx: Kysely<Database>, table: string): Promise<void> {
  const { rows } = await sql<{
    name: string
  }>`select conname as name from pg_constraint where conrelid = ${table}::regclass and contype = 'c'`.execute(tx)
  for (const { name } of rows) await sql`alter table ${sql.id(table)} drop constraint ${sql.id(name)}`.execute(tx)
}

describeKernel('the audit log: tampering with the rows behind it', (kernel) => {
  /** Another value of each type of column. */
  const OTHER: Record<string, (column: string) => string> = {
    text: (column) => `${column} || ' '`,
    uuid: () => 'gen_random_uuid()',
    int4: (column) => `${column} + 1000`,
    int8: (column) => `${column} + 1000000`,
    numeric: (column) => `${column} / 2`,
    bool: (column) => `not ${column}`,
    timestamptz: (column) => `case when isfinite(${column}) then ${column} + interval '1 microsecond' else clk() end`,
    jsonb: (column) => `${column} || '{"x": null}'`,
  }

  test.each(Object.entries(AUDITED))('every column of %s', async (table, key) => {
    const { db } = kernel()
    await fillTables(kernel())
    const { rows: columns } = await sql<{ name: string; type: string; optional: boolean }>`
      select a.attname as name, t.typname as type, not a.attnotnull as optional from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = ${table}::regclass and a.attnum > 0 and a.attgenerated = '' order by a.attnum`.execute(db)
    for (const { name, type, optional } of columns) {
      const values = [OTHER[type]?.(`"${name}"`), ...(optional ? ['null'] : [])]
      for (const value of values) {
        let changed = 0n
        const found = await asking(db, rowsAgainstChain(table, key), async (tx) => {
          await dropChecks(tx, table)
          const override = await sql.raw(`update ${table} set "${name}" = ${value} where ctid = (
            select ctid from ${table} where "${name}" is not null and ("${name}" is distinct from ${value}) limit 1)`)
          if (!(await isIdentity(tx, table, name))) changed = (await override.execute(tx)).numAffectedRows ?? 0n
        })
        expect([name, value, found.length > 0]).toEqual([name, value, changed > 0n])
      }
    }
  })

  test.each(Object.entries(AUDITED))('a row of %s that is gone, or that nobody logged', async (table, key) => {
    const { db } = kernel()
    await fillTables(kernel())
    const gone = await asking(db, rowsAgainstChain(table, key), (tx) =>
      sql.raw(`delete from ${table} where ctid = (select ctid from ${table} limit 1)`).execute(tx),
    )
    expect(gone).toEqual([expect.stringMatching(`${table} is gone$`)])
    const { rows } = await sql<{
      name: string
      type: string
    }>`select a.attname as name, t.typname as type from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = ${table}::regclass and a.attnum > 0 and a.attgenerated = '' order by a.attnum`.execute(db)
    const columns = rows.map(({ name }) => `"${name}"`).join(', ')
    const values = rows.map(({ name, type }) => (name === key.at(-1) ? OTHER[type]?.(`"${name}"`) : `"${name}"`)).join(', ')
    const added = await asking(db, rowsAgainstChain(table, key), async (tx) => {
      await dropChecks(tx, table)
      await dropUniques(tx, table)
      await sql.raw(`insert into ${table} (${columns}) overriding system value select ${values} from ${table} limit 1`).execute(tx)
    })
    expect(added).toContainEqual(expect.stringMatching(`${table} is not in the audit log$`))
  })

  test('the tables it speaks of are those with an audit trigger, by the same columns', async () => {
    const { rows } = await sql<{ name: string; arguments: string }>`
      select c.relname as name, encode(t.tgargs, 'escape') as arguments from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgname = 'audit'`.execute(
      kernel().db,
    )
    const keys = rows.map(({ name, arguments: list }) => [
      name,
      list.split('\\000').filter((argument) => argument !== '' && !argument.includes(':')),
    ])
    expect(Object.fromEntries(keys)).toEqual(AUDITED)
  })

  test('a fact that was taken out of an event’s detail', async () => {
    const { carryOut, advance, db } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent')
    await advance(executionId, 'failed', { words: null })
    const found = await asking(db, rowsAgainstChain('execution_event', ['execution_id', 'seq']), (tx) =>
      sql`update execution_event set detail = '{}'`.execute(tx),
    )
    expect(found).toHaveLength(1)
  })

  test('any letter of any plan, vote or event, at random', async () => {
    const { db } = kernel()
    await fillTables(kernel())
    const change = fc.record({
      where: fc.constantFrom<[string, string]>(
        ['plan', 'canonical'],
        ['vote', 'external_id'],
        ['vote', 'reason'],
        ['request', 'render_hash'],
        ['execution_event', 'to_state'],
      ),
      at: fc.nat(5_000),
      byte: fc.constantFrom(...'0123456789abcxyz'),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ where: [table, column], at, byte }) => {
        let changed = false
        const found = await asking(db, rowsAgainstChain(table, AUDITED[table] ?? []), async (tx) => {
          const { rows } = await sql<{
            text: string | null
            place: string
          }>`select ${sql.id(column)} as text, ctid::text as place from ${sql.id(table)} limit 1`.execute(tx)
          const text = rows[0]?.text ?? ''
          const index = at % Math.max(1, text.length)
          const tampered = text.slice(0, index) + byte + text.slice(index + 1)
          changed = tampered !== (rows[0]?.text ?? '') && (column !== 'canonical' || isDocument(tampered))
          if (!changed) return
          await dropChecks(tx, table)
          const write = sql`update ${sql.id(table)} set ${sql.id(column)} = ${tampered} where ctid = ${rows[0]?.place}::tid`
          // A generated column that cannot be made of the bytes any more refuses them: that is found, too.
          await sql`savepoint tampered`.execute(tx)
          changed = (await outcomeOf(write.execute(tx))) === 'done'
          if (!changed) await sql`rollback to savepoint tampered`.execute(tx)
        })
        expect(found.length > 0).toBe(changed)
      }),
      { seed: SEED, numRuns: 80 },
    )
  })
})

describeKernel('the audit log: the same on every machine', (kernel) => {
  const elsewhere = async (tx: Kysely<Database>): Promise<void> => {
    for (const setting of [
      "timezone to 'Asia/Kolkata'",
      "datestyle to 'German, DMY'",
      "intervalstyle to 'sql_standard'",
      'extra_float_digits to 0',
      "bytea_output to 'escape'",
    ])
      await sql.raw(`set local ${setting}`).execute(tx)
  }

  test('written by a session of another time zone and notation', async () => {
    const { db, propose, click } = kernel()
    const asked = await propose()
    await db.transaction().execute(async (tx) => {
      await elsewhere(tx)
      await sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until) values ('nobody', 'viewer', 'shop', 'configuration', clk() + interval '1 day')`.execute(
        tx,
      )
      await sql`insert into freeze_window (scope, starts_at, ends_at, reason, by_whom) values ('env:x', clk(), clk() + interval '1 day', 'x', 'rex')`.execute(
        tx,
      )
    })
    await click(asked, 'ada')
    expect(await violationsOf(kernel())).toEqual([])
  })

  describe('read by one', () => {
    test('the chain and the rows say the same', async () => {
      const { db } = kernel()
      await fillTables(kernel())
      const queries = [chain?.sql(EVERYTHING) ?? '', ...Object.entries(AUDITED).map(([table, key]) => rowsAgainstChain(table, key))]
      for (const query of queries) {
        const found = await asking(db, query, async (tx) => {
          await elsewhere(tx)
          await sql`set local timezone to 'UTC'`.execute(tx)
        })
        expect(found).toEqual([])
      }
      const inKolkata = await asking(db, chain?.sql(EVERYTHING) ?? '', elsewhere)
      expect(inKolkata).toEqual([])
    })
  })
})

async function isIdentity(tx: Kernel['db'], table: string, column: string): Promise<boolean> {
  const { rows } = await sql<{
    yes: boolean
  }>`select attidentity <> '' as yes from pg_attribute where attrelid = ${table}::regclass and attname = ${column}`.execute(tx)
  return rows[0]?.yes ?? false
}

async function dropUniques(tx: Kernel['db'], table: string): Promise<void> {
  const { rows } = await sql<{
    name: string
  }>`select indexrelid::regclass::text as name from pg_index where indrelid = ${table}::regclass and indisunique and not indisprimary
    and not exists (select 1 from pg_constraint where conindid = indexrelid)`.execute(tx)
  for (const { name } of rows) await sql.raw(`drop index ${name}`).execute(tx)
  const constraints = await sql<{
    name: string
  }>`select conname as name from pg_constraint where conrelid = ${table}::regclass and contype = 'u'`.execute(tx)
  for (const { name } of constraints.rows) await sql`alter table ${sql.id(table)} drop constraint ${sql.id(name)} cascade`.execute(tx)
}

function isDocument(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
