import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkSignature } from '../../../bot/slack/signature.ts'

const NOW = new Date('2026-03-14T02:10:00Z')
const SECRET = 'a secret that nobody knows'
const BODY = Buffer.from('payload=%7B%7D')
const seconds = Math.floor(NOW.getTime() / 1_000)

function sign(timestamp: string, { body = BODY as Uint8Array, secret = SECRET } = {}): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`
}

function check(given: { timestamp?: string | undefined; signature?: string | undefined; body?: Uint8Array; secret?: string }): boolean {
  const timestamp = 'timestamp' in given ? given.timestamp : String(seconds)
  const signature = 'signature' in given ? given.signature : sign(timestamp ?? '')
  return checkSignature({ body: given.body ?? BODY, timestamp, signature, secret: given.secret ?? SECRET, now: NOW }) !== null
}

describe('a request', () => {
  test.each([0, 299, -299, 300, -300])('signed %i s away from now is taken', (away) => {
    expect(check({ timestamp: String(seconds + away) })).toBe(true)
  })

  test.each([301, -301, 86_400, -86_400])('signed %i s away from now is not', (away) => {
    expect(check({ timestamp: String(seconds + away) })).toBe(false)
  })

  const now = String(seconds)
  const right = sign(now)
  test.each<[string, Parameters<typeof check>[0]]>([
    ['signed with another secret', { signature: sign(now, { secret: 'another' }) }],
    ['with another body', { body: Buffer.from('payload=%7B%20%7D') }],
    ['without a signature', { signature: undefined }],
    ['without a time', { timestamp: undefined, signature: right }],
    ['with two signatures', { signature: `${right}, ${right}` }],
    ['with two times', { timestamp: `${now}, ${now}`, signature: right }],
    ['with another version', { signature: right.replace('v0=', 'v1=') }],
    ['with upper case', { signature: `v0=${right.slice(3).toUpperCase()}` }],
    ['with a short signature', { signature: right.slice(0, -2) }],
    ['with a NUL', { signature: `${right}\0` }],
    ['with a time in words', { timestamp: 'now', signature: sign('now') }],
    ['with a time of milliseconds', { timestamp: `${now}000`, signature: sign(`${now}000`) }],
    ['with a time before 2001', { timestamp: '-1', signature: sign('-1') }],
    ['where the secret is blank', { signature: sign(now, { secret: ' ' }), secret: ' ' }],
  ])('%s is not', (_name, given) => expect(check(given)).toBe(false))
})
