import type { Configuration, IDToken, ServerMetadata } from 'openid-client'
import { isLoopback } from '../config.ts'
import { HttpProblem } from '../problem.ts'
import type { AttemptSecrets } from './attempt.ts'
import { boundedFetch, TIMEOUT_SECONDS } from './bounded-fetch.ts'
import { createLogoutTokens } from './logout-token.ts'
import { hasEnded, inWords, reasonOf } from './provider-problem.ts'
import type { HeldTokens } from './seal.ts'
import type { OidcSettings } from './settings.ts'

/** Metadata that was read this long ago is read again: providers change their keys' address and their endpoints, rarely. */
const METADATA_MS = 3_600_000
const LONGEST_SESSION_SECONDS = 8 * 3_600
/** What a provider that does not say how long its access token lasts is taken to mean. */
const UNTOLD_SECONDS = 3_600
const ID = /^[\x20-\x7e]{1,255}$/

/** An account that the provider vouches for. */
export interface VouchedAccount {
  /** The id it is linked by. */
  externalId: string
  subject: string
  sid: string | null
  held: HeldTokens
  /** How long a session may last at most, 1 to 28800. */
  seconds: number
}

/** The identity provider. Every call is bounded in time and size, and is answered with an HttpProblem when the provider is away or cannot be trusted. */
export interface IdentityProvider {
  /** Reads how the provider describes itself. @throws HttpProblem provider-unavailable, provider-not-trusted */
  reach(): Promise<void>
  /** Where the browser is sent. @throws HttpProblem provider-unavailable, provider-not-trusted */
  signInUrl(secrets: AttemptSecrets, callbackUrl: string): Promise<string>
  /** Redeems what the browser came back with. @throws HttpProblem also sign-in-refused, sign-in-stale */
  redeem(answer: URL, secrets: AttemptSecrets): Promise<VouchedAccount>
  /** Asks whether a session lives. @returns the tokens to ask with the next time, or null when it has ended. @throws HttpProblem */
  stillHolds(held: HeldTokens, subject: string): Promise<HeldTokens | null>
  /** Where the browser goes to sign out at the provider as well; null when the provider has no such place. @throws HttpProblem */
  signOutUrl(held: HeldTokens, returnUrl: string): Promise<string | null>
  /** What a logout token says is over. @throws HttpProblem invalid-logout-token */
  readLogoutToken(token: string): Promise<{ subject: string | null; sid: string | null }>
}

export interface IdentityProviderDeps {
  settings: OidcSettings
  now: () => Date
  log: { warn(object: object, message: string): void }
}

interface Connection {
  library: typeof import('openid-client')
  config: Configuration
  metadata: Readonly<ServerMetadata>
}

/** Nothing is loaded or asked before the first sign-in. */
export function createIdentityProvider({ settings, now, log }: IdentityProviderDeps): IdentityProvider {
  const fetchBounded = boundedFetch((host) => isLoopback(host.replace(/^\[(.*)\]$/, '$1')) && settings.issuer.startsWith('http:'))
  const logoutTokens = createLogoutTokens({ settings, fetch: fetchBounded, now })
  let connected: { at: number; connection: Promise<Connection> } | null = null

  const connect = async (): Promise<Connection> => {
    if (connected && now().getTime() - connected.at < METADATA_MS) return await connected.connection
    const attempt = { at: now().getTime(), connection: discover(settings, fetchBounded) }
    connected = attempt
    // What failed is not remembered: the next person tries again.
    attempt.connection.catch(() => {
      if (connected === attempt) connected = null
    })
    return await attempt.connection
  }
  const asking = async <T>(what: string, ask: (connection: Connection) => Promise<T>): Promise<T> => {
    try {
      return await ask(await connect())
    } catch (error) {
      if (error instanceof HttpProblem) throw error
      log.warn({ what, reason: reasonOf(error), issuer: settings.issuer }, 'the identity provider could not be used')
      throw inWords(error)
    }
  }
  return {
    reach: () => asking('a look', async () => {}),
    signInUrl: (secrets, callbackUrl) =>
      asking('sign-in', async ({ library, config }) => {
        const url = library.buildAuthorizationUrl(config, {
          redirect_uri: callbackUrl,
          scope: settings.scopes.join(' '),
          state: secrets.state,
          nonce: secrets.nonce,
          code_challenge: await library.calculatePKCECodeChallenge(secrets.codeVerifier),
          code_challenge_method: 'S256',
          ...(settings.audience === null ? {} : { audience: settings.audience }),
        })
        return url.href
      }),
    redeem: (answer, { state, nonce, codeVerifier }) =>
      asking('sign-in', async ({ library, config }) => {
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier, idTokenExpected: true }
        const tokens = await library.authorizationCodeGrant(config, answer, checks)
        const claims = tokens.claims()
        if (claims === undefined || tokens.id_token === undefined) throw notTrusted('It sent no ID token.')
        const held = {
          idToken: tokens.id_token,
          refreshToken: tokens.refresh_token ?? null,
          accessToken: tokens.access_token,
        }
        return {
          externalId: idOf(claims, settings.claim),
          subject: idOf(claims, 'sub'),
          sid: claims['sid'] === undefined ? null : idOf(claims, 'sid'),
          held,
          seconds: secondsOf({ claims, refreshes: held.refreshToken !== null, accessSeconds: tokens.expires_in, now: now() }),
        }
      }),
    stillHolds: (held, subject) =>
      asking('the check of a session', async (connection) => {
        try {
          return await ask(connection, held, subject)
        } catch (error) {
          if (hasEnded(error)) return null
          throw error
        }
      }),
    signOutUrl: (held, returnUrl) =>
      asking('sign-out', async ({ library, config, metadata }) => {
        if (metadata.end_session_endpoint === undefined) return null
        return library.buildEndSessionUrl(config, { id_token_hint: held.idToken, post_logout_redirect_uri: returnUrl }).href
      }),
    readLogoutToken: (token) => asking('a logout', async ({ metadata }) => await logoutTokens.read(token, metadata)),
  }
}

