const SEED = 20_261_121
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A text that holds a secret, and the part of it that nobody may read. */
export interface SeededSecret {
  text: string
  secret: string
}

/** The same numbers at every run. */
export function createRandom(seed = SEED): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export function pickFrom(random: () => number, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
}

/** Makers of the twelve formats, by their names; the same secrets at every run. */
export function secretFormats(random = createRandom()): Readonly<Record<string, () => SeededSecret>> {
  const pick = (alphabet: string, length: number): string => pickFrom(random, alphabet, length)
  const word = (length: number): string => pick(ALPHANUMERIC, length)
  const base64 = (length: number): string => pick(`${ALPHANUMERIC}+/`, length)
  return {
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
}

function whole(secret: string): SeededSecret {
  return { text: secret, secret }
}

function within(before: string, secret: string): SeededSecret {
  return { text: `${before}${secret}`, secret }
}
