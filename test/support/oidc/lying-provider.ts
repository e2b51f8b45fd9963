import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Claims = Record<string, unknown>

/** How its next answers differ from those of an honest provider. */
export interface Lies {
  /** Added to the claims of the ID token; undefined takes one away. */
  claims?: Claims
  header?: Claims
  /** Signs with a key that it does not publish. */
  foreignKey?: boolean
  unsigned?: boolean
  /** Answers the code with this instead of tokens. */
  tokenAnswer?: { status: number; headers?: Record<string, string>; body: string }
  /** Added to the address the browser is sent back to; null takes one away. */
  callback?: Record<string, string | null>
  metadata?: Claims
  /** How many bytes its keys are padded with. */
  padding?: number
}

export interface LyingProvider {
  issuer: string
  lies: Lies
  /** Requests that arrived, as method and path. */
  asked: string[]
  /** A token signed with its key, or with another. */
  signed(claims: Claims, header?: Claims, foreignKey?: boolean): string
  close(): Promise<void>
}

const KID = 'k1'

/** A provider that answers as it is told to: what an honest one never sends. */
export async function startLyingProvider(clientId: string): Promise<LyingProvider> {
  const [own, foreign] = [newKey(), newKey()]
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let nonce = ''
  const running: LyingProvider = {
    issuer,
    lies: {},
    asked: [],
    signed: (claims, header = {}, foreignKey = false) =>
      jwt({ alg: 'ES256', kid: KID, ...header }, claims, foreignKey ? foreign.key : own.key),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const idToken = (): string => {
    const at = Math.floor(Date.now() / 1_000)
    const claims = { iss: issuer, aud: clientId, sub: 'sub-alice', iat: at, exp: at + 300, nonce, ...running.lies.claims }
    const token = running.signed(claims, running.lies.header, running.lies.foreignKey)
    return running.lies.unsigned ? `${jwt({ alg: 'none' }, claims, null)}` : token
  }
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer)
    running.asked.push(`${request.method} ${pathname}`)
    const { lies } = running
    const answer = (body: unknown): void => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (pathname === '/.well-known/openid-configuration') return answer({ ...metadataOf(issuer), ...lies.metadata })
    if (pathname === '/keys')
      return answer({ keys: [{ ...own.jwk, kid: KID, use: 'sig', alg: 'ES256' }], padding: 'x'.repeat(lies.padding ?? 0) })
    if (pathname === '/token') {
      const {
        status,
        headers = {},
        body,
      } = lies.tokenAnswer ?? {
        status: 200,
        body: JSON.stringify({ access_token: 'access', token_type: 'Bearer', expires_in: 300, id_token: idToken() }),
      }
      return void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    }
    if (pathname !== '/authorize') return void response.writeHead(404).end()
    nonce = searchParams.get('nonce') ?? ''
    const back = new URL(searchParams.get('redirect_uri') ?? '')
    const parameters = { code: 'c0de', state: searchParams.get('state'), iss: issuer, ...lies.callback }
    for (const [name, value] of Object.entries(parameters)) if (value !== null) back.searchParams.set(name, value)
    response.writeHead(302, { location: back.href }).end()
  })
  return running
}

function metadataOf(issuer: string): Claims {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
}

function newKey(): { key: KeyObject; jwk: object } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: privateKey, jwk: publicKey.export({ format: 'jwk' }) }
}

function jwt(header: Claims, claims: Claims, key: KeyObject | null): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(claims)}`
  return key === null
    ? `${signed}.`
    : `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
