import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { sql } from 'kysely'
import type { OpenDatabase } from '../database.ts'
import { GENESIS } from '../invariants.ts'
import type { Executor } from '../schema.ts'
import { type BackupHeader, type BackupItem, FORMAT, FORMAT_VERSION, NO_DIGEST } from './format.ts'
import { readTables, schemaDigest, settleTextForms, type Table } from './tables.ts'

export interface BackupOrigin {
  product: string
  takenAt: Date
}

/** A few hundred rows at a time, so that a large database needs no more memory than a small one. */
const ROWS_AT_ONCE = 200
/** Characters handed to the compressor at once. */
const PIECE = 64 * 1024
/** Who is signed in is nobody's after a restore. */
const LEFT_OUT = ['session', 'provider_session', 'sign_in_attempt']

/**
 * Writes everything the database holds, as of one moment, to a new file that only its owner can read. On PGlite, which has one session, everybody
 * else waits meanwhile. A file that was begun and not finished is removed.
 *
 * @throws Error when the file exists or cannot be written
 */
export async function writeBackup(
  { db, kind }: Pick<OpenDatabase, 'db' | 'kind'>,
  path: string,
  origin: BackupOrigin,
): Promise<BackupHeader> {
  const file = await open(path, 'wx', 0o600)
  try {
    return await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (tx) => {
        await settleTextForms(tx)
        const tables = await readTables(tx)
        const header = await headerOf(tx, tables, kind, origin)
        return await writeFile(file, header, itemsOf(tx, tables))
      })
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

async function headerOf(tx: Executor, tables: readonly Table[], store: BackupHeader['store'], origin: BackupOrigin): Promise<BackupHeader> {
  const { rows: ran } = await sql<{ name: string }>`select name from kysely_migration order by timestamp, name`.execute(tx)
  const { rows: last } = await sql<{ seq: number; hash: string }>`select seq, hash from audit_entry order by seq desc limit 1`.execute(tx)
  return {
    format: FORMAT,
    version: FORMAT_VERSION,
    takenAt: origin.takenAt.toISOString(),
    product: origin.product,
    store,
    migrations: ran.map(({ name }) => name),
    schema: schemaDigest(tables),
    audit: { entries: last[0]?.seq ?? 0, head: last[0]?.hash ?? GENESIS },
    sha256: NO_DIGEST,
  }
}

async function* itemsOf(tx: Executor, tables: readonly Table[]): AsyncGenerator<BackupItem | string> {
  let rows = 0
  for (const { name, columns } of tables) {
    if (LEFT_OUT.includes(name)) continue
    yield { table: name, columns: columns.map((column) => column.name) }
    for await (const row of rowsOf(tx, name, columns)) {
      rows += 1
      yield row
    }
  }
  const { rows: sequences } = await sql<{ name: string; at: string }>`
    select sequencename as name, last_value::text as at from pg_sequences
    where schemaname = current_schema() and last_value is not null order by sequencename`.execute(tx)
  yield { sequences: Object.fromEntries(sequences.map(({ name, at }) => [name, at])) }
  yield { end: { rows } }
}

/** Each row as the database made JSON of it. */
async function* rowsOf(tx: Executor, table: string, columns: Table['columns']): AsyncGenerator<string> {
  const values = sql.join(columns.map(({ name }) => sql`${sql.ref(name)}::text`))
  await sql`declare backup_rows no scroll cursor for select to_json(array[${values}]::text[])::text as row from ${sql.table(table)}`.execute(
    tx,
  )
  for (;;) {
    const { rows } = await sql<{ row: string }>`fetch ${sql.lit(ROWS_AT_ONCE)} from backup_rows`.execute(tx)
    for (const { row } of rows) yield row
    if (rows.length < ROWS_AT_ONCE) break
  }
  await sql`close backup_rows`.execute(tx)
}

async function writeFile(file: FileHandle, header: BackupHeader, items: AsyncIterable<BackupItem | string>): Promise<BackupHeader> {
  const first = Buffer.from(`${JSON.stringify(header)}\n`)
  const digest = createHash('sha256').update(first)
  await file.write(first)
  await pipeline(linesOf(items), createGzip(), async (compressed: AsyncIterable<Buffer>) => {
    for await (const chunk of compressed) {
      digest.update(chunk)
      await file.writeFile(chunk)
    }
  })
  const sha256 = digest.digest('hex')
  await file.write(Buffer.from(sha256), 0, sha256.length, first.lastIndexOf(NO_DIGEST))
  await file.sync()
  return { ...header, sha256 }
}

/** Many lines at a time: each piece costs a turn of the compressor. */
async function* linesOf(items: AsyncIterable<BackupItem | string>): AsyncGenerator<string> {
  let text = ''
  for await (const item of items) {
    text += `${typeof item === 'string' ? item : JSON.stringify(item)}\n`
    if (text.length < PIECE) continue
    yield text
    text = ''
  }
  yield text
}
