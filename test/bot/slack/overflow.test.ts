import { expect, test } from 'vitest'
import { button, type Card, list, text } from '../../../bot/messages/card.ts'
import { say } from '../../../bot/messages/span.ts'
import { overflowOf } from '../../../bot/slack/overflow.ts'

const card = (...blocks: Card['blocks']): Card => ({ kind: 'answer', ref: '', notification: 'x', blocks })
const long = (words: string, times: number): Card =>
  card(
    ...list(
      'All',
      Array.from({ length: times }, (_, index) => say`${index}: ${words}`),
    ),
  )

test('what fits into a message needs no file', () => {
  expect(overflowOf(card(text(say`short`)), 'a')).toBeNull()
})

test('what does not is there whole: each line, and nothing that cannot be seen', () => {
  const { text: words = '' } = overflowOf(long('a\u202eb <@U1> \u0007', 400), 'a') ?? {}
  expect(words.split('\n')).toHaveLength(401)
  expect(words).toContain('399: ab <@U1>')
  for (const unseen of ['\u202e', '\u0007']) expect(words).not.toContain(unseen)
})

test('the same thing makes the same file, and buttons are none of its words', () => {
  const buttons = { type: 'buttons', buttons: [button('ask', 'Ask', 'x')], open: null, more: [] } as const
  const whole = long('words', 2_000)
  const again = overflowOf({ ...whole, blocks: [...whole.blocks, buttons] }, 'a')
  expect(again).toEqual(overflowOf(whole, 'a'))
  expect(overflowOf(whole, 'b')?.name).not.toBe(again?.name)
  expect(again?.name).toMatch(/^steadyhand-[0-9a-f]{12}\.txt$/)
})

test.each(['x', 'é', '😀'])('what is far too long is cut at a whole character and says so: %s', (sign) => {
  const { text: words = '' } = overflowOf(long(sign.repeat(500), 200), 'a') ?? {}
  expect(Buffer.byteLength(words)).toBeLessThan(61_000)
  expect(words).not.toContain('\ufffd')
  expect(words.endsWith('The rest is in the console.')).toBe(true)
})
