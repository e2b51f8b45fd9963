import { describe, expect, it } from 'vitest'
import { redact } from '../../agent/redact.ts'
import { createRandom, pickFrom, secretFormats } from '../support/secrets.ts'

const EACH = 25
const random = createRandom()
const pick = (alphabet: string, length: number): string => pickFrom(random, alphabet, length)

/** Where secrets turn up. */
const PLACES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `2026-11-21T10:42:00Z ERROR payments: could not start with ${text} (attempt 3 of 5)`,
  (text) => JSON.stringify({ level: 'error', message: `refused: ${text}`, attempt: 3 }),
  (text) => `      Environment:\n        SETTING:  ${text}\n        MODE:  production`,
  (text) => `curl -H '${text}' https://api.example.com/v1/charges`,
]

describe.each(Object.entries(secretFormats(random)))('%s', (_format, make) => {
  it(`is never left, in ${EACH} samples and every place`, () => {
    const left = Array.from({ length: EACH }, make).flatMap(({ text, secret }) =>
      PLACES.map((place) => place(text)).filter((line) => redact(line).includes(secret)),
    )
    expect(left).toEqual([])
  })
})

it('of clean lines as good as none loses anything', () => {
  const hex = (length: number): string => pick('0123456789abcdef', length)
  const CLEAN: readonly (() => string)[] = [
    () => `GET /api/v1/orders/${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)} 200 in ${Math.floor(random() * 900)} ms`,
    () =>
      `pod checkout-api-${hex(10)}-${pick('bcdfghjklmnpqrstvwxz2456789', 5)} was evicted from ip-10-0-3-${Math.floor(random() * 255)}.ec2.internal`,
    () => `pulling registry.example/shop/payments@sha256:${hex(64)}`,
    () => `trace ${hex(32)} span ${hex(16)} took ${Math.floor(random() * 9_000)} ms in com.example.shop.PaymentServiceConfiguration2`,
    () => `open /var/lib/docker/overlay2/${hex(64)}/merged/usr/lib/node_modules: no space left on device`,
    () => `commit ${hex(40)} by Alice: use 3 retries in CheckoutClientV2, see docs/adr/0012-retries.md`,
    () =>
      `RangeError: ${(random() * 100).toFixed(2)} is no integer at toMinorUnits (/srv/payments/src/money/toMinorUnits.js:${Math.floor(random() * 400)}:17)`,
  ]
  const lines = CLEAN.flatMap((make) => Array.from({ length: 100 }, make))
  const changed = lines.filter((line) => redact(line) !== line)
  expect(changed.length / lines.length).toBeLessThanOrEqual(0.01)
})
