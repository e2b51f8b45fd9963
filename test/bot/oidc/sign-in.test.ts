import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeDatabases, moveClock } from '../../support/database.ts'
import { anAlert, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'
import { freePort } from '../../support/edge/free-port.ts'
import { Browser, type Page } from '../../support/oidc/browser.ts'
import { startProvider, type TestProvider } from '../../support/oidc/provider.ts'
import { openSigningEdge } from '../../support/oidc/signing-edge.ts'

const SESSION = 'steadyhand_session'

describeDatabases('sign-in at an identity provider', (store) => {
  const database = store.perSuite()
  let provider: TestProvider
  let running: RunningEdge
  beforeAll(async () => {
    const port = await freePort()
    provider = await startProvider({ clientUrl: `http://127.0.0.1:${port}` })
    running = await openSigningEdge(database(), { issuer: provider.issuer, port })
  })
  beforeEach(async () => {
    provider.fails = null
    await moveClock(database(), 0)
  })
  afterAll(async () => {
    await running.close()
    await provider.close()
  })

  const at = (path: string): string => running.url + path
  const signIn = async (account: string, returnTo = '/'): Promise<{ browser: Browser; page: Page }> => {
    const browser = new Browser()
    provider.person = account
    const page = await browser.open(at(`/auth/login?returnTo=${encodeURIComponent(returnTo)}`))
    return { browser, page }
  }
  const whoIs = async (browser: Browser): Promise<number> => (await browser.get(at('/api/v1/session'))).status

  test('a linked person is signed in, and comes back to where the sign-in began', async () => {
    const { browser, page } = await signIn('sub-alice', '/?a=1#/incidents/inc-1')
    expect(page.trail.at(-1)).toBe(at('/?a=1#/incidents/inc-1'))
    expect((await browser.get(at('/api/v1/session'))).json).toEqual({ person: { id: 'alice', name: 'Alice', roles: ['approver'] } })
    expect(provider.asked).toContain('/token')
  })

  test('by another name of this machine the browser goes first to the one it will come back to', async () => {
    const browser = new Browser()
    provider.person = 'sub-alice'
    const page = await browser.open(`${running.url.replace('127.0.0.1', 'localhost')}/auth/login?returnTo=/%23/audit`)
    expect(page.trail.slice(1, 2)).toEqual([at('/auth/login?returnTo=%2F%23%2Faudit')])
    expect(page.trail.at(-1)).toBe(at('/#/audit'))
    expect(await whoIs(browser)).toBe(200)
  })

  test('where a proxy speaks https for it, the cookies are bound to that host', async () => {
    const proxied = await openSigningEdge(
      database(),
      { issuer: provider.issuer, port: await freePort() },
      { environment: { STEADYHAND_PUBLIC_URL: 'https://oncall.example.com' } },
    )
    const { headers } = await proxied.client().get('/auth/login')
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-steadyhand_sign_in=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/),
    ])
    const sent = new URL(headers.get('location') ?? '').searchParams
    expect(sent.get('redirect_uri')).toBe('https://oncall.example.com/auth/callback')
    expect([sent.get('code_challenge_method'), sent.get('response_type'), sent.get('scope')]).toEqual(['S256', 'code', 'openid'])
    expect(new Set([sent.get('state'), sent.get('nonce'), sent.get('code_challenge')]).size).toBe(3)
    await proxied.close()
  })

  test.each([
    ['of the same site', false],
    ['of another site, from where the browser sends no strict cookie', true],
  ])('the cookie is new for each sign-in at a provider %s, and the session that the browser had before is over', async (_, strict) => {
    const { browser } = await signIn('sub-alice')
    browser.strict = strict
    const first = browser.cookie(running.url, SESSION)
    expect(first).toMatch(/^[\w-]{43}$/)
    await browser.open(at('/auth/login'))
    expect(browser.cookie(running.url, SESSION)).not.toBe(first)
    const planted = running.client()
    planted.cookie = `${SESSION}=${first}`
    expect(await planted.get('/api/v1/session')).toMatchObject({ status: 401, json: { code: 'session-ended' } })
  })

  test('whoever reads the database finds no token in it', async () => {
    const { browser } = await signIn('sub-alice')
    const token = browser.cookie(running.url, SESSION) ?? ''
    const { db } = database()
    const rows = [await db.selectFrom('session').selectAll().execute(), await db.selectFrom('provider_session').selectAll().execute()]
    const sealed = (await db.selectFrom('provider_session').selectAll().execute()).map((row) => Buffer.from(row.sealed).toString('latin1'))
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(sealed.length).toBeGreaterThan(0)
    for (const text of sealed) expect(text).not.toMatch(/eyJ|refreshToken/)
  })

  describe('nobody is signed in', () => {
    test('who is not linked; the page says which id has to be', async () => {
      const { browser, page } = await signIn('sub-mallory')
      expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
      expect(page.text).toContain(`link id sub-mallory of tenant ${provider.issuer} to you`)
      expect(browser.cookie(running.url, SESSION)).toBeUndefined()
      expect(await whoIs(browser)).toBe(401)
    })

    test('who has the e-mail address, name or id of a person, but not the account', async () => {
      for (const account of ['alice', 'alice@example.com', 'Alice', 'SUB-ALICE']) expect((await signIn(account)).page.status).toBe(403)
    })

    test('by an account whose id is no plain text', async () => {
      const { page } = await signIn('<img src=x onerror=alert(1)>')
      expect(page.status).toBe(403)
      expect(page.text).toContain('&lt;img src=x')
      expect(page.text).not.toContain('<img')
    })

    test('whom the provider refuses', async () => {
      const browser = new Browser()
      provider.person = null
      const page = await browser.open(at('/auth/login'))
      expect(page.status).toBe(403)
      expect(page.text).toContain('access_denied')
      expect(await whoIs(browser)).toBe(401)
    })

    test('with another state, with the answer to another browser, or without having asked', async () => {
      const alice = new Browser()
      provider.person = 'sub-alice'
      alice.stopAt = at('/auth/callback')
      const { url: answer } = await alice.open(at('/auth/login'))
      alice.stopAt = null
      const changed = new URL(answer)
      changed.searchParams.set('state', 'x'.repeat(43))
      const twice = new URL(answer)
      twice.searchParams.append('state', 'x')
      const other = new Browser()
      other.stopAt = at('/auth/callback')
      await other.open(at('/auth/login'))
      other.stopAt = null
      const tries = [
        await alice.get(changed.href),
        await alice.get(twice.href),
        await alice.get(at('/auth/callback')),
        await other.get(answer),
        await new Browser().get(answer),
      ]
      for (const { status, json } of tries) expect([status, json.code]).toEqual([400, 'sign-in-stale'])
      expect([await whoIs(alice), await whoIs(other)]).toEqual([401, 401])
      expect((await alice.open(answer)).trail.at(-1)).toBe(at('/'))
      expect(await whoIs(alice)).toBe(200)
    })

    test('by the same answer twice, even from the same browser', async () => {
      const browser = new Browser()
      provider.person = 'sub-alice'
      browser.stopAt = at('/auth/callback')
      const { url: answer } = await browser.open(at('/auth/login'))
      browser.stopAt = null
      const attempt = browser.cookie(running.url, 'steadyhand_sign_in')
      await browser.open(answer)
      browser.jars.get(running.url)?.set('steadyhand_sign_in', attempt ?? '')
      browser.jars.get(running.url)?.delete(SESSION)
      const asked = provider.asked.filter((path) => path === '/token').length
      expect((await browser.get(answer)).json.code).toBe('sign-in-stale')
      expect(provider.asked.filter((path) => path === '/token')).toHaveLength(asked)
      expect(await whoIs(browser)).toBe(401)
    })

    test('who took longer than ten minutes', async () => {
      const browser = new Browser()
      browser.stopAt = at('/auth/callback')
      const { url: answer } = await browser.open(at('/auth/login'))
      browser.stopAt = null
      await moveClock(database(), 601)
      expect((await browser.get(answer)).json.code).toBe('sign-in-stale')
      expect(await whoIs(browser)).toBe(401)
    })

    test.each(['connection', 'error'] as const)('while the provider is down (%s): at the callback', async (fails) => {
      const browser = new Browser()
      provider.person = 'sub-alice'
      browser.stopAt = at('/auth/callback')
      const { url: answer } = await browser.open(at('/auth/login'))
      browser.stopAt = null
      provider.fails = fails
      const page = await browser.open(answer)
      expect(page.status).toBe(503)
      expect(page.text).toContain('The identity provider does not answer.')
      expect(page.text).not.toMatch(/at .*\.ts:|Error:/)
      expect(await whoIs(browser)).toBe(401)
    })

    test('by name, or with a key of a program', async () => {
      expect((await running.client().post('/api/v1/session', { person: 'alice' })).json.code).toBe('named-sessions-off')
      expect((await running.client().get('/api/v1/sign-in')).json).toEqual({ way: 'provider', at: '/auth/login' })
    })
  })

  describe('the session is over', () => {
    test('after eight hours', async () => {
      const { browser } = await signIn('sub-alice')
      await moveClock(database(), 8 * 3_600 + 60)
      expect((await browser.get(at('/api/v1/session'))).json.code).toBe('session-ended')
    })

    test('soon after the provider took the tokens back; until it is asked again it holds', async () => {
      const { browser } = await signIn('sub-alice')
      provider.revokeEverything()
      await moveClock(database(), 290)
      expect(await whoIs(browser)).toBe(200)
      await moveClock(database(), 310)
      expect(await whoIs(browser)).toBe(401)
      await moveClock(database(), 0)
      expect(await whoIs(browser)).toBe(401)
    })

    test('when the provider was away for a quarter of an hour, and only until it is back', async () => {
      const { browser } = await signIn('sub-alice')
      provider.fails = 'connection'
      await moveClock(database(), 600)
      expect(await whoIs(browser)).toBe(200)
      await moveClock(database(), 910)
      expect(await whoIs(browser)).toBe(401)
      provider.fails = null
      await moveClock(database(), 950)
      expect(await whoIs(browser)).toBe(200)
    })

    test('when the person signs out at the provider, which tells of it', async () => {
      const { browser } = await signIn('sub-alice')
      const { browser: bob } = await signIn('sub-bob')
      const asked = await browser.open(`${provider.issuer}/session/end`)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.text)?.[1] ?? ''
      await browser.submit(`${provider.issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
      expect(provider.logouts).toEqual(['delivered'])
      expect([await whoIs(browser), await whoIs(bob)]).toEqual([401, 200])
    })

    test('once its account is linked to somebody else', async () => {
      const { browser } = await signIn('sub-bob')
      await database().db.updateTable('provider_session').set({ external_id: 'sub-alice' }).where('external_id', '=', 'sub-bob').execute()
      expect(await whoIs(browser)).toBe(401)
    })
  })

  test('calls that come together ask the provider once, and the session goes on with the token it gave', async () => {
    const { browser } = await signIn('sub-alice')
    const before = provider.asked.length
    for (const seconds of [310, 620]) {
      await moveClock(database(), seconds)
      expect(await Promise.all([1, 2, 3, 4].map(() => whoIs(browser)))).toEqual([200, 200, 200, 200])
    }
    expect(provider.asked.slice(before)).toEqual(['/token', '/token'])
  })

  describe('signing out', () => {
    test('ends the session here, and leads to where it ends at the provider', async () => {
      const { browser } = await signIn('sub-alice')
      const token = browser.cookie(running.url, SESSION)
      const { json } = await browser.post(at('/auth/logout'), {})
      const there = new URL(json.continueAt)
      expect([there.origin + there.pathname, there.searchParams.get('post_logout_redirect_uri')]).toEqual([
        `${provider.issuer}/session/end`,
        at('/'),
      ])
      expect(browser.cookie(running.url, SESSION)).toBeUndefined()
      browser.jars.get(running.url)?.set(SESSION, token ?? '')
      expect(await whoIs(browser)).toBe(401)
      const asked = await browser.open(json.continueAt)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.text)?.[1] ?? ''
      const left = await browser.submit(`${provider.issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
      expect(left.trail.at(-1)).toBe(at('/'))
    })

    test('goes on here when the provider is away', async () => {
      const { browser } = await signIn('sub-alice')
      const other = await openSigningEdge(database(), { issuer: provider.issuer, port: await freePort() })
      provider.fails = 'connection'
      browser.jars.set(other.url, new Map(browser.jars.get(running.url)))
      expect((await browser.post(`${other.url}/auth/logout`, {})).json).toEqual({ continueAt: null })
      await other.close()
      expect(await whoIs(browser)).toBe(401)
    })

    test('cannot be caused by another page', async () => {
      const { browser } = await signIn('sub-alice')
      const from = async (headers: Record<string, string>, body: string) =>
        (await browser.send(at('/auth/logout'), { method: 'POST', headers, body })).status
      const form = 'application/x-www-form-urlencoded'
      expect(await from({ origin: 'https://evil.example', 'content-type': 'application/json' }, '{}')).toBe(403)
      expect(await from({ origin: 'null', 'content-type': form }, 'a=b')).toBe(403)
      expect(await from({ 'content-type': form }, 'a=b')).toBe(415)
      expect(await from({}, '')).toBe(400)
      expect((await browser.open(at('/auth/logout'))).status).toBe(405)
      expect(await whoIs(browser)).toBe(200)
    })
  })

  test('a vote counts for the linked person; a viewer, a program and nobody are refused', async () => {
    const sent = await running.client().post('/webhooks/alertmanager', anAlert(), { authorization: `Bearer ${'t'.repeat(32)}` })
    expect(sent.status).toBe(202)
    const id = await waitFor(async () => (await running.stores.approvals.approvals({ state: 'pending', limit: 1 })).items[0]?.id ?? null)
    const [{ browser: alice }, { browser: bob }] = [await signIn('sub-alice'), await signIn('sub-bob')]
    const { digest } = (await alice.get(at(`/api/v1/approvals/${id}`))).json
    const vote = { decision: 'approve', digest }
    const votes = at(`/api/v1/approvals/${id}/votes`)
    expect((await bob.post(votes, vote)).json.code).toBe('not-authorised')
    expect(
      (await running.client().post(`/api/v1/approvals/${id}/votes`, vote, { authorization: `Bearer ${'k'.repeat(32)}` })).json.code,
    ).toBe('not-human')
    expect((await new Browser().post(votes, vote)).json.code).toBe('no-token')
    expect((await alice.post(votes, vote)).json).toMatchObject({ votes: [{ person: 'alice', decision: 'approve' }] })
    const rows = await database().db.selectFrom('vote').select(['surface', 'tenant', 'external_id', 'principal_id']).execute()
    expect(rows).toEqual([{ surface: 'console', tenant: provider.issuer, external_id: 'sub-alice', principal_id: 'alice' }])
  })
})
