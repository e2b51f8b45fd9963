import { type Document, isScalar, parseAllDocuments, Scalar } from 'yaml'

export type Value = string | number | boolean

/** A text with one value replaced, and how that value was written before and is now. */
export type Replaced = { ok: true; text: string; line: number; from: string; to: string } | { ok: false; words: string }

/** More is not read on a card. */
const LONGEST_VALUE = 190

/**
 * Replaces the one value at a path of a YAML or JSON document, 'resources.limits.memory' or 'env.0.value', and nothing else: comments, order and
 * spaces stay as they are. What comes out is read again, and has to be the same document but for that value. Pure.
 */
export function withValue(text: string, path: string, to: Value): Replaced {
  const [document, ...others] = parseAllDocuments(text)
  if (!document || 'empty' in document || document.errors.length > 0) return no('it is no YAML and no JSON that can be read')
  if (others.length > 0) return no('it holds several documents')
  const keys = path.split('.')
  const node = document.getIn(keys, true)
  if (!isScalar(node) || !node.range || node.value === null) return no(`it has no single value at ${path}`)
  if (node.anchor !== undefined || node.tag !== undefined || !WRITINGS.has(node.type ?? ''))
    return no(`the value at ${path} is written in a way that is left to people`)
  const wanted = likeBefore(node.value, to)
  if (wanted === null) return no(`the value at ${path} is a ${typeof node.value}, and ${String(to).slice(0, 60)} is none`)
  if (wanted === node.value) return no(`the value at ${path} is ${String(to).slice(0, 60)} already`)
  const [start, end] = node.range
  const from = text.slice(start, end)
  document.setIn(keys, wanted)
  const expected = jsonOf(document)
  if (expected === null) return no('it is no YAML and no JSON that can be read')
  for (const written of writings(wanted, node.type)) {
    const replaced = `${text.slice(0, start)}${written}${text.slice(end)}`
    if (!reads(replaced, expected)) continue
    if (from.length > LONGEST_VALUE || written.length > LONGEST_VALUE) return no(`the value at ${path} is too long to be shown`)
    return { ok: true, text: replaced, line: text.slice(0, start).split('\n').length, from, to: written }
  }
  return no(`${String(to).slice(0, 60)} cannot be written at ${path}`)
}

/** What a value is called by its neighbour, as variables of containers are: `{ name: LOG_LEVEL, value: debug }`. Null for any other. Pure. */
export function nameBeside(text: string, path: string): string | null {
  const holder = path.split('.').slice(0, -1)
  const [document] = parseAllDocuments(text)
  if (!document || 'empty' in document || holder.length === 0) return null
  const name = ['name', 'key'].map((each) => document.getIn([...holder, each])).find((each) => typeof each === 'string')
  return typeof name === 'string' ? name : null
}

function no(words: string): Replaced {
  return { ok: false, words }
}

const WRITINGS: ReadonlySet<string> = new Set([Scalar.PLAIN, Scalar.QUOTE_DOUBLE, Scalar.QUOTE_SINGLE])

/** A value stays of its kind; null where the new one cannot be of it. What is typed as a number may be meant as a text. */
function likeBefore(before: unknown, to: Value): Value | null {
  if (typeof before === 'string') return String(to)
  if (typeof before === 'number')
    return typeof to === 'string' && /^-?\d+(\.\d+)?$/.test(to) ? Number(to) : typeof to === 'number' ? to : null
  return typeof before === 'boolean' && typeof to === 'boolean' ? to : null
}

/** How it may be written, the way it was written before first. */
function writings(value: Value, before: string | null | undefined): string[] {
  const double = JSON.stringify(value)
  if (typeof value !== 'string') return [double]
  const single = `'${value.replaceAll("'", "''")}'`
  if (before === Scalar.QUOTE_DOUBLE) return [double]
  return before === Scalar.QUOTE_SINGLE ? [single] : [value, single, double]
}

function reads(text: string, expected: string): boolean {
  const [document, ...others] = parseAllDocuments(text)
  return !!document && !('empty' in document) && others.length === 0 && document.errors.length === 0 && jsonOf(document) === expected
}

/** Null for one that names what is not there, or too much of it again and again. */
function jsonOf(document: Document.Parsed): string | null {
  try {
    return JSON.stringify(document.toJS())
  } catch (error) {
    if (error instanceof ReferenceError) return null
    throw error
  }
}
