import { createHmac, timingSafeEqual } from 'node:crypto'

declare const signed: unique symbol

/** The body of a request, byte for byte, that Slack signed a moment ago. Nothing else is read by whoever handles it. */
export type SignedBody = Uint8Array & { readonly [signed]: true }

/** How old or how far ahead a request may be: longer is a replay, or a clock that cannot be trusted. */
const WINDOW_SECONDS = 300
/** A header that came twice reads as both with a comma between, which fits neither of these. */
const TIMESTAMP = /^[1-9]\d{9}$/
const SIGNATURE = /^v0=[0-9a-f]{64}$/

/** The body as one that is signed; null when it is not, or not now. */
export function checkSignature(request: {
  body: Uint8Array
  timestamp: string | undefined
  signature: string | undefined
  secret: string
  now: Date
}): SignedBody | null {
  const { body, timestamp = '', signature = '', secret, now } = request
  if (secret.trim() === '' || !TIMESTAMP.test(timestamp) || !SIGNATURE.test(signature)) return null
  if (Math.abs(now.getTime() / 1_000 - Number(timestamp)) > WINDOW_SECONDS) return null
  const wanted = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest()
  return timingSafeEqual(wanted, Buffer.from(signature.slice(3), 'hex')) ? (body as SignedBody) : null
}
