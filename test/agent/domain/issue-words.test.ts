import { expect, test } from 'vitest'
import { z } from 'zod'
import { issueWords } from '../../../agent/domain/issue-words.ts'

const schema = z.strictObject({
  port: z.int().min(0).max(65_535),
  on: z.boolean(),
  name: z.string().min(1).max(5),
  roles: z.array(z.enum(['viewer', 'approver'])).min(1),
  url: z.url(),
  token: z.string().min(8, 'must be long'),
})
const WELL = { port: 1, on: true, name: 'x', roles: ['viewer'], url: 'https://a.example', token: 'x'.repeat(8) }

test('what is well is well', () => expect(schema.safeParse(WELL, { error: issueWords }).success).toBe(true))

test.each([
  [{ port: 'abc' }, 'must be a whole number, and is "abc"'],
  [{ port: 1.5 }, 'must be a whole number, and is 1.5'],
  [{ port: 70_000 }, 'must be at most 65535'],
  [{ port: -1 }, 'must be at least 0'],
  [{ port: null }, 'must be a whole number, and is empty'],
  [{ port: undefined }, 'is missing'],
  [{ on: 'yes' }, 'must be true or false, and is "yes"'],
  [{ name: 7 }, 'must be text, and is a number: put it in quotes'],
  [{ name: '' }, 'must not be empty'],
  [{ name: 'abcdef' }, 'must be at most 5 characters long'],
  [{ name: { a: 1 } }, 'must be text, and is a block of NAME: VALUE'],
  [{ roles: 'viewer' }, 'must be a list, and is text'],
  [{ roles: [] }, 'must have at least 1 entry'],
  [{ roles: ['aprover'] }, 'must be one of viewer, approver; did you mean "approver"?'],
  [{ url: 'x' }, 'must be an address such as https://example.com'],
  [{ token: 'hunter2' }, 'must be long'],
  [{ extra: 1 }, 'has no "extra"'],
])('%j: %s', (change, words) => {
  const { error } = schema.safeParse({ ...WELL, ...change }, { error: issueWords })
  expect(error?.issues.map(({ message }) => message)).toEqual([words])
})

test.each(['name', 'url', 'roles', 'block'])('a text in the place of %s is not repeated: it may be a secret', (field) => {
  const { error } = schema
    .extend({ block: z.object({}).optional() })
    .safeParse({ ...WELL, [field]: 'a-secret-of-mine' }, { error: issueWords })
  expect(error?.issues).toHaveLength(1)
  expect(JSON.stringify(error?.issues.map(({ message }) => message))).not.toContain('secret')
})
