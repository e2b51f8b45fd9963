import { createHash, timingSafeEqual } from 'node:crypto'

/** The token of an Authorization header; null when there is none or it is of another kind. */
export function bearerToken(header: string | null | undefined): string | null {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? '')
  return match?.[1] ?? null
}

/** Whether a token is one of those configured. Compares digests, all of them, so that time tells neither length nor position. */
export function isOneOf(token: string, configured: readonly string[]): boolean {
  const given = sha256(token)
  return configured.reduce((found, known) => timingSafeEqual(given, sha256(known)) || found, false)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
