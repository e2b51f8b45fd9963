import { z } from 'zod'

/** A JSON Schema as it is checked here, or why it cannot be. */
export type ClosedSchema = { ok: true; schema: Readonly<Record<string, unknown>> } | { ok: false; words: string }

const MOST_DEPTH = 6
const MOST_PARTS = 200
const MOST_CHOICES = 100
const LONGEST_PATTERN = 600

const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']
/** They say nothing of what may be passed. */
const ANNOTATIONS = ['$schema', '$comment', 'title', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly']
const DEFINITIONS = ['$defs', 'definitions']
const BOUNDS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]
const CHOICES = ['anyOf', 'oneOf']
const CHECKED_FORMATS = ['date-time', 'date', 'time', 'uuid', 'email', 'ipv4', 'ipv6']
/** What providers of models take as the name of a field. */
const FIELD = /^[a-zA-Z0-9_.-]{1,64}$/
const NO_FIELDS = ['__proto__', 'constructor', 'prototype']
/** What a reader of the schema does not see, or sees otherwise than it is. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

type Fields = Readonly<Record<string, unknown>>

/**
 * The schema of a tool's input, made of nothing but keywords that are checked before an argument leaves: what it does not name may not be passed, and
 * references are put in place. One that says more than that is refused whole, because arguments would be checked by half of it. Pure.
 */
export function closedSchema(given: unknown): ClosedSchema {
  try {
    const root = fieldsOf(given, 'the input')
    const schema = close(root, { root, path: 'the input', depth: 0, references: [], counter: { parts: 0 } })
    if (schema['type'] !== 'object' || CHOICES.some((keyword) => keyword in schema))
      throw new Unusable('its input is no object of named fields')
    z.fromJSONSchema(schema)
    return { ok: true, schema }
  } catch (error) {
    return { ok: false, words: error instanceof Unusable ? error.message : 'its input schema cannot be checked here' }
  }
}

class Unusable extends Error {}

interface Place {
  root: Fields
  path: string
  depth: number
  /** Those that led here: one that comes again would never end. */
  references: readonly string[]
  counter: { parts: number }
}

function close(given: Fields, place: Place): Fields {
  place.counter.parts += 1
  if (place.depth > MOST_DEPTH || place.counter.parts > MOST_PARTS) throw new Unusable('its input schema is too large or too deep')
  const reference = given['$ref']
  if (reference !== undefined) return close(...referred(reference, place))
  const entries = Object.keys(given).flatMap((keyword) => closedKeyword(keyword, given, place))
  const schema = Object.fromEntries(entries)
  const { type } = schema
  if (type === undefined && !['enum', 'const', ...CHOICES].some((keyword) => keyword in schema))
    throw new Unusable(`its input schema does not say what ${place.path} may be`)
  if (isOf(type, 'array') && !('items' in schema)) throw new Unusable(`its input schema does not say what ${place.path} may hold`)
  // Whatever is not named may not be passed, also where the server would take it.
  return isOf(type, 'object') && !('additionalProperties' in schema) ? { ...schema, additionalProperties: false } : schema
}

