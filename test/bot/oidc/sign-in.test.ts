import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeDatabases, moveClock } from '../../support/database.ts'
import { freePort } from '../../support/edge/free-port.ts'
import { anAlert, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'
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
})
