import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { publishBackup } from '../../storage/backup/publish.ts'
import type { CheckedBackup } from '../../storage/backup/read.ts'
import { writeBackup } from '../../storage/backup/write.ts'
import type { OpenDatabase } from '../../storage/database.ts'

const now = (): Date => new Date()

/** A folder for the files of a suite; the result gives a new path in it. */
export function filesOfSuite(): (name: string) => string {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'steadyhand-backup-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let made = 0
  return (name) => {
    made += 1
    return join(folder, `${made}-${name}`)
  }
}

/** Backs a database up to a file, as the command does. */
export async function backUp(database: Pick<OpenDatabase, 'db' | 'kind'>, path: string): Promise<CheckedBackup> {
  await writeBackup(database, `${path}.draft`, { product: '0.0.0-test', takenAt: now() })
  return await publishBackup(`${path}.draft`, path)
}