function closedKeyword(keyword: string, beside: Fields, place: Place): (readonly [string, unknown])[] {
  const value = beside[keyword]
  if (ANNOTATIONS.includes(keyword) || keyword.startsWith('x-')) return []
  if (DEFINITIONS.includes(keyword) && place.depth === 0) return []
  const inside = (part: unknown, name: string): Fields => close(fieldsOf(part, name), { ...place, path: name, depth: place.depth + 1 })
  const wrong = (): never => {
    throw new Unusable(`its input schema has a ${keyword} at ${place.path} that cannot be read`)
  }
  if (keyword === 'type') return isType(value) ? [[keyword, value]] : wrong()
  if (keyword === 'description' || keyword === 'format') return typeof value === 'string' ? [[keyword, value]] : wrong()
  if (BOUNDS.includes(keyword)) return Number.isFinite(value) ? [[keyword, value]] : wrong()
  if (keyword === 'enum') return Array.isArray(value) && value.length <= MOST_CHOICES && value.every(isPlain) ? [[keyword, value]] : wrong()
  if (keyword === 'const') return isPlain(value) ? [[keyword, value]] : wrong()
  // Where there is a format it is checked, and the pattern says the same in more letters.
  if (keyword === 'pattern' && CHECKED_FORMATS.includes(String(beside['format']))) return []
  if (keyword === 'pattern') return isQuick(value) ? [[keyword, value]] : wrong()
  if (keyword === 'required')
    return Array.isArray(value) && value.every((name) => typeof name === 'string' && isField(name)) ? [[keyword, value]] : wrong()
  if (keyword === 'properties')
    return [
      [keyword, Object.fromEntries(Object.entries(fieldsOf(value, place.path)).map(([name, part]) => [field(name), inside(part, name)]))],
    ]
  if (keyword === 'items') return [[keyword, inside(value, `each of ${place.path}`)]]
  if (keyword === 'additionalProperties') return typeof value === 'boolean' ? [] : [[keyword, inside(value, `each field of ${place.path}`)]]
  if (CHOICES.includes(keyword))
    return Array.isArray(value) && value.length > 0 ? [[keyword, value.map((part) => inside(part, place.path))]] : wrong()
  throw new Unusable(`its input schema has the keyword ${nameable(keyword)} at ${place.path}, which is not checked here`)
}

function referred(reference: unknown, place: Place): [Fields, Place] {
  const [, holder = '', name = ''] = /^#\/(\$defs|definitions)\/([\w.-]{1,100})$/.exec(String(reference)) ?? []
  const held = place.root[holder]
  const part = typeof held === 'object' && held !== null && Object.hasOwn(held, name) ? (held as Fields)[name] : undefined
  if (part === undefined) throw new Unusable(`its input schema refers to something else at ${place.path}`)
  if (place.references.includes(name)) throw new Unusable(`its input schema holds itself at ${place.path}`)
  return [fieldsOf(part, place.path), { ...place, depth: place.depth + 1, references: [...place.references, name] }]
}

/**
 * Whether a pattern is told in little time, whatever it is tried on: without look-around, references to itself and groups that repeat, with two
 * repetitions at most, and the fewer choices the more of them there are.
 */
function isQuick(pattern: unknown): boolean {
  if (typeof pattern !== 'string' || pattern.length > LONGEST_PATTERN || UNSEEN.test(pattern)) return false
  const plain = pattern
    .replace(/\\\\/g, '')
    .replace(/\\[^\dk]/g, 'a')
    .replace(/\[[^\]]*\]/g, 'a')
    .replace(/(?<!\))\{\d+\}/g, '')
  if (/\\|\(\?[=!<]|\)[*+{]/.test(plain)) return false
  const repetitions = (plain.match(/[*+{]/g) ?? []).length
  const choices = (plain.replace(/\(\?:/g, '(').match(/[?|]/g) ?? []).length
  return repetitions <= 2 && choices <= (repetitions === 2 ? 6 : 14)
}

function isType(value: unknown): boolean {
  const types = Array.isArray(value) ? value : [value]
  return types.length > 0 && types.length <= TYPES.length && types.every((type) => TYPES.includes(type))
}

function isOf(type: unknown, wanted: string): boolean {
  return Array.isArray(type) ? type.includes(wanted) : type === wanted
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= 200 && !UNSEEN.test(value)
  return value === null || typeof value === 'boolean' || Number.isFinite(value)
}

function isField(name: string): boolean {
  return FIELD.test(name) && !NO_FIELDS.includes(name)
}

function field(name: string): string {
  if (!isField(name)) throw new Unusable(`its input has a field with the name ${nameable(name)}, which is not passed on`)
  return name
}

function nameable(text: string): string {
  return JSON.stringify(text.slice(0, 60)).replace(/[^\x20-\x7e]/g, '?')
}

function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Unusable(`its input schema is none at ${path}`)
}
