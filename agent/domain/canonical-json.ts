import { createHash } from 'node:crypto'

/** What a canonical document may hold: integers only, because floats print differently across languages. */
export type CanonicalValue = null | boolean | number | string | readonly CanonicalValue[] | { readonly [key: string]: CanonicalValue }

/**
 * The one byte sequence that stands for a value: keys sorted by UTF-16 code unit, no white space, strings in NFC (RFC 8785 with two
 * restrictions: no floats, no lone surrogates). What people approve is the SHA-256 of these bytes, so two writers must never differ.
 *
 * @throws RangeError for a number that is not a safe integer, or for text that is not well-formed Unicode.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`a canonical document holds safe integers only, not ${value}`)
    return String(value)
  }
  if (typeof value === 'string') return canonicalString(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields = value as { readonly [key: string]: CanonicalValue }
  const keys = Object.keys(fields).sort()
  return `{${keys.map((key) => `${canonicalString(key)}:${canonicalJson(fields[key] ?? null)}`).join(',')}}`
}

/** SHA-256 of the canonical text, as 64 lower-case hex digits. */
export function digestOf(canonicalText: string): string {
  return createHash('sha256').update(canonicalText, 'utf8').digest('hex')
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('a canonical document holds well-formed Unicode only')
  return JSON.stringify(text.normalize('NFC'))
}
