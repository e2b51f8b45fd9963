import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { z } from 'zod'
import { jsonOrNull, LinesBroken, readLines } from '../text-lines.ts'
import {
  EXPORT_FORMAT,
  EXPORT_LINE_BYTES,
  EXPORT_VERSION,
  type ExportEnd,
  type ExportHeader,
  entryHash,
  exportEndSchema,
  exportEntrySchema,
  exportHeaderSchema,
  signedText,
} from './format.ts'

/** What an export says, and what is wrong with it. */
export interface ExportReport {
  ok: boolean
  /** One sentence each, at most 20. */
  problems: string[]
  entries: number
  /** Places in the log, both included; null when there is no entry. */
  from: number | null
  to: number | null
  head: string
  publicKey: string | null
  exportedAt: string | null
}

const SHOWN = 20

/**
 * Verifies an export with nothing but the file: every hash, that none is missing, changed or out of order, that it is there to its end, and the
 * signature of all of it: by the given key, or by the one that the file names itself.
 *
 * @throws Error when the file cannot be read
 */
export async function verifyAuditExport(path: string, key: KeyObject | null): Promise<ExportReport> {
  const problems: string[] = []
  const find = (words: string): void => {
    if (problems.length < SHOWN) problems.push(words)
  }
  const walk = createWalk(find)
  try {
    for await (const line of readLines(createReadStream(path), EXPORT_LINE_BYTES)) walk.line(line)
  } catch (error) {
    if (!(error instanceof LinesBroken)) throw error
    find(`it is damaged: ${error.message}`)
  }
  const { header, end, digest, entries, from, to, head } = walk.finish()
  if (header === null) return { ok: false, problems, entries, from, to, head, publicKey: null, exportedAt: null }
  if (end === null) find('its end is missing: it was cut off')
  else {
    if (end.entries !== entries) find(`its end says that it has ${end.entries} entries, and it has ${entries}`)
    if (end.head !== head) find('its end names another head than its last entry')
    if (end.sha256 !== digest) find('something in it was changed: its SHA-256 is another one than its end says')
    const signed = signatureProblem(end, key, header.publicKey)
    if (signed !== null) find(signed)
  }
  const { publicKey, exportedAt } = header
  return { ok: problems.length === 0, problems, entries, from, to, head, publicKey, exportedAt }
}

function createWalk(find: (words: string) => void) {
  const digest = createHash('sha256')
  let number = 0
  let header: ExportHeader | null = null
  let end: ExportEnd | null = null
  let entries = 0
  let from: number | null = null
  let to: number | null = null
  let head = ''
  let next = 1

  const beginning = (value: unknown): void => {
    header = readHeader(value, find)
    head = header?.prev ?? ''
    next = (header?.since ?? 0) + 1
  }
  const entryLine = (value: unknown): void => {
    const parsed = exportEntrySchema.safeParse(value)
    if (!parsed.success) {
      find(`line ${number} is not an entry`)
      return
    }
    const entry = parsed.data
    if (entry.seq !== next) find(`line ${number}: entry ${entry.seq} stands where ${next} belongs`)
    if (entry.prev !== head) find(`line ${number}: entry ${entry.seq} does not follow from the one before it`)
    if (entry.hash !== entryHash(entry)) find(`line ${number}: entry ${entry.seq} was changed: its hash is not that of what it says`)
    entries += 1
    from ??= entry.seq
    to = entry.seq
    next = entry.seq + 1
    head = entry.hash
  }
  return {
    line(text: string): void {
      number += 1
      const value = jsonOrNull(text)
      const last = exportEndSchema.safeParse(value)
      if (end !== null) find(`line ${number} follows the end`)
      else if (last.success && header !== null) end = last.data.end
      else {
        digest.update(`${text}\n`)
        if (number === 1) beginning(value)
        else if (header !== null) entryLine(value)
      }
    },
    finish() {
      if (number === 0) find('it is empty')
      return { header, end, digest: digest.digest('hex'), entries, from, to, head }
    },
  }
}

function readHeader(value: unknown, find: (words: string) => void): z.infer<typeof exportHeaderSchema> | null {
  const parsed = exportHeaderSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [format, version] = typeof value === 'object' && value !== null ? [Reflect.get(value, 'format'), Reflect.get(value, 'version')] : []
  if (format !== EXPORT_FORMAT) find('it is no export of an audit log: name a file that "steadyhand audit export" has written')
  else if (typeof version === 'number' && version > EXPORT_VERSION)
    find(`it was written by a newer Steadyhand (format ${version}; this one reads ${EXPORT_VERSION})`)
  else find('line 1, what it says of itself, is not well-formed')
  return null
}

function signatureProblem(end: ExportEnd, key: KeyObject | null, named: string): string | null {
  const used = key ?? keyOf(named)
  if (used === null) return 'the key that it names is no Ed25519 key'
  if (verify(null, signedText(end), used, Buffer.from(end.signature, 'base64'))) return null
  return key === null ? 'its signature is not by the key that it names' : 'its signature is not by the key that was given'
}

/** A public key as an export names it, or as PEM; null when it is none. */
export function keyOf(text: string): KeyObject | null {
  try {
    const key = text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text.trim(), 'base64'), type: 'spki', format: 'der' })
    return key.asymmetricKeyType === 'ed25519' ? key : null
  } catch {
    return null
  }
}
