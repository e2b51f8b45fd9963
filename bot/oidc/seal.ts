import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { z } from 'zod'

/** What the provider gave for a session: to ask it again whether the session lives, and to sign out there. */
export interface HeldTokens {
  idToken: string
  refreshToken: string | null
  accessToken: string | null
}

const heldSchema = z.strictObject({ idToken: z.string(), refreshToken: z.string().nullable(), accessToken: z.string().nullable() })
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** Encrypts them with the browser's own token: the database alone opens nothing. */
export function seal(held: HeldTokens, sessionToken: string): Uint8Array {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, keyOf(sessionToken), iv)
  return Buffer.concat([iv, cipher.update(JSON.stringify(held), 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws Error when it was sealed with another token, or changed */
export function unseal(sealed: Uint8Array, sessionToken: string): HeldTokens {
  const bytes = Buffer.from(sealed)
  const decipher = createDecipheriv(CIPHER, keyOf(sessionToken), bytes.subarray(0, IV_BYTES))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, bytes.length - TAG_BYTES)), decipher.final()])
  return heldSchema.parse(JSON.parse(text.toString('utf8')))
}

function keyOf(sessionToken: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', sessionToken, '', 'steadyhand tokens of the provider', 32))
}
