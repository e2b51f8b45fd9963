import { existsSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackupRefused } from './format.ts'
import { type CheckedBackup, checkBackup } from './read.ts'

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Reads a finished draft back and gives it its name, at once and whole: nothing that is there is ever overwritten. The draft is gone afterwards,
 * whatever happened.
 *
 * @throws BackupRefused
 */
export async function publishBackup(draft: string, path: string): Promise<CheckedBackup> {
  try {
    const checked = await checkBackup(draft)
    await giveName(draft, path)
    await syncFolder(dirname(path))
    return { ...checked, path }
  } finally {
    await rm(draft, { force: true })
  }
}

async function giveName(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path)
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'EEXIST' || existsSync(path))
      throw new BackupRefused('exists', `${path} exists already, and a backup overwrites nothing. Name another file.`)
    if (!NO_LINKS.has(code)) throw error
    await rename(draft, path)
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
