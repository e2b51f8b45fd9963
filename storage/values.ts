/** A statement's parameter as both drivers send it: text, or nothing. */
export type Parameter = string | null

/**
 * A JavaScript value in PostgreSQL's text form, the same for both stores: dates as ISO 8601 in UTC, bytes as hex, arrays as array literals,
 * objects as JSON. An array meant for a jsonb column has to be passed as `JSON.stringify(array)`.
 */
export function toParameter(value: unknown): Parameter {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (Array.isArray(value)) return `{${value.map(arrayElement).join(',')}}`
  return JSON.stringify(value)
}

function arrayElement(value: unknown): string {
  if (Array.isArray(value)) return toParameter(value) ?? ''
  const text = toParameter(value)
  return text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Reads one value of a result from its text form. */
export type ValueParser = (text: string) => unknown

const OID = { bytea: 17, int8: 20, json: 114, date: 1082, time: 1083, timestamp: 1114, timestamptz: 1184, interval: 1186, jsonb: 3802 }

const asText: ValueParser = (text) => text

/**
 * How results are read where the two drivers differ by default: int8 is a number (a bigint beyond 2^53), timestamps are Dates read as UTC,
 * bytea is a Uint8Array, numeric, date, time and interval stay text.
 */
export const VALUE_PARSERS: Readonly<Record<number, ValueParser>> = {
  [OID.bytea]: readBytes,
  [OID.int8]: readInteger,
  [OID.json]: (text) => JSON.parse(text),
  [OID.jsonb]: (text) => JSON.parse(text),
  [OID.date]: asText,
  [OID.time]: asText,
  [OID.interval]: asText,
  [OID.timestamp]: (text) => new Date(`${text}Z`),
  [OID.timestamptz]: (text) => new Date(text),
}

function readInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

function readBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}
