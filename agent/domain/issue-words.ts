import type { z } from 'zod'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodRawIssue

const LONGEST_VALUE = 40
/** Of these kinds what was written is repeated: nobody keeps a secret where a number stands. */
const REPEATED: ReadonlySet<string> = new Set(['number', 'int', 'boolean'])
const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of NAME: VALUE',
  record: 'a block of NAME: VALUE',
}

/**
 * What is wrong with a value that somebody wrote, in words that follow its name: 'must be a whole number, and is "abc"'. For `safeParse(value,
 * { error: issueWords })`; a schema that brings words of its own keeps them. A text is repeated only where a number, or true or false, was wanted: any other may be a secret that stands in
 * the wrong place.
 */
export function issueWords(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kindOf(issue)}${whatItIs(issue)}`
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : oneOf(issue.values.map(String), issue.input)
    case 'too_small':
      return bound(issue.origin, 'least', Number(issue.minimum), issue.inclusive !== false)
    case 'too_big':
      return bound(issue.origin, 'most', Number(issue.maximum), issue.inclusive !== false)
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an address such as https://example.com' : 'is not of the form that it must have'
    case 'unrecognized_keys':
      return `has no ${issue.keys.map((key) => `"${cut(key)}"`).join(', ')}`
    case 'invalid_union':
      return 'is of no form that is allowed here'
    case 'invalid_key':
      return 'has a name that is not allowed here'
    default:
      return 'is not valid'
  }
}

/** A schema for whole numbers says of a text only that a number was wanted. */
function kindOf({ expected, inst }: Issue & { code: 'invalid_type' }): string {
  const isWhole = expected === 'number' && inst !== undefined && 'format' in inst._zod.def
  return isWhole ? 'a whole number' : (KINDS[expected] ?? expected)
}

function whatItIs({ expected, input }: Issue & { code: 'invalid_type' }): string {
  if (input === null) return ', and is empty'
  if (Array.isArray(input)) return ', and is a list'
  if (typeof input === 'object') return ', and is a block of NAME: VALUE'
  if (expected === 'string') return `, and is ${typeof input === 'number' ? 'a number' : 'true or false'}: put it in quotes`
  if (typeof input !== 'string') return `, and is ${String(input)}`
  return REPEATED.has(expected) ? `, and is "${cut(input)}"` : ', and is text'
}

function oneOf(values: readonly string[], input: unknown): string {
  const meant = typeof input === 'string' ? nearest(input, values) : null
  const known = values.length === 1 ? values[0] : `one of ${values.join(', ')}`
  return `must be ${known}${meant === null ? '' : `; did you mean "${meant}"?`}`
}

function bound(origin: string, side: 'least' | 'most', limit: number, isInclusive: boolean): string {
  if (origin === 'string') return side === 'least' && limit <= 1 ? 'must not be empty' : `must be at ${side} ${limit} characters long`
  if (origin === 'array' || origin === 'set') return `must have at ${side} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  if (isInclusive) return `must be at ${side} ${limit}`
  return `must be ${side === 'least' ? 'more' : 'less'} than ${limit}`
}

function cut(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text
}
