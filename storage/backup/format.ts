import { z } from 'zod'

/*
 * A backup is one file: a line of JSON, its header, then gzip. Inside are lines of JSON again: for each table its name and columns, then a line a
 * row with every value as the database writes it in text; where the sequences stand; and how many rows there were. The same file fits both stores.
 */

export const FORMAT = 'steadyhand-backup'
export const FORMAT_VERSION = 1
export const HEADER_BYTES = 64 * 1024
/** One row: a delivery of 16 MiB is twice that in hexadecimal. */
export const LINE_BYTES = 48 * 1024 * 1024
/** Stands in the header while the digest of everything is not known yet. */
export const NO_DIGEST = '0'.repeat(64)

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const name = z.string().min(1).max(200)

export const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  takenAt: z.iso.datetime(),
  /** The version of Steadyhand that made it. */
  product: z.string().max(50),
  store: z.enum(['pglite', 'postgres']),
  /** The migrations that had run, in order. */
  migrations: z.array(name).max(10_000),
  /** SHA-256 of the tables' names, columns and types. */
  schema: hash,
  /** The last entry of the audit log. */
  audit: z.strictObject({ entries: z.int().min(0), head: hash }),
  /** SHA-256 of the whole file with these 64 digits as zeros. */
  sha256: hash,
})
export type BackupHeader = z.infer<typeof headerSchema>

const value = z.string().nullable()
export const itemSchema = z.union([
  z.array(value),
  z.strictObject({ table: name, columns: z.array(name).max(1_600) }),
  z.strictObject({ sequences: z.record(name, z.string().regex(/^-?\d{1,19}$/)) }),
  z.strictObject({ end: z.strictObject({ rows: z.int().min(0) }) }),
])
export type BackupItem = z.infer<typeof itemSchema>

/** A backup that cannot be made, read or restored; the message says why and what to do. Nothing was changed. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
  readonly code: 'not-a-backup' | 'newer' | 'damaged' | 'foreign-schema' | 'not-empty' | 'in-use' | 'exists' | 'not-verified' | 'unreadable'
  constructor(code: BackupRefused['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
