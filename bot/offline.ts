import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { listOutsideTools } from '../integrations/registry.ts'
import { type ExportReport, keyOf, verifyAuditExport } from '../storage/audit-export/verify.ts'
import { writeAuditExport } from '../storage/audit-export/write.ts'
import { BackupRefused } from '../storage/backup/format.ts'
import { publishBackup } from '../storage/backup/publish.ts'
import type { CheckedBackup } from '../storage/backup/read.ts'
import { type Restored, restore } from '../storage/backup/restore.ts'
import { writeBackup } from '../storage/backup/write.ts'
import { migrateToLatest, pendingMigrations } from '../storage/migrate.ts'
import { grantProcessRoles } from '../storage/process-roles.ts'
import type { Settings } from './config.ts'
import type { Log } from './main.ts'
import { auditExport, now, open, VERSION } from './main.ts'

/*
 * What the command line does without a server: with the database of one that does not run, and with servers of others.
 */

const LIST_MS = 30_000

/** Brings the database to the newest schema; `split` gives three processes their rights, too. @returns the names of the migrations that ran now */
export async function migrate(settings: Settings, log: Log, split = false): Promise<string[]> {
  const database = await open(settings, log)
  try {
    const ran = await migrateToLatest(database.db)
    if (split) await grantProcessRoles(database.db)
    return ran
  } finally {
    await database.close()
  }
}

/** The migrations that have not run yet; null when there is no database yet. */
export async function migrationsToRun(settings: Settings, log: Log): Promise<string[] | null> {
  if (!hasDatabase(settings)) return null
  const database = await open(settings, log)
  return await pendingMigrations(database.db).finally(database.close)
}

/** Writes a backup to a new file. @throws BackupRefused, DataDirectoryUnusable, DatabaseUnavailable */
export async function backUp(settings: Settings, log: Log, draft: string): Promise<void> {
  if (!hasDatabase(settings))
    throw new BackupRefused('unreadable', `There is no database in ${settings.dataDir} yet, so nothing to back up.`)
  const database = await open(settings, log)
  await writeBackup(database, draft, { product: VERSION, takenAt: now() }).finally(database.close)
}

/** Writes the audit log after a place in it to a new file. @throws RangeError, BackupRefused, DataDirectoryUnusable, DatabaseUnavailable */
export async function exportAudit(settings: Settings, log: Log, path: string, since: number): Promise<void> {
  if (!hasDatabase(settings))
    throw new BackupRefused('unreadable', `There is no database in ${settings.dataDir} yet, so nothing to export.`)
  const options = auditExport(settings, since)
  const database = await open(settings, log)
  await writeAuditExport(database, path, options).finally(database.close)
}

/** Verifies an export without any database. `key`: base64 or PEM. @throws RangeError when the key is none; Error when the file cannot be read */
export async function verifyExport(path: string, key: string | null): Promise<ExportReport> {
  const known = key === null ? null : keyOf(key)
  if (key !== null && known === null)
    throw new RangeError('The key is no Ed25519 public key: give its base64, or a file with it or its PEM.')
  return await verifyAuditExport(path, known)
}

/** Reads a finished draft back and gives it its name. @throws BackupRefused */
export async function finishBackup(draft: string, path: string): Promise<CheckedBackup> {
  return await publishBackup(draft, path)
}

/** Puts a backup in the place of the database. @throws BackupRefused, DataDirectoryUnusable, DatabaseUnavailable */
export async function restoreBackup({ dataDir, databaseUrl }: Settings, file: string, replace: boolean): Promise<Restored> {
  return await restore({ file, dataDir, databaseUrl, replace, now })
}

/** What servers of others offer now: all of the settings, or the one with this name. Nothing of it is called. */
export async function listOutside({ sources }: Settings, name: string | null): ReturnType<typeof listOutsideTools> {
  const asked = sources.mcp.filter((server) => name === null || server.name === name)
  return await listOutsideTools(asked, AbortSignal.timeout(LIST_MS))
}

function hasDatabase({ databaseUrl, dataDir }: Settings): boolean {
  return databaseUrl !== null || existsSync(join(dataDir, 'pglite'))
}
