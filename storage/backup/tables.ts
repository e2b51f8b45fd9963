import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Executor } from '../schema.ts'

/** One table with the columns that are written; what the database computes itself is not among them. */
export interface Table {
  name: string
  columns: { name: string; type: string }[]
}

/** Kept by the migrations themselves. */
const OF_MIGRATIONS = ['kysely_migration', 'kysely_migration_lock']

/** Every table of the current schema, in the order of their names. */
export async function readTables(tx: Executor): Promise<Table[]> {
  const { rows } = await sql<{ table: string; name: string; type: string }>`
    select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by c.relname collate "C", a.attnum`.execute(tx)
  const tables = new Map<string, Table>()
  for (const { table, name, type } of rows) {
    if (OF_MIGRATIONS.includes(table)) continue
    const known = tables.get(table) ?? { name: table, columns: [] }
    known.columns.push({ name, type })
    tables.set(table, known)
  }
  return [...tables.values()]
}

/** SHA-256 of what tables and columns there are: two databases of the same digest take each other's rows. */
export function schemaDigest(tables: readonly Table[]): string {
  return createHash('sha256').update(JSON.stringify(tables)).digest('hex')
}

/** Values in text have to read the same wherever they are written and read. */
export async function settleTextForms(tx: Executor): Promise<void> {
  await sql`set local timezone to 'UTC'`.execute(tx)
  await sql`set local datestyle to 'ISO, YMD'`.execute(tx)
  await sql`set local intervalstyle to 'postgres'`.execute(tx)
  await sql`set local extra_float_digits to 1`.execute(tx)
  await sql`set local bytea_output to 'hex'`.execute(tx)
}
