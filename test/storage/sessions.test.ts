import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createSessionStore } from '../../storage/sessions.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const HOUR = 3_600

describeDatabases('sessions', (store) => {
  const database = store.perTest()
  beforeEach(async () => {
    await sql`insert into principal (id, kind, name) values ('alice', 'human', 'Alice')`.execute(database().db)
  })
  const open = (token: string, seconds: number = HOUR) =>
    createSessionStore(database()).open({ tokenHash: hash(token), personId: 'alice', seconds, provider: null })

  test('a session is found by its hash until its time is over', async () => {
    const sessions = createSessionStore(database())
    const { expiresAt } = await open('a')
    expect(await sessions.find(hash('a'))).toEqual({ personId: 'alice', method: 'named', expiresAt, provider: null })
    expect(await sessions.find(hash('b'))).toBeNull()
    await moveClock(database(), HOUR - 5)
    expect(await sessions.find(hash('a'))).not.toBeNull()
    await moveClock(database(), HOUR + 5)
    expect(await sessions.find(hash('a'))).toBeNull()
  })

  test('an ended session is gone, and ending it again is no error', async () => {
    const sessions = createSessionStore(database())
    await open('a')
    await sessions.end(hash('a'))
    await sessions.end(hash('a'))
    expect(await sessions.find(hash('a'))).toBeNull()
  })

  test('expired rows are cleared away by the next one', async () => {
    await open('old')
    await moveClock(database(), 2 * HOUR)
    await open('new')
    const rows = await database().db.selectFrom('session').select('token_hash').execute()
    expect(rows).toEqual([{ token_hash: hash('new') }])
  })

  test('the database refuses more than a working day, a token that is no hash, and an unknown person', async () => {
    await expect(open('long', 8 * HOUR + 1)).rejects.toMatchObject({ constraint: 'session_is_short' })
    const sessions = createSessionStore(database())
    await expect(sessions.open({ tokenHash: 'plain', personId: 'alice', seconds: 1, provider: null })).rejects.toMatchObject({
      constraint: 'session_token_is_a_hash',
    })
    await expect(sessions.open({ tokenHash: hash('x'), personId: 'nobody', seconds: 1, provider: null })).rejects.toThrow()
  })
})