async function discover(settings: OidcSettings, fetchBounded: ReturnType<typeof boundedFetch>): Promise<Connection> {
  const library = await import('openid-client')
  const { ClientSecretBasic, ClientSecretPost } = library
  const basic = ClientSecretBasic(settings.clientSecret)
  const post = ClientSecretPost(settings.clientSecret)
  const config = await library.discovery(
    new URL(settings.issuer),
    settings.clientId,
    settings.clientSecret,
    (server, client, body, headers) => {
      const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
      const authenticate = methods.includes('client_secret_basic') ? basic : post
      return authenticate(server, client, body, headers)
    },
    {
      timeout: TIMEOUT_SECONDS,
      [library.customFetch]: (url, { method, headers, body, signal }) =>
        fetchBounded(url, { method, headers, body: body as RequestInit['body'], signal }),
      // The signature is checked although the token comes from the provider itself; http is refused below, except on this machine.
      execute: [library.enableNonRepudiationChecks, ...(settings.issuer.startsWith('http:') ? [library.allowInsecureRequests] : [])],
    },
  )
  const metadata = config.serverMetadata()
  if (metadata.issuer !== settings.issuer)
    throw notTrusted(`It calls itself ${metadata.issuer.slice(0, 200)}: write exactly that as oidc.issuer, and as the tenant of the links.`)
  return { library, config, metadata }
}

/** By the refresh token if there is one; else by the user info while the access token lasts; a provider that offers neither is believed. */
async function ask({ library, config, metadata }: Connection, held: HeldTokens, subject: string): Promise<HeldTokens | null> {
  if (held.refreshToken !== null) {
    const tokens = await library.refreshTokenGrant(config, held.refreshToken)
    const claims = tokens.claims()
    if (claims !== undefined && claims.sub !== subject) return null
    return {
      idToken: tokens.id_token ?? held.idToken,
      refreshToken: tokens.refresh_token ?? held.refreshToken,
      accessToken: tokens.access_token,
    }
  }
  if (held.accessToken !== null && metadata.userinfo_endpoint !== undefined) await library.fetchUserInfo(config, held.accessToken, subject)
  return held
}

/** Without a refresh token the session lasts as long as the access token; the provider may name an earlier end. */
function secondsOf(told: { claims: IDToken; refreshes: boolean; accessSeconds: number | undefined; now: Date }): number {
  const end = told.claims['session_expiry']
  const untilEnd = typeof end === 'number' ? Math.floor(end - told.now.getTime() / 1_000) : LONGEST_SESSION_SECONDS
  const byToken = told.refreshes ? LONGEST_SESSION_SECONDS : Math.floor(told.accessSeconds ?? UNTOLD_SECONDS)
  const seconds = Math.min(LONGEST_SESSION_SECONDS, untilEnd, byToken)
  if (seconds < 1) throw notTrusted('It says that the session is over already.')
  return seconds
}

function idOf(claims: IDToken, name: string): string {
  const id = claims[name]
  if (typeof id === 'string' && ID.test(id) && id.trim() === id) return id
  throw notTrusted(`Its ID token has no claim ${name} that could be an id: up to 255 visible characters.`)
}

function notTrusted(detail: string): HttpProblem {
  return new HttpProblem('provider-not-trusted', detail)
}
