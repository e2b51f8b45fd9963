import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from 'oidc-provider'
import { createAdapter } from './provider-rows.ts'

export const CLIENT = { id: 'steadyhand', secret: 'a secret of the tests' }

/** A real identity provider on this machine, at which a scripted person signs in without being asked. */
export interface TestProvider {
  issuer: string
  /** Who signs in next; null refuses. */
  person: string | null
  /** Null while it answers; else how it fails: closing each connection, or with a server error. */
  fails: 'connection' | 'error' | null
  /** Paths that were asked for, in order. */
  asked: string[]
  /** What the provider's own sending of logouts met. */
  logouts: ('delivered' | 'refused')[]
  /** Forgets what it granted: refresh tokens and access tokens are no longer valid. */
  revokeEverything(): void
  close(): Promise<void>
}

export interface TestProviderOptions {
  /** The address of Steadyhand. */
  clientUrl: string
  /** Whether refresh tokens are given. */
  refreshes?: boolean
}

export async function startProvider({ clientUrl, refreshes = true }: TestProviderOptions): Promise<TestProvider> {
  const Provider = await loadQuietly()
  const rows = createAdapter()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running: TestProvider = {
    issuer,
    person: null,
    fails: null,
    asked: [],
    logouts: [],
    revokeEverything: rows.revokeTokens,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const provider = new Provider(
    issuer,
    configuration({ clientUrl, refreshes, adapter: rows.Adapter, newGrant: (details) => new provider.Grant(details) }),
  )
  provider.on('backchannel.success', () => void running.logouts.push('delivered'))
  provider.on('backchannel.error', () => void running.logouts.push('refused'))
  const answer = provider.callback()
  server.on('request', async (request, response) => {
    const path = request.url?.split('?')[0] ?? ''
    running.asked.push(path)
    if (running.fails === 'connection') return void request.socket.destroy()
    if (running.fails === 'error') return void response.writeHead(503).end('away')
    if (!path.startsWith('/interaction/')) return void (await answer(request, response))
    const result = running.person === null ? { error: 'access_denied' } : { login: { accountId: running.person } }
    await provider.interactionFinished(request, response, result)
  })
  return running
}

/** It prints which releases of Node it is tested with. */
async function loadQuietly(): Promise<typeof import('oidc-provider').Provider> {
  const { warn } = console
  console.warn = () => {}
  try {
    return (await import('oidc-provider')).Provider
  } finally {
    console.warn = warn
  }
}

function configuration(options: {
  clientUrl: string
  refreshes: boolean
  adapter: unknown
  newGrant: (details: { clientId: string; accountId: string }) => { addOIDCScope(scope: string): void; save(): Promise<string> }
}): object {
  const { clientUrl, refreshes, newGrant } = options
  return {
    adapter: options.adapter,
    jwks: {
      keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }],
    },
    cookies: { keys: ['cookies of the tests'] },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${clientUrl}/auth/callback`],
        post_logout_redirect_uris: [`${clientUrl}/`],
        backchannel_logout_uri: `${clientUrl}/auth/backchannel-logout`,
        backchannel_logout_session_required: true,
        grant_types: ['authorization_code', ...(refreshes ? ['refresh_token'] : [])],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: Context, form: string) => {
          context.body = form
        },
        postLogoutSuccessSource: (context: Context) => {
          context.body = 'signed out'
        },
      },
      userinfo: { enabled: true },
    },
    claims: { openid: ['sub'] },
    pkce: { required: () => true },
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 60,
      IdToken: 3_600,
      RefreshToken: 86_400,
      Interaction: 600,
      Session: 86_400,
      Grant: 86_400,
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: async () => refreshes,
    rotateRefreshToken: true,
    findAccount: async (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, email: 'alice@example.com' }) }),
    // Nobody is asked for consent: the client belongs to the same house.
    loadExistingGrant: async ({ oidc }: Context) => {
      const grant = newGrant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid')
      await grant.save()
      return grant
    },
    renderError: (context: Context, out: object) => {
      context.body = out
    },
    // Its own refuses to call this machine.
    fetch: (url: string, { method = 'GET', headers = {}, body = null }: RequestInit) =>
      fetch(url, { method, headers, body, redirect: 'manual' }),
  }
}
