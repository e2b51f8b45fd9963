/**
 * The one JSON text of a value that came from outside: keys sorted, `undefined` left out, dates as RFC 3339, numbers that JSON cannot hold as
 * null, and characters that jsonb cannot hold (NUL, lone surrogates) replaced. The same value always gives the same text, also after it
 * was stored as jsonb and read back, so its hash can be checked later.
 */
export function contentJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(storableText(value))
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : 'null'
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Date) return JSON.stringify(value.toISOString())
  if (Array.isArray(value)) return `[${value.map(contentJson).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`content is JSON, not a ${typeof value}`)
  return objectJson(value)
}

function objectJson(value: object): string {
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]): [string, unknown] => [storableText(key), field])
  const sorted = [...new Map(fields)].sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, field]) => `${JSON.stringify(key)}:${contentJson(field)}`).join(',')}}`
}

/** The text with what no text column can hold replaced by U+FFFD; cut to `max` characters (with '…' as the last) when it is longer. */
export function storableText(text: string, max: number = Number.POSITIVE_INFINITY): string {
  const clean = text.toWellFormed().replaceAll('\u0000', '\uFFFD')
  return clean.length <= max ? clean : `${clean.slice(0, max - 1).toWellFormed()}…`
}
