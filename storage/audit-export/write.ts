import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { sql } from 'kysely'
import type { OpenDatabase } from '../database.ts'
import { GENESIS } from '../invariants.ts'
import type { Executor } from '../schema.ts'
import { EXPORT_FORMAT, EXPORT_VERSION, type ExportEntry, type ExportHeader, signedText } from './format.ts'

export interface ExportOptions {
  /** The place in the log after which it begins; 0 for all of it. */
  since: number
  /** An Ed25519 private key. */
  key: KeyObject
  product: string
  exportedAt: Date
}

const ROWS_AT_ONCE = 1_000

/**
 * Writes the log, as of one moment, to a new file that only its owner can read.
 *
 * @throws RangeError when the log has no such place; Error when the file exists or cannot be written. Then no file is left behind.
 */
export async function writeAuditExport({ db }: Pick<OpenDatabase, 'db'>, path: string, options: ExportOptions): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (tx) => await write(tx, file, options))
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

async function write(tx: Executor, file: FileHandle, { since, key, product, exportedAt }: ExportOptions): Promise<void> {
  const header: ExportHeader = {
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: exportedAt.toISOString(),
    product,
    since,
    prev: await hashAt(tx, since),
    publicKey: publicKeyText(key),
  }
  const digest = createHash('sha256')
  const say = async (text: string): Promise<void> => {
    digest.update(text)
    await file.writeFile(text)
  }
  await say(`${JSON.stringify(header)}\n`)
  let entries = 0
  let last = { seq: since, hash: header.prev }
  for (;;) {
    const page = await pageAfter(tx, last.seq)
    entries += page.length
    last = page.at(-1) ?? last
    if (page.length > 0) await say(page.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
    if (page.length < ROWS_AT_ONCE) break
  }
  const end = { entries, head: last.hash, sha256: digest.digest('hex') }
  await file.writeFile(`${JSON.stringify({ end: { ...end, signature: sign(null, signedText(end), key).toString('base64') } })}\n`)
}

async function hashAt(tx: Executor, seq: number): Promise<string> {
  if (seq === 0) return GENESIS
  const entry = await tx.selectFrom('audit_entry').select('hash').where('seq', '=', seq).executeTakeFirst()
  if (!entry) throw new RangeError(`The audit log has no entry ${seq}: name one that it has, or 0 for all of it.`)
  return entry.hash
}

/** A log with a gap is exported as it is: whoever verifies it finds the gap. */
async function pageAfter(tx: Executor, seq: number): Promise<ExportEntry[]> {
  const { rows } = await sql<ExportEntry>`
    select seq, prev, hash, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as at, actor, what, body::text as body
    from audit_entry where seq > ${seq} order by seq limit ${ROWS_AT_ONCE}`.execute(tx)
  return rows
}

/** The public half as it stands in an export: SubjectPublicKeyInfo in base64. */
export function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
}
