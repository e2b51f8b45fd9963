import { expect, test } from 'vitest'
import { bearerToken, isOneOf } from '../../bot/bearer.ts'

test.each([
  ['Bearer abc', 'abc'],
  ['bearer abc', 'abc'],
  ['Bearer  abc', null],
  ['Bearer', null],
  ['Bearer a b', null],
  ['Bearer a, Bearer b', null],
  ['Basic abc', null],
  [`Bearer ${'a'.repeat(600)}`, null],
  ['', null],
  [undefined, null],
])('%s holds %s', (header, token) => expect(bearerToken(header)).toBe(token))

test('only an exact match of one of them counts', () => {
  const known = ['a'.repeat(32), 'b'.repeat(40)]
  expect(isOneOf('b'.repeat(40), known)).toBe(true)
  for (const wrong of ['', 'a', 'a'.repeat(31), 'a'.repeat(33), 'A'.repeat(32), known.join(',')]) expect(isOneOf(wrong, known)).toBe(false)
  expect(isOneOf('anything', [])).toBe(false)
})
