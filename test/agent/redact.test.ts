import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from '../../agent/redact.ts'

describe('secrets', () => {
  it.each([
    ['key AKIAIOSFODNN7EXAMPLE used', 'key [secret] used'],
    ['xoxb-1234567890-abcdefghij', '[secret]'],
    ['push with ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'push with [secret]'],
    ['sk-proj-abcdefghijklmnop1234', '[secret]'],
    ['Authorization: Bearer abc.def.ghi', 'Authorization: [secret]'],
    ['"authorization":"Basic dXNlcjpwYXNz"', '"authorization":"[secret]"'],
    ['sent Bearer abcdefghijkl123', 'sent Bearer [secret]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N', '[secret]'],
    ['postgres://admin:s3cr3t@db.internal:5432/shop', 'postgres://[secret]@db.internal:5432/shop'],
    ['redis://:hunter2@cache', 'redis://[secret]@cache'],
    ['password=hunter2 user=bob', 'password=[secret] user=bob'],
    ["DB_PASSWORD: 'two words' next", 'DB_PASSWORD: [secret] next'],
    ['{"api_key":"k-1","n":1}', '{"api_key":[secret],"n":1}'],
    ['https://x.example/?access_token=abc&page=2', 'https://x.example/?access_token=[secret]&page=2'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest', '[secret] rest'],
    ['-----BEGIN PRIVATE KEY-----\ncut off', '[secret]'],
    ['aws wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY01', 'aws [secret]'],
  ])('in %j are masked', (text, masked) => {
    expect(redact(text)).toBe(masked)
  })
})

describe('what is no secret', () => {
  it.each([
    'payments went from v41 to v42 at 10:42:03',
    'trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'pod checkout-api-7d9fb6c5d4-x2x9k',
    'max_tokens: 512, tokens=77',
    'http://prometheus.example:9090/graph?g0.expr=up',
    'the password is wrong',
    'RangeError: The number 30.63 cannot be converted to a BigInt because it is not an integer',
    'com.example.checkout.internal.OrderServiceConfigurationException',
  ])('stays: %s', (text) => {
    expect(redact(text)).toBe(text)
  })
})

it('masks in time that grows with the text, and masks nothing twice', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      const once = redact(text)
      expect(redact(once)).toBe(once)
    }),
  )
  for (const piece of [
    '-----BEGIN PRIVATE KEY-----',
    'password=',
    'eyJaaaaaaaa.',
    'a://b:',
    'Bearer ',
    'x'.repeat(50),
    '"authorization":"',
  ]) {
    expect(redact(piece.repeat(20_000)).length).toBeGreaterThan(0)
  }
})
