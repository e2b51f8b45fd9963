import { createHmac } from 'node:crypto'

/** What a signed request is made of; a forger chooses each part. */
export interface SignedRequest {
  readonly body: string
  readonly secret: string
  /** Seconds since 1970, or whatever a forger writes there. */
  readonly timestamp: number | string
}

/** Slack's signature, version 0 (https://docs.slack.dev/authentication/verifying-requests-from-slack). */
export function signatureOf({ body, secret, timestamp }: SignedRequest): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`
}

export function signedHeaders(request: SignedRequest): Record<string, string> {
  return { 'x-slack-request-timestamp': String(request.timestamp), 'x-slack-signature': signatureOf(request) }
}
