import { createHash } from 'node:crypto'
import { z } from 'zod'

/*
 * An export of the audit log: lines of JSON. The first says what it is and with which entry it begins to follow, then an entry a line as the
 * database hashes it, and a last line with counts, head and an Ed25519 signature of all of it.
 */

export const EXPORT_FORMAT = 'steadyhand-audit'
export const EXPORT_VERSION = 1
/** An entry holds keys and digests, never content. */
export const EXPORT_LINE_BYTES = 256 * 1024

const hash = z.string().regex(/^[0-9a-f]{64}$/)

export const exportHeaderSchema = z.strictObject({
  format: z.literal(EXPORT_FORMAT),
  version: z.literal(EXPORT_VERSION),
  exportedAt: z.iso.datetime(),
  product: z.string().max(50),
  /** The place in the log after which it begins, and the hash of the entry there. */
  since: z.int().min(0),
  prev: hash,
  /** Whose signature the last line has: Ed25519, SubjectPublicKeyInfo in base64. */
  publicKey: z.string().max(200),
})
export type ExportHeader = z.infer<typeof exportHeaderSchema>

export const exportEntrySchema = z.strictObject({
  seq: z.int().min(1),
  prev: hash,
  hash,
  /** UTC with microseconds, as it is hashed: 2026-03-01T12:00:00.000000 */
  at: z.string().regex(/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
  actor: z.string(),
  what: z.string(),
  /** The database's own text of it, of which the hash is. */
  body: z.string(),
})
export type ExportEntry = z.infer<typeof exportEntrySchema>

export const exportEndSchema = z.strictObject({
  end: z.strictObject({
    entries: z.int().min(0),
    head: hash,
    /** SHA-256 of every byte before this line. */
    sha256: hash,
    signature: z.string().max(200),
  }),
})
export type ExportEnd = z.infer<typeof exportEndSchema>['end']

/** What is signed. */
export function signedText({ entries, head, sha256 }: Omit<ExportEnd, 'signature'>): Buffer {
  return Buffer.from(`${EXPORT_FORMAT}/${EXPORT_VERSION}\n${entries}\n${head}\n${sha256}\n`)
}

/** The hash of an entry, as `audit_hash` in the database makes it: lengths in characters stand before free text. */
export function entryHash({ prev, seq, at, actor, what, body }: Omit<ExportEntry, 'hash'>): string {
  const length = (text: string): number => [...text].length
  const text = `${prev}|${seq}|${at}|${length(actor)}|${actor}|${length(what)}|${what}|${body}`
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
