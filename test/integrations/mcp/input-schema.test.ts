import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { closedSchema } from '../../../integrations/mcp/input-schema.ts'

const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })
const wordsOf = (schema: unknown): string => {
  const closed = closedSchema(schema)
  return closed.ok ? 'taken' : closed.words
}
const takes = (schema: unknown, input: unknown): boolean => {
  const closed = closedSchema(schema)
  if (!closed.ok) throw new Error(closed.words)
  return z.fromJSONSchema(closed.schema).safeParse(input).success
}

describe('the input of a tool of somebody else', () => {
  it('may hold what its schema names, and nothing else', () => {
    const schema = object(
      { service: { type: 'string', maxLength: 5 }, limit: { type: 'integer', minimum: 1, maximum: 9, default: 3 } },
      { required: ['service'], additionalProperties: true, title: 'Search' },
    )
    expect(takes(schema, { service: 'shop' })).toBe(true)
    expect(takes(schema, { service: 'shop', limit: 9 })).toBe(true)
    for (const input of [{}, { service: 'longer' }, { service: 'shop', limit: 10 }, { service: 'shop', shell: 'x' }, [], 'shop', null])
      expect(takes(schema, input)).toBe(false)
    expect(takes(schema, JSON.parse('{"service":"shop","__proto__":{"limit":4}}'))).toBe(false)
  })

  it('may hold what its definitions say, in place', () => {
    const schema = object(
      {
        where: { $ref: '#/$defs/Where' },
        kind: { enum: ['a', 'b'] },
        since: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      },
      { $defs: { Where: object({ names: { type: 'array', items: { type: 'string' }, maxItems: 2 } }) } },
    )
    expect(takes(schema, { where: { names: ['x'] }, kind: 'a', since: null })).toBe(true)
    expect(takes(schema, { where: { names: ['x'], more: 1 } })).toBe(false)
    expect(takes(schema, { where: { names: ['x', 'y', 'z'] } })).toBe(false)
    expect(takes(schema, { kind: 'c' })).toBe(false)
    expect(JSON.stringify(closedSchema(schema))).not.toContain('$')
  })

  const deep = (levels: number): object => (levels === 0 ? { type: 'string' } : object({ a: deep(levels - 1) }))
  it.each([
    ['no schema', 'text', 'is none'],
    ['no object', { type: 'string' }, 'no object'],
    ['a choice of objects', { ...object({}), anyOf: [object({})] }, 'no object'],
    ['a field of anything', object({ a: {} }), 'does not say what a may be'],
    ['a list of anything', object({ a: { type: 'array' } }), 'does not say what a may hold'],
    ['a keyword that is not checked', object({ a: { not: { type: 'string' } } }), 'keyword "not"'],
    ['conditions', object({}, { if: object({}) }), 'keyword "if"'],
    ['a reference to somewhere else', object({ a: { $ref: 'https://elsewhere.example/schema' } }), 'refers to something else'],
    ['a reference that is not there', object({ a: { $ref: '#/$defs/__proto__' } }, { $defs: {} }), 'refers to something else'],
    ['itself', object({ a: { $ref: '#/$defs/A' } }, { $defs: { A: object({ a: { $ref: '#/$defs/A' } }) } }), 'holds itself'],
    ['too deep', deep(9), 'too large or too deep'],
    [
      'too large',
      object(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, { type: 'string' }]))),
      'too large or too deep',
    ],
    ['a field that every object has', object(JSON.parse('{"__proto__":{"type":"string"}}')), 'is not passed on'],
    ['a field that no provider takes', object({ 'a b': { type: 'string' } }), 'is not passed on'],
    ['choices that nobody sees', object({ a: { enum: ['a\u200bb'] } }), 'enum'],
    ['a bound that is none', object({ a: { type: 'string', maxLength: 'x' } }), 'maxLength'],
  ])('is refused whole with %s', (_, schema, words) => expect(wordsOf(schema)).toContain(words))

  it.each(['^[a-z0-9-]+$', '^TCK-\\d+$', '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?Z$', '^(one|two)$'])(
    'may have the pattern %s',
    (pattern) => expect(wordsOf(object({ a: { type: 'string', pattern } }))).toBe('taken'),
  )

  it('has its formats checked, whatever patterns stand beside them', () => {
    const { $schema: _, ...schema } = z.toJSONSchema(z.object({ since: z.iso.datetime(), id: z.uuid(), day: z.iso.date() }).partial())
    expect(takes(schema, { since: '2026-03-01T10:42:00Z', day: '2026-03-01' })).toBe(true)
    for (const input of [{ since: 'yesterday' }, { id: '7' }, { day: '2026-13-01' }]) expect(takes(schema, input)).toBe(false)
  })

  it.each([
    '^(a+)+$',
    '(a|aa)*b',
    '^(?=.*x).*$',
    '(.*)\\1',
    'a*a*a*b',
    '(a{1,9}){9}',
    'a{0,9}a{0,9}a{0,9}b',
    'a?'.repeat(30),
    '(a|a)'.repeat(30),
    'a*a*(b|c|d|e|f|g|h|i)',
    '[',
  ])('may not have the pattern %s, which could be told forever', (pattern) =>
    expect(wordsOf(object({ a: { type: 'string', pattern } }))).not.toBe('taken'),
  )
})
