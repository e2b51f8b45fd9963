import { sql } from 'kysely'
import { MIGRATIONS, migrateInside } from '../migrate.ts'
import type { Executor } from '../schema.ts'
import { type BackupHeader, BackupRefused } from './format.ts'
import { type CheckedBackup, readItems } from './read.ts'
import { readTables, schemaDigest, settleTextForms, type Table } from './tables.ts'

const ROWS_AT_ONCE = 500
const CHARACTERS_AT_ONCE = 4 * 1024 * 1024

/**
 * Fills an empty schema with what a backup holds: the tables as they were, then every row past the guards, then the foreign keys again, which
 * judges all rows. The database is at the backup's migrations afterwards.
 *
 * @throws BackupRefused when the backup is of a newer or of another schema
 */
export async function loadBackup(tx: Executor, backup: CheckedBackup): Promise<void> {
  await settleTextForms(tx)
  await migrateInside(tx, knownMigration(backup))
  const tables = await readTables(tx)
  if (schemaDigest(tables) !== backup.header.schema)
    throw new BackupRefused(
      'foreign-schema',
      `${backup.path} has other tables than this Steadyhand makes at ${backup.header.migrations.at(-1)}: it is of another build. Restore it with the version that made it (${backup.header.product}).`,
    )
  const foreignKeys = await dropForeignKeys(tx)
  await eachTable(tx, tables, 'disable')
  for (const { name } of tables) await sql`delete from ${sql.table(name)}`.execute(tx)
  await fill(tx, tables, backup.path)
  await eachTable(tx, tables, 'enable')
  for (const { table, name, definition } of foreignKeys)
    await sql`alter table ${sql.table(table)} add constraint ${sql.id(name)} ${sql.raw(definition)}`.execute(tx)
  await sameHead(tx, backup)
}

function knownMigration({ path, header: { migrations, product } }: CheckedBackup): string {
  const known = Object.keys(MIGRATIONS)
  const newest = migrations.at(-1)
  const unknown = migrations.filter((name) => !known.includes(name))
  if (newest === undefined || unknown.length > 0)
    throw new BackupRefused(
      'newer',
      `${path} was made by Steadyhand ${product} with migrations that this one does not know (${unknown.join(', ') || 'none at all'}). Restore it with that version, or a newer one.`,
    )
  return newest
}

async function dropForeignKeys(tx: Executor): Promise<{ table: string; name: string; definition: string }[]> {
  const { rows } = await sql<{ table: string; name: string; definition: string }>`
    select r.relname as "table", c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c join pg_class r on r.oid = c.conrelid
    where c.contype = 'f' and c.connamespace = current_schema()::regnamespace order by r.relname, c.conname`.execute(tx)
  for (const { table, name } of rows) await sql`alter table ${sql.table(table)} drop constraint ${sql.id(name)}`.execute(tx)
  return rows
}

/** Rows of history are put back as they were, not written anew: the guards and the audit triggers would make others of them. */
async function eachTable(tx: Executor, tables: readonly Table[], what: 'disable' | 'enable'): Promise<void> {
  for (const { name } of tables) await sql`alter table ${sql.table(name)} ${sql.raw(what)} trigger user`.execute(tx)
}

async function fill(tx: Executor, tables: readonly Table[], path: string): Promise<void> {
  let insert: ((row: readonly (string | null)[]) => Promise<void>) | null = null
  let flush = async (): Promise<void> => {}
  for await (const item of readItems(path)) {
    if (Array.isArray(item)) {
      await insert?.(item)
      continue
    }
    await flush()
    if ('table' in item) {
      const table = tables.find(({ name }) => name === item.table)
      if (!table) throw new BackupRefused('foreign-schema', `${path} has a table ${item.table} that is not of its schema.`)
      const batch = createBatch(tx, table, item.columns)
      insert = batch.insert
      flush = batch.flush
    } else if ('sequences' in item) {
      for (const [name, at] of Object.entries(item.sequences))
        await sql`select setval(${sql.lit(quoted(name))}::regclass, ${at}::bigint, true)`.execute(tx)
    }
  }
}

function createBatch(tx: Executor, table: Table, order: readonly string[]) {
  const columns = order.map((name) => table.columns.find((column) => column.name === name) ?? { name, type: 'text' })
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const values = sql.join(columns.map(({ type }, index) => sql`(row ->> ${sql.lit(index)})::${sql.raw(type)}`))
  let rows: (readonly (string | null)[])[] = []
  let characters = 0
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return
    const text = JSON.stringify(rows)
    rows = []
    characters = 0
    await sql`insert into ${sql.table(table.name)} (${names}) overriding system value
      select ${values} from json_array_elements(${text}::json) row`.execute(tx)
  }
  return {
    flush,
    async insert(row: readonly (string | null)[]) {
      rows.push(row)
      for (const value of row) characters += value?.length ?? 0
      if (rows.length >= ROWS_AT_ONCE || characters >= CHARACTERS_AT_ONCE) await flush()
    },
  }
}

async function sameHead(tx: Executor, { path, header }: { path: string; header: BackupHeader }): Promise<void> {
  const { rows } = await sql<{ seq: number; hash: string }>`select seq, hash from audit_entry order by seq desc limit 1`.execute(tx)
  const [head] = rows
  if ((head?.seq ?? 0) === header.audit.entries && (head === undefined || head.hash === header.audit.head)) return
  throw new BackupRefused(
    'damaged',
    `${path} is damaged: its audit log does not end where its header says. Nothing was changed; use another backup.`,
  )
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
