import { createHmac } from 'node:crypto'

/** What ties the answer of the provider to the browser that asked. */
export interface AttemptSecrets {
  state: string
  nonce: string
  /** PKCE, S256: only its hash leaves before the code is redeemed. */
  codeVerifier: string
}

/** All three come from the token in the browser's cookie, so that they need not be kept, and none tells another. */
export function secretsOf(token: string): AttemptSecrets {
  const derive = (purpose: string): string =>
    createHmac('sha256', token).update(`steadyhand sign-in ${purpose}`, 'utf8').digest('base64url')
  return { state: derive('state'), nonce: derive('nonce'), codeVerifier: derive('code verifier') }
}
