import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { createSessionStore } from '../../storage/sessions.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const HOUR = 3_600

describeDatabases('sessions', (store) => {
  const database = store.perTest()
  beforeEach(async () => {
    await sql`insert into principal (id, kind, name) values ('alice', 'human', 'Alice')`.execute(database().db)
  })
  const openNamed = (token: string, seconds: number = HOUR) =>
    createSessionStore(database()).open({ tokenHash: hash(token), personId: 'alice', seconds, provider: null })

  test('a session is found by its hash until its time is over', async () => {
    const sessions = createSessionStore(database())
    const { expiresAt } = await openNamed('a')
    expect(await sessions.find(hash('a'))).toEqual({ personId: 'alice', method: 'named', expiresAt, provider: null })
    expect(await sessions.find(hash('b'))).toBeNull()
    await moveClock(database(), HOUR - 5)
    expect(await sessions.find(hash('a'))).not.toBeNull()
    await moveClock(database(), HOUR + 5)
    expect(await sessions.find(hash('a'))).toBeNull()
  })

  test('an ended session is gone, and ending it again is no error', async () => {
    const sessions = createSessionStore(database())
    await openNamed('a')
    await sessions.end(hash('a'))
    await sessions.end(hash('a'))
    expect(await sessions.find(hash('a'))).toBeNull()
  })

  test('expired rows are cleared away by the next one', async () => {
    await openNamed('old')
    await moveClock(database(), 2 * HOUR)
    await openNamed('new')
    const rows = await database().db.selectFrom('session').select('token_hash').execute()
    expect(rows).toEqual([{ token_hash: hash('new') }])
  })

  describe('at a provider', () => {
    const openAt = async (token: string, ids: { subject: string; sid: string | null; tenant?: string }) =>
      await createSessionStore(database()).open({
        tokenHash: hash(token),
        personId: 'alice',
        seconds: HOUR,
        provider: { tenant: 'https://a.example', externalId: 'x', sealed: Buffer.from('sealed'), checkAfterSeconds: 300, ...ids },
      })
    const open = async (tokens: string[]) => {
      const found = await Promise.all(tokens.map((token) => createSessionStore(database()).find(hash(token))))
      return tokens.filter((_, index) => found[index] !== null)
    }

    test('a session is checked by one at a time, when it is due', async () => {
      const sessions = createSessionStore(database())
      await openAt('a', { subject: 's', sid: null })
      expect(await sessions.takeCheck(hash('a'), 30)).toBeNull()
      await moveClock(database(), 301)
      expect((await sessions.find(hash('a')))?.provider).toMatchObject({ tenant: 'https://a.example', externalId: 'x', checkDue: true })
      const turn = await sessions.takeCheck(hash('a'), 30)
      expect([turn?.subject, Buffer.from(turn?.sealed ?? []).toString()]).toEqual(['s', 'sealed'])
      expect(await sessions.takeCheck(hash('a'), 30)).toBeNull()
      await moveClock(database(), 332)
      expect(await sessions.takeCheck(hash('a'), 30)).not.toBeNull()
      expect(await sessions.confirm(hash('a'), Buffer.from('fresh'), 300)).toBe(true)
      const { checkDue, unconfirmedSeconds } = (await sessions.find(hash('a')))?.provider ?? {}
      expect([checkDue, Math.round(unconfirmedSeconds ?? -1)]).toEqual([false, 0])
      const { sealed } = await sessions.end(hash('a'))
      expect(Buffer.from(sealed ?? []).toString()).toBe('fresh')
      expect(await sessions.confirm(hash('a'), Buffer.from('late'), 300)).toBe(false)
    })

    test.each([
      ['an account', { subject: 's', sid: null }, ['other', 'elsewhere', 'named']],
      ['one session', { subject: null, sid: '1' }, ['b', 'none', 'elsewhere', 'other', 'named']],
      ['one session of an account', { subject: 's', sid: '1' }, ['b', 'other', 'elsewhere', 'named']],
      ['nothing', { subject: null, sid: null }, ['a', 'b', 'none', 'other', 'elsewhere', 'named']],
    ])('a logout of %s ends those and no others', async (_, gone, left) => {
      const sessions = createSessionStore(database())
      await openAt('a', { subject: 's', sid: '1' })
      await openAt('b', { subject: 's', sid: '2' })
      await openAt('none', { subject: 's', sid: null })
      await openAt('other', { subject: 'o', sid: '3' })
      await openAt('elsewhere', { subject: 's', sid: '1', tenant: 'https://b.example' })
      await openNamed('named')
      const tokens = ['a', 'b', 'none', 'other', 'elsewhere', 'named']
      expect(await sessions.endAtProvider({ tenant: 'https://a.example', ...gone })).toBe(tokens.length - left.length)
      expect((await open(tokens)).sort()).toEqual([...left].sort())
    })
  })

  test('the database refuses more than a working day, a token that is no hash, and an unknown person', async () => {
    await expect(openNamed('long', 8 * HOUR + 1)).rejects.toMatchObject({ constraint: 'session_is_short' })
    const sessions = createSessionStore(database())
    await expect(sessions.open({ tokenHash: 'plain', personId: 'alice', seconds: 1, provider: null })).rejects.toMatchObject({
      constraint: 'session_token_is_a_hash',
    })
    await expect(sessions.open({ tokenHash: hash('x'), personId: 'nobody', seconds: 1, provider: null })).rejects.toThrow()
  })
})
