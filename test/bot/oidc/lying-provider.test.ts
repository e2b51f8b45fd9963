import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeDatabases, moveClock } from '../../support/database.ts'
import type { RunningEdge } from '../../support/edge/edge-harness.ts'
import { freePort } from '../../support/edge/free-port.ts'
import { Browser } from '../../support/oidc/browser.ts'
import { type Lies, type LyingProvider, startLyingProvider } from '../../support/oidc/lying-provider.ts'
import { CLIENT } from '../../support/oidc/provider.ts'
import { openSigningEdge, peopleAt } from '../../support/oidc/signing-edge.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const seconds = (): number => Math.floor(Date.now() / 1_000)

describeDatabases('an identity provider that cannot be trusted', (store) => {
  const database = store.perSuite()
  let provider: LyingProvider
  let running: RunningEdge
  beforeAll(async () => {
    provider = await startLyingProvider(CLIENT.id)
    running = await openSigningEdge(database(), { issuer: provider.issuer, port: await freePort() })
  })
  beforeEach(() => {
    provider.lies = {}
  })
  afterAll(async () => {
    await running.close()
    await provider.close()
  })

  const signIn = async (url = running.url) => {
    const browser = new Browser()
    const page = await browser.send(`${url}/auth/login`, { headers: { accept: 'application/json' } })
    const { status } = await browser.get(`${url}/api/v1/session`)
    return { browser, page, status }
  }

  test('that says the truth for once signs in', async () => {
    expect((await signIn()).status).toBe(200)
  })

  const elsewhere = 'http://127.0.0.1:9'
  const wrong: readonly (readonly [string, () => Lies])[] = [
    ['another nonce', () => ({ claims: { nonce: 'x'.repeat(43) } })],
    ['no nonce', () => ({ claims: { nonce: undefined } })],
    ['a token for another application', () => ({ claims: { aud: 'another' } })],
    ['a token for several, handed out to another', () => ({ claims: { aud: [CLIENT.id, 'another'], azp: 'another' } })],
    ['a token of another issuer', () => ({ claims: { iss: elsewhere } })],
    ['a token that has expired', () => ({ claims: { exp: seconds() - 120, iat: seconds() - 600 } })],
    ['a token that is not valid yet', () => ({ claims: { nbf: seconds() + 600 } })],
    ['a token without subject', () => ({ claims: { sub: undefined } })],
    ['a subject that is no text', () => ({ claims: { sub: ['sub-alice'] } })],
    ['a subject with a line break', () => ({ claims: { sub: 'sub-alice\n' } })],
    ['a signature by a key that it does not publish', () => ({ foreignKey: true })],
    ['a token without signature', () => ({ unsigned: true })],
    ['a token that says it is signed by a shared secret', () => ({ header: { alg: 'HS256' } })],
    ['a session that is over', () => ({ claims: { session_expiry: seconds() - 5 } })],
    ['no ID token', () => ({ tokenAnswer: { status: 200, body: JSON.stringify({ access_token: 'a', token_type: 'Bearer' }) } })],
    ['no JSON', () => ({ tokenAnswer: { status: 200, body: '<html>' } })],
    ['that the client secret is wrong', () => ({ tokenAnswer: { status: 401, body: JSON.stringify({ error: 'invalid_client' }) } })],
    ['more than it may', () => ({ tokenAnswer: { status: 200, body: JSON.stringify({ padding: 'x'.repeat(600_000) }) } })],
    ['an answer in the name of another issuer', () => ({ callback: { iss: elsewhere } })],
    ['an answer in no name', () => ({ callback: { iss: null } })],
  ]
  test.each(wrong)('is refused when it sends %s', async (_, lies) => {
    provider.lies = lies()
    const { page, status, browser } = await signIn()
    expect([page.status, page.json.code, status]).toEqual([502, 'provider-not-trusted', 401])
    expect(browser.cookie(running.url, 'steadyhand_session')).toBeUndefined()
    expect(page.text).not.toMatch(/eyJ|\.ts:|access_token/)
  })

  test('a redirect of its token address is not followed', async () => {
    provider.lies = { tokenAnswer: { status: 307, headers: { location: `${provider.issuer}/stolen` }, body: '' } }
    expect((await signIn()).page.json.code).toBe('provider-not-trusted')
    expect(provider.asked.filter((path) => path.endsWith('/stolen'))).toEqual([])
  })

  test('a code that it does not know any more has to be asked for again', async () => {
    provider.lies = { tokenAnswer: { status: 400, body: JSON.stringify({ error: 'invalid_grant' }) } }
    expect((await signIn()).page.json.code).toBe('sign-in-stale')
  })

  test.each([
    ['another name', () => ({ metadata: { issuer: elsewhere } })],
    ['a token address on another machine, by http', () => ({ metadata: { token_endpoint: 'http://192.0.2.1/token' } })],
    ['keys that are larger than they may be', () => ({ padding: 600_000 })],
  ])('is refused when its description has %s', async (_, lies: () => Lies) => {
    const fresh = await openSigningEdge(database(), { issuer: provider.issuer, port: await freePort() })
    provider.lies = lies()
    const { page, status } = await signIn(fresh.url)
    expect([page.status, page.json.code, status]).toEqual([502, 'provider-not-trusted', 401])
    await fresh.close()
  })

  test('that is not there: the page says what to do, and a later try works', async () => {
    const gone = await startLyingProvider(CLIENT.id)
    await gone.close()
    const fresh = await openSigningEdge(database(), { issuer: gone.issuer, port: await freePort() }, { people: peopleAt(provider.issuer) })
    const page = await new Browser().open(`${fresh.url}/auth/login`)
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, null])
    expect(page.text).toContain('Try again soon.')
    expect(await database().db.selectFrom('sign_in_attempt').selectAll().execute()).toEqual([])
    await fresh.close()
  })

  test('without refresh tokens the session lasts no longer than the access token', async () => {
    const { browser } = await signIn()
    await moveClock(database(), 299)
    expect((await browser.get(`${running.url}/api/v1/session`)).status).toBe(200)
    await moveClock(database(), 301)
    expect((await browser.get(`${running.url}/api/v1/session`)).status).toBe(401)
    await moveClock(database(), 0)
  })

  describe('a logout that it tells of', () => {
    const claims = () => ({
      iss: provider.issuer,
      aud: CLIENT.id,
      iat: seconds(),
      exp: seconds() + 120,
      jti: crypto.randomUUID(),
      sub: 'sub-alice',
      events: { [EVENT]: {} },
    })
    const send = async (token: string) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return await running
        .client()
        .request('POST', '/auth/backchannel-logout', { body: new URLSearchParams({ logout_token: token }).toString(), headers })
    }

    test('ends the sessions of the account, and of nobody else', async () => {
      const [{ browser: alice }, { browser: again }] = [await signIn(), await signIn()]
      provider.lies = { claims: { sub: 'sub-bob' } }
      const { browser: bob } = await signIn()
      const { status, headers } = await send(provider.signed(claims(), { typ: 'logout+jwt' }))
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
      const after = [alice, again, bob].map(async (browser) => (await browser.get(`${running.url}/api/v1/session`)).status)
      expect(await Promise.all(after)).toEqual([401, 401, 200])
    })

    test('of one session ends that one only', async () => {
      provider.lies = { claims: { sid: 'one' } }
      const { browser: one } = await signIn()
      provider.lies = { claims: { sid: 'two' } }
      const { browser: two } = await signIn()
      const { sub: _, ...rest } = claims()
      expect((await send(provider.signed({ ...rest, sid: 'one' }))).status).toBe(200)
      expect((await one.get(`${running.url}/api/v1/session`)).status).toBe(401)
      expect((await two.get(`${running.url}/api/v1/session`)).status).toBe(200)
    })

    test.each<readonly [string, () => string]>([
      ['signed by another key', () => provider.signed(claims(), {}, true)],
      ['not signed', () => `${provider.signed(claims()).split('.').slice(0, 2).join('.')}.`],
      ['for another application', () => provider.signed({ ...claims(), aud: 'another' })],
      ['of another issuer', () => provider.signed({ ...claims(), iss: elsewhere })],
      ['that has expired', () => provider.signed({ ...claims(), iat: seconds() - 120, exp: seconds() - 60 })],
      ['that is ten minutes old', () => provider.signed({ ...claims(), iat: seconds() - 600 })],
      ['from the future', () => provider.signed({ ...claims(), iat: seconds() + 600 })],
      ['that never expires', () => provider.signed({ ...claims(), exp: undefined })],
      ['without a name of its own', () => provider.signed({ ...claims(), jti: undefined })],
      ['without the event', () => provider.signed({ ...claims(), events: {} })],
      ['of nobody', () => provider.signed({ ...claims(), sub: undefined })],
      ['with a nonce: an ID token handed on', () => provider.signed({ ...claims(), nonce: 'n' })],
      ['that says it is an access token', () => provider.signed(claims(), { typ: 'at+jwt' })],
      ['that is no token', () => 'x'.repeat(100)],
    ])('is refused %s', async (_, token) => {
      provider.lies = {}
      const { browser } = await signIn()
      expect(await send(token())).toMatchObject({ status: 400, json: { code: 'invalid-logout-token' } })
      expect((await browser.get(`${running.url}/api/v1/session`)).status).toBe(200)
    })

    test('is refused as JSON, empty, or with two tokens', async () => {
      expect((await running.client().post('/auth/backchannel-logout', { logout_token: 'x' })).status).toBe(415)
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const statusOf = async (body: string) =>
        (await running.client().request('POST', '/auth/backchannel-logout', { body, headers: form })).json.code
      expect(await statusOf('a=b')).toBe('invalid-body')
      expect(await statusOf('logout_token=a&logout_token=b')).toBe('invalid-body')
    })
  })
})
