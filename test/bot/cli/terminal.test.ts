import { describe, expect, test } from 'vitest'
import { createTerminal, withProgress, wrap } from '../../../bot/cli/terminal.ts'

function setUp(isTTY: boolean) {
  let out = ''
  let err = ''
  let at = 0
  const streams = {
    out: {
      write: (text: string) => {
        out += text
      },
    },
    err: {
      write: (text: string) => {
        err += text
      },
      isTTY,
      columns: 30,
    },
  }
  const terminal = createTerminal(streams, () => new Date(at))
  return {
    terminal,
    out: () => out,
    err: () => err,
    pass: (seconds: number) => {
      at += seconds * 1_000
    },
  }
}

describe('progress', () => {
  test('is one line that is replaced where a person watches', () => {
    const { terminal, out, err } = setUp(true)
    terminal.progress('waiting (2 s)')
    terminal.progress('waiting (3 s)')
    terminal.say('done')
    expect(err()).toBe('waiting (2 s)\r\u001b[2Kwaiting (3 s)\r\u001b[2K')
    expect(out()).toBe('done\n')
  })

  test('never wraps a narrow window', () => {
    const { terminal, err } = setUp(true)
    terminal.progress('x'.repeat(100))
    expect(err()).toHaveLength(29)
  })

  test('elsewhere is said once in five seconds, and not to standard output', () => {
    const { terminal, out, err, pass } = setUp(false)
    for (let second = 0; second < 12; second += 1) {
      terminal.progress(`waiting (${second} s)`)
      pass(1)
    }
    expect(err()).toBe('waiting (5 s)\nwaiting (10 s)\n')
    expect(out()).toBe('')
  })

  test('of work that is quick is not said, and what the work throws comes through', async () => {
    const { terminal, err } = setUp(true)
    expect(
      await withProgress(
        terminal,
        'x',
        () => new Date(0),
        async () => 7,
      ),
    ).toBe(7)
    await expect(
      withProgress(
        terminal,
        'x',
        () => new Date(0),
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no')
    expect(err()).toBe('')
  })
})

test.each([
  ['one two three', 9, ['  one two', '  three']],
  ['a\nb', 20, ['  a', '  b']],
  ['averyveryverylongword', 5, ['  averyveryverylongword']],
  ['', 10, ['']],
])('wraps %j at %d', (text, width, lines) => expect(wrap(text, '  ', width)).toEqual(lines))
