import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { OpenDatabase } from '../database.ts'
import { type BackupOrigin, writeBackup } from './write.ts'

/** A backup made first and read afterwards, so that whoever reads it slowly keeps nobody from the database. Nothing of it is left in the folder. */
export async function spoolBackup(
  database: Pick<OpenDatabase, 'db' | 'kind'>,
  folder: string,
  origin: BackupOrigin,
): Promise<ReadableStream<Uint8Array>> {
  const draft = join(folder, `backup-${randomUUID()}.draft`)
  try {
    await writeBackup(database, draft, origin)
    const file = await open(draft, 'r')
    return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>
  } finally {
    await rm(draft, { force: true })
  }
}
