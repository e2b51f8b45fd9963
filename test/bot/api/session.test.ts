import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeDatabases, moveClock } from '../../support/database.ts'
import { openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

describeDatabases('sessions over HTTP', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  beforeAll(async () => {
    running = await openEdge(database())
  })
  afterAll(() => running.close())

  test('a named person signs in, is known, and signs out', async () => {
    const browser = running.client()
    expect(await browser.get('/api/v1/session')).toMatchObject({ status: 401, json: { code: 'no-person' } })
    const opened = await browser.signIn('alice')
    expect(opened.json).toMatchObject({ person: { id: 'alice', name: 'Alice', roles: ['approver'] } })
    expect(Date.parse(opened.json.expiresAt) - Date.now()).toBeLessThanOrEqual(8 * 3_600_000 + 1_000)
    expect((await browser.get('/api/v1/session')).json).toEqual({ person: { id: 'alice', name: 'Alice', roles: ['approver'] } })
    const closed = await browser.delete('/api/v1/session')
    expect([closed.status, closed.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
    expect((await browser.get('/api/v1/session')).status).toBe(401)
  })

  test('the cookie can be read by no script and is sent by no other site', async () => {
    const { headers } = await running.client().signIn('bob')
    const [cookie = ''] = headers.getSetCookie()
    expect(cookie).toMatch(/^steadyhand_session=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict$/)
  })

  test('only a hash of the token is kept', async () => {
    const browser = await running.as('carol')
    const token = browser.cookie?.split('=')[1] ?? ''
    const rows = await database().db.selectFrom('session').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(rows.at(-1)?.token_hash).toMatch(/^[0-9a-f]{64}$/)
  })

  test("a proxy's password does not stand in the way of the session", async () => {
    const browser = await running.as('alice')
    const withHeader = async (authorization: string) => (await browser.get('/api/v1/session', { authorization })).status
    expect(await withHeader('Basic dXNlcjpwYXNz')).toBe(200)
    expect(await withHeader(`Bearer ${'k'.repeat(40)}`)).toBe(401)
    expect(await withHeader('Bearer')).toBe(401)
  })

  test.each([
    ['a person nobody knows', { person: 'mallory' }, 404, 'unknown-person'],
    ['a name in capitals', { person: 'Alice' }, 404, 'unknown-person'],
    ['no person', {}, 400, 'invalid-body'],
    ['a list', { person: ['alice'] }, 400, 'invalid-body'],
    ['a field too many', { person: 'alice', roles: ['admin'] }, 400, 'invalid-body'],
    ['a NUL', { person: 'alice\u0000' }, 400, 'invalid-body'],
    ['half a character', { person: '\ud800' }, 400, 'invalid-body'],
  ])('%s is refused', async (_, body, status, code) => {
    expect(await running.client().post('/api/v1/session', body)).toMatchObject({ status, json: { code } })
  })

  test('a token that was made up, cut or changed is nobody', async () => {
    const browser = await running.as('alice')
    const good = browser.cookie ?? ''
    for (const cookie of [
      `${good}x`,
      good.slice(0, -1),
      good.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      'steadyhand_session=',
      'steadyhand_session=alice',
      `x${good}`,
    ]) {
      browser.cookie = cookie
      expect((await browser.get('/api/v1/session')).status).toBe(401)
    }
  })

  describe('is over', () => {
    test('after eight hours', async () => {
      const browser = await running.as('alice')
      await moveClock(database(), 8 * 3_600 - 60)
      expect((await browser.get('/api/v1/session')).status).toBe(200)
      await moveClock(database(), 8 * 3_600 + 60)
      expect((await browser.get('/api/v1/session')).status).toBe(401)
      await moveClock(database(), 0)
    })

    test('once names are switched off, although the row is still there', async () => {
      const browser = await running.as('alice')
      const strict = await openEdge(database(), { namedPeople: false })
      const other = strict.client()
      other.cookie = browser.cookie
      expect((await other.get('/api/v1/session')).status).toBe(401)
      expect((await other.post('/api/v1/session', { person: 'alice' })).json.code).toBe('named-sessions-off')
      await strict.close()
    })

    test('once the person is no longer configured', async () => {
      const browser = await running.as('carol')
      const people = [{ id: 'alice', name: 'Alice', roles: ['approver' as const], environments: null, links: [] }]
      const later = await openEdge(database(), { people })
      const other = later.client()
      other.cookie = browser.cookie
      expect((await other.get('/api/v1/session')).status).toBe(401)
      await later.close()
    })
  })
})
