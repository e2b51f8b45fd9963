import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCommand, parseDuration } from '../../bot/command-parser.ts'
import { anyText } from '../support/any-text.ts'

describe('a command', () => {
  test.each([
    ['', { name: '', words: [], rest: '' }],
    ['   ', { name: '', words: [], rest: '' }],
    ['status', { name: 'status', words: [], rest: '' }],
    ['/sre Status', { name: 'status', words: [], rest: '' }],
    ['@Steadyhand: freeze 2h month end', { name: 'freeze', words: ['2h', 'month', 'end'], rest: '2h month end' }],
    ['<@U0BOT> approvals', { name: 'approvals', words: [], rest: '' }],
    ['freeze 2h “month end”', { name: 'freeze', words: ['2h', 'month end'], rest: '2h "month end"' }],
    ['freeze 2h "month end', { name: 'freeze', words: ['2h', 'month end'], rest: '2h "month end' }],
    ['/srestatus', { name: '/srestatus', words: [], rest: '' }],
    ['stop\u0000\u202e env:local', { name: 'stop', words: ['env:local'], rest: 'env:local' }],
    ['__proto__', { name: '__proto__', words: [], rest: '' }],
  ])('%j', (text, parsed) => expect(parseCommand(text)).toEqual(parsed))

  test('any text is taken apart, into clean and bounded words', () => {
    fc.assert(
      fc.property(anyText(3_000), (text) => {
        const { name, words, rest } = parseCommand(text)
        expect(name).toBe(name.toLowerCase())
        expect(words.length).toBeLessThanOrEqual(100)
        for (const word of [name, ...words]) expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u)
        expect(name.length + rest.length).toBeLessThanOrEqual(40_000)
      }),
      { numRuns: 2_000 },
    )
  })

  test('the words do not depend on how they are addressed', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9:.-]{0,10}$/)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const plain = parseCommand(words.join(' '))
        expect(plain).toMatchObject({ name: words[0], words: words.slice(1) })
        for (const address of ['/sre ', '@steadyhand ', '<@U1> ', '  '])
          expect(parseCommand(address + words.join('  '))).toMatchObject({ name: words[0], words: words.slice(1) })
      }),
    )
  })
})

test.each([
  ['30s', 30],
  ['90m', 5_400],
  ['2H', 7_200],
  ['1d', 86_400],
  ['90d', 7_776_000],
  ['91d', null],
  ['0m', null],
  ['2', null],
  ['h', null],
  ['1.5h', null],
  ['-1h', null],
  ['999999d', null],
])('a length of time: %s is %s seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds))
