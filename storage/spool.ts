import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'

/** A file that is written first and read afterwards, so that whoever reads it slowly keeps nobody from the database. Nothing of it stays behind. */
export async function spool(folder: string, write: (path: string) => Promise<unknown>): Promise<ReadableStream<Uint8Array>> {
  const path = join(folder, `spool-${randomUUID()}.draft`)
  try {
    await write(path)
    const file = await open(path, 'r')
    return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>
  } finally {
    await rm(path, { force: true })
  }
}
