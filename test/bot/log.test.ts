import { expect, test } from 'vitest'
import { createLog } from '../../bot/log.ts'

function logged(fields: object): Record<string, unknown> {
  const lines: string[] = []
  const log = createLog({ level: 'info', destination: { write: (text: string) => void lines.push(text) } })
  log.warn(fields, 'words')
  return JSON.parse(lines.join(''))
}

test('an error is logged with its words, its code and what caused it', () => {
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'E1' })
  expect(logged({ error, run: 7 })).toMatchObject({
    msg: 'words',
    run: 7,
    error: { name: 'Error', message: 'outer', code: 'E1', cause: 'inner', stack: expect.stringContaining('log.test') },
  })
})

test('a time that is over is logged like any other error', () => {
  const error = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  expect(logged({ error })).toMatchObject({ error: { name: 'TimeoutError', message: 'The operation was aborted due to timeout' } })
})

test('secrets are left out at every depth', () => {
  const secret = 'x'.repeat(40)
  const line = logged({ token: secret, a: { password: secret, b: { apiKey: secret } } })
  expect(JSON.stringify(line)).not.toContain(secret)
})
