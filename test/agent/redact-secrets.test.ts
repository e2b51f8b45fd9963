import { describe, expect, it } from 'vitest'
import { redact } from '../../agent/redact.ts'

const SEED = 20_261_121
const EACH = 25
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The same secrets at every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const random = createRandom(SEED)
const pick = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
const word = (length: number): string => pick(ALPHANUMERIC, length)
const base64 = (length: number): string => pick(`${ALPHANUMERIC}+/`, length)

/** Twelve formats: the text that holds a secret, and the part of it that nobody may read. */
const FORMATS: Readonly<Record<string, () => { text: string; secret: string }>> = {
  'AWS access key': () => whole(`AKIA${pick('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`),
  'AWS secret key': () => within('aws_secret_access_key = ', base64(40)),
  'GitHub token': () => whole(`ghp_${word(36)}`),
  'GitLab token': () => whole(`glpat-${word(20)}`),
  'chat token': () => whole(`xoxb-${pick('0123456789', 12)}-${pick('0123456789', 12)}-${word(24)}`),
  'chat webhook': () => within('https://hooks.slack.com/services/', `T${word(8)}/B${word(8)}/${word(24)}`),
  'provider key': () => whole(`sk-ant-api03-${word(40)}`),
  'payment key': () => whole(`sk_live_${word(24)}`),
  JWT: () => whole(`eyJ${word(20)}.eyJ${word(30)}.${word(43)}`),
  'private key': () => {
    const body = `${base64(64)}\n${base64(64)}`
    return { text: `-----BEGIN EC PRIVATE KEY-----\n${body}\n-----END EC PRIVATE KEY-----`, secret: body.slice(0, 64) }
  },
  'password in an address': () => {
    const secret = word(12)
    return { text: `postgres://app:${secret}@db.internal:5432/shop`, secret }
  },
  'authorization header': () => within('Authorization: Bearer ', word(32)),
}

function whole(secret: string): { text: string; secret: string } {
  return { text: secret, secret }
}

function within(before: string, secret: string): { text: string; secret: string } {
  return { text: `${before}${secret}`, secret }
}

/** Where secrets turn up. */
const PLACES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `2026-11-21T10:42:00Z ERROR payments: could not start with ${text} (attempt 3 of 5)`,
  (text) => JSON.stringify({ level: 'error', message: `refused: ${text}`, attempt: 3 }),
  (text) => `      Environment:\n        SETTING:  ${text}\n        MODE:  production`,
  (text) => `curl -H '${text}' https://api.example.com/v1/charges`,
]

describe.each(Object.entries(FORMATS))('%s', (_format, make) => {
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
