import { expect, test } from 'vitest'
import { createLog } from '../../bot/log.ts'
import { logWords } from '../../bot/log-words.ts'

const AT = Date.parse('2026-03-01T23:16:19.720Z')
const said = (fields: object, level = 40) => logWords(JSON.stringify({ level, time: AT, ...fields, msg: 'it happened' }))

test('tells when, how grave, what, and the fields that matter', () => {
  expect(said({ directory: '/data' }, 30)).toBe('23:16:19 info  it happened (directory: /data)')
  expect(said({})).toBe('23:16:19 warn  it happened')
  expect(said({ detail: { a: 1 } })).toBe('23:16:19 warn  it happened (detail: {"a":1})')
  expect(said(Object.fromEntries([...'abcdefgh'].map((name) => [name, 1])))).toContain('f: 1, and 2 more)')
})

test('a field in the place of the time does no harm', () => {
  expect(logWords(`{"level":40,"time":${AT},"time":9e99,"msg":"it happened"}`)).toBe('--:--:-- warn  it happened')
})

test('an error is what it said and what caused it, without its stack', () => {
  const error = { name: 'Error', message: 'outer', stack: 'Error: outer\n at x.ts:1', cause: 'inner' }
  expect(said({ err: error }, 50)).toBe('23:16:19 error it happened (error: outer, because of: inner)')
})

test('what is no entry is shown all the same, and nothing moves the cursor', () => {
  expect(logWords('Warning: \u001b[31mold')).toBe('Warning: [31mold')
  expect(said({ text: 'a\u001b[2J\r\nb' })).toBe('23:16:19 warn  it happened (text: a [2J b)')
})

test('people and machines get what each reads', () => {
  const written = (format: 'json' | 'words') => {
    const lines: string[] = []
    createLog({ level: 'info', format, destination: { write: (text: string) => void lines.push(text) } }).warn({ run: 7 }, 'words')
    return lines.join('')
  }
  expect(JSON.parse(written('json'))).toMatchObject({ msg: 'words', run: 7 })
  expect(written('words')).toMatch(/^\d\d:\d\d:\d\d warn {2}words \(run: 7\)\n$/)
})
