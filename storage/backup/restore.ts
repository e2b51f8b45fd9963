import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import type { AuditReport } from '../../agent/ports.ts'
import { proveAll } from '../audit-proof.ts'
import { holdDataDirectory } from '../data-directory.ts'
import { openDatabase } from '../database.ts'
import { migrateInside } from '../migrate.ts'
import { ensurePgliteFolder } from '../pglite-folder.ts'
import type { Database, Executor } from '../schema.ts'
import { BackupRefused } from './format.ts'
import { loadBackup } from './load.ts'
import { type CheckedBackup, checkBackup } from './read.ts'
import { type Ended, settleRestored } from './settle.ts'

export interface RestoreOptions {
  file: string
  dataDir: string
  /** A PostgreSQL server; null for the embedded database in `dataDir`. */
  databaseUrl: string | null
  /** Whether what is there may be put aside. */
  replace: boolean
  now: () => Date
}

export interface Restored {
  backup: CheckedBackup
  /** Where what was there before is kept; null when nothing was. */
  aside: string | null
  /** Migrations that brought it forward. */
  migrated: string[]
  ended: Ended
  audit: AuditReport
}

const REPLACE = 'With --replace it is put aside, not deleted.'

/**
 * Puts a backup in the place of the database: wholly, or not at all. The effect journal beside it stays as it is.
 *
 * @throws BackupRefused in words; DataDirectoryUnusable when a process uses the directory
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const backup = await checkBackup(options.file)
  return options.databaseUrl === null ? await restorePglite(backup, options) : await restorePostgres(backup, options.databaseUrl, options)
}

async function restorePglite(backup: CheckedBackup, { dataDir, replace, now }: RestoreOptions): Promise<Restored> {
  const directory = holdDataDirectory(dataDir, { now })
  const draft = `${directory.database}.restoring`
  try {
    const exists = existsSync(directory.database)
    if (exists && !replace) throw new BackupRefused('not-empty', `There is a database in ${directory.path} already. ${REPLACE}`)
    rmSync(draft, { recursive: true, force: true })
    await ensurePgliteFolder(draft)
    const database = await openDatabase({ dataDir, held: { path: directory.path, database: draft }, now })
    const restored = await database.db
      .transaction()
      .execute(async (tx) => await fillAndProve(tx, backup))
      .finally(database.close)
    const aside = exists ? freeName(join(directory.path, `pglite-before-restore-${stamp(now())}`)) : null
    if (aside !== null) renameSync(directory.database, aside)
    renameSync(draft, directory.database)
    return { ...restored, aside }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    directory.release()
  }
}

async function restorePostgres(backup: CheckedBackup, databaseUrl: string, { dataDir, replace, now }: RestoreOptions): Promise<Restored> {
  // One connection, which may take its time: others that are seen are not this one.
  const limits = { connections: 1, statementMs: 0, idleInTransactionMs: 0 }
  const database = await openDatabase({ dataDir, databaseUrl, now, limits })
  try {
    await refuseWhileUsed(database.db)
    return await database.db.transaction().execute(async (tx) => {
      const aside = await putAside(tx, `steadyhand_before_restore_${stamp(now()).replaceAll('-', '_').toLowerCase()}`, replace)
      return { ...(await fillAndProve(tx, backup)), aside: aside === null ? null : `the schema ${aside}` }
    })
  } finally {
    await database.close()
  }
}

async function fillAndProve(tx: Executor, backup: CheckedBackup): Promise<Omit<Restored, 'aside'>> {
  await loadBackup(tx, backup)
  const migrated = await migrateInside(tx, null)
  const ended = await settleRestored(tx, backup.header)
  const { report } = await proveAll(tx)
  if (!report.ok)
    throw new BackupRefused(
      'not-verified',
      `The audit log of ${backup.path} does not verify: ${report.violations.slice(0, 3).join('; ')}. Nothing was changed; use another backup.`,
    )
  return { backup, migrated, ended, audit: report }
}

/** Whoever works on the database would go on in the restored one. */
async function refuseWhileUsed(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ pid: number; client: string }>`
    select pid, coalesce(host(client_addr), 'this machine') as client from pg_stat_activity
    where datname = current_database() and application_name like 'steadyhand%' and pid <> pg_backend_pid() limit 1`.execute(db)
  const [other] = rows
  if (other)
    throw new BackupRefused(
      'in-use',
      `A Steadyhand at ${other.client} is connected to the database (its backend is process ${other.pid}). Stop it first.`,
    )
}

/** Renames the schema away, so that what it holds stays readable. @returns its new name; null when there was nothing in it */
async function putAside(tx: Executor, aside: string, replace: boolean): Promise<string | null> {
  const { rows } = await sql<{ schema: string; tables: number }>`
    select current_schema() as schema, count(c.oid)::int as tables
    from pg_class c right join (select current_schema()::regnamespace as here) s on c.relnamespace = s.here and c.relkind in ('r', 'p', 'v', 'm', 'S')`.execute(
    tx,
  )
  const { schema = 'public', tables = 0 } = rows[0] ?? {}
  if (tables === 0) return null
  if (!replace) throw new BackupRefused('not-empty', `There are tables in the schema ${schema} of the database already. ${REPLACE}`)
  const { rows: extensions } = await sql<{ name: string }>`
    select extname as name from pg_extension where extnamespace = current_schema()::regnamespace`.execute(tx)
  await sql`alter schema ${sql.id(schema)} rename to ${sql.id(aside)}`.execute(tx)
  await sql`create schema ${sql.id(schema)}`.execute(tx)
  for (const { name } of extensions) await sql`alter extension ${sql.id(name)} set schema ${sql.id(schema)}`.execute(tx)
  return aside
}

/** '2026-03-01T12-00-00Z' */
function stamp(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`
}

function freeName(path: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? path : `${path}-${number}`
    if (!existsSync(name)) return name
  }
}
