import { createHash } from 'node:crypto'
import { closedSchema } from './input-schema.ts'

/** Everything a server says of one tool that a model or a client could act on. Texts of others. */
export interface Descriptor {
  name: string
  title: string | null
  description: string
  inputSchema: unknown
  outputSchema: unknown
  annotations: Readonly<Record<string, unknown>>
}

/** A tool as its server describes it now. */
export interface Described {
  descriptor: Descriptor
  /** Of the whole descriptor, hexadecimal: another letter anywhere is another digest. Null for one too large or too deep to be looked at. */
  sha256: string | null
  /** Why nobody can have it used, whatever they write into the settings; null when it may be. */
  objection: string | null
  /** The input as it is checked; null where that is the objection. */
  input: Readonly<Record<string, unknown>> | null
}

const MOST_CHARACTERS = 16_384
const MOST_DEPTH = 24
const PLAIN_NAME = /^[\x21-\x7e]{1,128}$/

/** Pure. */
export function describe(descriptor: Descriptor): Described {
  if (depthOf(descriptor) > MOST_DEPTH || JSON.stringify(descriptor).length > MOST_CHARACTERS)
    return { descriptor, sha256: null, objection: 'what it says of itself is too large or too deep to be reviewed', input: null }
  const sha256 = createHash('sha256')
    .update(JSON.stringify(sorted(descriptor)))
    .digest('hex')
  const unnamed = PLAIN_NAME.test(descriptor.name) ? null : 'its name is not of plain letters and signs'
  const closed = closedSchema(descriptor.inputSchema)
  const objection = unnamed ?? changes(descriptor) ?? (closed.ok ? null : closed.words)
  return { descriptor, sha256, objection, input: closed.ok ? closed.schema : null }
}

/** Why it could change something, by its own word; null when it says that it only reads. */
function changes({ annotations }: Descriptor): string | null {
  if (annotations['readOnlyHint'] !== true) return 'it does not say of itself that it only reads (readOnlyHint)'
  return annotations['destructiveHint'] === true ? 'it says of itself that it destroys (destructiveHint)' : null
}

/** The same value in the same letters, whatever the order of its fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([key, field]) => [key, sorted(field)]))
}

/** Level by level, because what nests deep enough would be the end of whatever calls itself for each level. */
function depthOf(value: unknown): number {
  let level: unknown[] = [value]
  let depth = 0
  while (level.length > 0 && depth <= MOST_DEPTH) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
    depth += 1
  }
  return depth
}
