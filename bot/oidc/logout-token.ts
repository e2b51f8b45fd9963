import type { JWTVerifyGetKey } from 'jose'
import type { ServerMetadata } from 'openid-client'
import { z } from 'zod'
import { HttpProblem } from '../problem.ts'
import { type boundedFetch, ProviderAway, ProviderUnfit, TIMEOUT_SECONDS } from './bounded-fetch.ts'
import type { OidcSettings } from './settings.ts'

/** A logout is told at once; one that is older is a repetition. */
const OLDEST_SECONDS = 300
const SKEW_SECONDS = 30
const LONGEST = 16 * 1024
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const id = z.string().min(1).max(255)
const claimsSchema = z.object({
  sub: id.optional(),
  sid: id.optional(),
  jti: z.string().min(1).max(1_000),
  events: z.looseObject({ [EVENT]: z.looseObject({}) }),
})

export interface LogoutTokens {
  /** @throws HttpProblem invalid-logout-token; ProviderAway or ProviderUnfit when its keys cannot be read */
  read(token: string, metadata: Readonly<ServerMetadata>): Promise<{ subject: string | null; sid: string | null }>
}

/** Logout tokens as OpenID Connect Back-Channel Logout 1.0, section 2.6, wants them checked. */
export function createLogoutTokens(deps: {
  settings: Pick<OidcSettings, 'issuer' | 'clientId'>
  fetch: ReturnType<typeof boundedFetch>
  now: () => Date
}): LogoutTokens {
  const { settings, now } = deps
  let known: { address: string; keys: JWTVerifyGetKey } | null = null

  /** Kept, so that tokens somebody makes up do not each ask the provider for its keys. */
  const keysAt = async (address: string): Promise<JWTVerifyGetKey> => {
    if (known?.address === address) return known.keys
    const { createRemoteJWKSet, customFetch } = await import('jose')
    const keys = createRemoteJWKSet(new URL(address), { timeoutDuration: TIMEOUT_SECONDS * 1_000, [customFetch]: deps.fetch })
    known = { address, keys }
    return keys
  }
  return {
    async read(token, { jwks_uri: address }) {
      if (token.length > LONGEST || address === undefined) throw new HttpProblem('invalid-logout-token')
      const keys = await keysAt(address)
      const { jwtVerify, decodeProtectedHeader } = await import('jose')
      try {
        const { typ } = decodeProtectedHeader(token)
        if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ)) throw new HttpProblem('invalid-logout-token')
        const { payload } = await jwtVerify(token, keys, {
          issuer: settings.issuer,
          audience: settings.clientId,
          algorithms: ALGORITHMS,
          requiredClaims: ['iat', 'exp', 'jti', 'events'],
          maxTokenAge: OLDEST_SECONDS,
          clockTolerance: SKEW_SECONDS,
          currentDate: now(),
        })
        const { sub, sid } = claimsSchema.parse(payload)
        // With a nonce it is an ID token that somebody hands on.
        if ('nonce' in payload || (sub === undefined && sid === undefined)) throw new HttpProblem('invalid-logout-token')
        return { subject: sub ?? null, sid: sid ?? null }
      } catch (error) {
        if (error instanceof ProviderAway || error instanceof ProviderUnfit || error instanceof HttpProblem) throw error
        throw Object.assign(new HttpProblem('invalid-logout-token'), { cause: error })
      }
    },
  }
}
