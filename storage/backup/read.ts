import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { jsonOrNull, LinesBroken, readLines } from '../text-lines.ts'
import {
  type BackupHeader,
  type BackupItem,
  BackupRefused,
  FORMAT,
  FORMAT_VERSION,
  HEADER_BYTES,
  headerSchema,
  itemSchema,
  LINE_BYTES,
  NO_DIGEST,
} from './format.ts'

/** What a whole backup holds, once every byte of it was looked at. */
export interface CheckedBackup {
  path: string
  header: BackupHeader
  rows: number
  bytes: number
}

/**
 * Reads all of a backup: its digest, its form, and that it is there to its end.
 *
 * @throws BackupRefused in words
 */
export async function checkBackup(path: string): Promise<CheckedBackup> {
  const { header, line, length } = await readHeader(path)
  const { sha256, bytes } = await digestOf(path, line.replace(`"${header.sha256}"`, `"${NO_DIGEST}"`), length)
  if (sha256 !== header.sha256) throw damaged(path, 'its SHA-256 is another one than it says')
  let rows = 0
  let table: { columns: string[] } | null = null
  let said: number | null = null
  for await (const item of readItems(path)) {
    if (said !== null) throw damaged(path, 'something follows its end')
    if (Array.isArray(item)) {
      if (table === null || item.length !== table.columns.length) throw damaged(path, 'a row has not the columns of its table')
      rows += 1
    } else if ('table' in item) table = item
    else if ('end' in item) said = item.end.rows
  }
  if (said !== rows) throw damaged(path, said === null ? 'its end is missing' : `it says that it has ${said} rows and has ${rows}`)
  return { path, header, rows, bytes }
}

/** The lines after the header, parsed. @throws BackupRefused */
export async function* readItems(path: string): AsyncGenerator<BackupItem> {
  const { length } = await readHeader(path)
  try {
    // What breaks is thrown by whoever reads the last of them.
    const content = pipeline(createReadStream(path, { start: length }), createGunzip(), () => {})
    for await (const line of readLines(content, LINE_BYTES)) yield itemSchema.parse(JSON.parse(line))
  } catch (error) {
    if (error instanceof LinesBroken) throw damaged(path, error.message, error)
    throw damaged(path, `it cannot be read to its end (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`, error)
  }
}

async function readHeader(path: string): Promise<{ header: BackupHeader; line: string; length: number }> {
  const first = await firstLine(path)
  const known = first === null ? null : jsonOrNull(first)
  if (typeof known !== 'object' || known === null || Reflect.get(known, 'format') !== FORMAT)
    throw new BackupRefused('not-a-backup', `${path} is no backup of Steadyhand. Name a file that "steadyhand backup" has written.`)
  const version: unknown = Reflect.get(known, 'version')
  if (typeof version === 'number' && version > FORMAT_VERSION)
    throw new BackupRefused(
      'newer',
      `${path} was written by a newer Steadyhand (format ${version}; this one reads ${FORMAT_VERSION}). Install that version, or a newer one, and restore with it.`,
    )
  const parsed = headerSchema.safeParse(known)
  if (!parsed.success) throw damaged(path, `its header is not well-formed (${parsed.error.issues[0]?.path.join('.')})`)
  return { header: parsed.data, line: `${first}\n`, length: Buffer.byteLength(`${first}\n`) }
}

async function firstLine(path: string): Promise<string | null> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new BackupRefused('unreadable', `${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}).`, { cause })
  })
  try {
    if (!(await file.stat()).isFile()) throw new BackupRefused('not-a-backup', `${path} is no file.`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    const end = buffer.subarray(0, bytesRead).indexOf('\n')
    return end === -1 ? null : buffer.toString('utf8', 0, end)
  } finally {
    await file.close()
  }
}

async function digestOf(path: string, line: string, length: number): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash('sha256').update(line)
  let bytes = length
  for await (const chunk of createReadStream(path, { start: length })) {
    digest.update(chunk)
    bytes += chunk.length
  }
  return { sha256: digest.digest('hex'), bytes }
}

function damaged(path: string, how: string, cause?: unknown): BackupRefused {
  return new BackupRefused(
    'damaged',
    `${path} is damaged: ${how}. Nothing was changed; use another backup.`,
    cause === undefined ? {} : { cause },
  )
}
