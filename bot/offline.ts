import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BackupRefused } from '../storage/backup/format.ts'
import { publishBackup } from '../storage/backup/publish.ts'
import type { CheckedBackup } from '../storage/backup/read.ts'
import { type Restored, restore } from '../storage/backup/restore.ts'
import { writeBackup } from '../storage/backup/write.ts'
import { migrateToLatest, pendingMigrations } from '../storage/migrate.ts'
import type { Settings } from './config.ts'
import type { Log } from './main.ts'
import { now, open, VERSION } from './main.ts'

/*
 * What the command line does with the database of a server that does not run.
 */

/** Brings the database to the newest schema. @returns the names of the migrations that ran now */
export async function migrate(settings: Settings, log: Log): Promise<string[]> {
  const database = await open(settings, log)
  return await migrateToLatest(database.db).finally(database.close)
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

/** Reads a finished draft back and gives it its name. @throws BackupRefused */
export async function finishBackup(draft: string, path: string): Promise<CheckedBackup> {
  return await publishBackup(draft, path)
}

/** Puts a backup in the place of the database. @throws BackupRefused, DataDirectoryUnusable, DatabaseUnavailable */
export async function restoreBackup({ dataDir, databaseUrl }: Settings, file: string, replace: boolean): Promise<Restored> {
  return await restore({ file, dataDir, databaseUrl, replace, now })
}

function hasDatabase({ databaseUrl, dataDir }: Settings): boolean {
  return databaseUrl !== null || existsSync(join(dataDir, 'pglite'))
}
