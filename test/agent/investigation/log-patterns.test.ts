import { describe, expect, it } from 'vitest'
import { logPatterns } from '../../../agent/investigation/log-patterns.ts'
import { oneLine } from '../../../agent/investigation/outside-text.ts'
import type { LogLine } from '../../../integrations/ports/logs.ts'

const line = (text: string, second = 0, version: string | null = 'v42'): LogLine => ({
  ...{ at: new Date(Date.UTC(2026, 2, 1, 10, 42, second)), level: 'error', text, instance: null, version, traceId: null },
})

describe('log patterns', () => {
  it('group what differs by numbers, ids and addresses, and count it', () => {
    const patterns = logPatterns([
      line('order 17 failed after 1.5 s', 1, 'v41'),
      line('order 18 failed after 20 s', 5),
      line('order 19 failed after 3,5 s', 3),
      line('10.0.0.7:8080 refused 4bf92f3577b34da6a3ce929d0e0e4736', 2),
      line('10.0.0.9:80 refused 00f067aa0ba902b700f067aa0ba902b7', 2),
      line('session 3f2504e0-4f89-11d3-9a0c-0305e82c3301 lost', 0),
    ])
    expect(patterns.map(({ pattern, count }) => [pattern, count])).toEqual([
      ['order <n> failed after <n> s', 3],
      ['<address> refused <id>', 2],
      ['session <id> lost', 1],
    ])
    expect(patterns[0]).toMatchObject({
      sample: 'order 17 failed after 1.5 s',
      first: '2026-03-01T10:42:01.000Z',
      last: '2026-03-01T10:42:05.000Z',
      versions: ['v41', 'v42'],
    })
  })

  it('keep the ten most frequent', () => {
    const letters = 'abcdefghijklmno'.split('')
    const patterns = logPatterns(letters.flatMap((letter, i) => Array.from({ length: i + 1 }, () => line(`error ${letter}`))))
    expect(patterns.map(({ count }) => count)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6])
    expect(logPatterns([])).toEqual([])
  })
})

describe('one line of text from outside', () => {
  it.each([
    ['a\r\n\tb\u2028c', 'a b c'],
    ['\u202egnp.exe\u202c \u200bx\u0000', 'gnp.exe x'],
    ['say "yes" and “no”', "say 'yes' and 'no'"],
    ['  spaced   out ', 'spaced out'],
    ['password=hunter2', 'password=[secret]'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(oneLine(text, 100)).toBe(expected)
  })

  it('is cut, and stays well-formed', () => {
    expect(oneLine('x'.repeat(300), 10)).toBe(`${'x'.repeat(9)}…`)
    expect(oneLine('😀'.repeat(10), 6).isWellFormed()).toBe(true)
  })
})
