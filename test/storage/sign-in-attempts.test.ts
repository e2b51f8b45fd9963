import { expect, test } from 'vitest'
import { createSignInAttempts } from '../../storage/sign-in-attempts.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

const hash = 'a'.repeat(64)

describeDatabases('attempts to sign in', (store) => {
  const database = store.perTest()

  test('each is taken once, and not after its time', async () => {
    const attempts = createSignInAttempts(database())
    await attempts.begin({ tokenHash: hash, returnTo: '/#/audit', seconds: 600 })
    const taken = await Promise.all([attempts.take(hash), attempts.take(hash), attempts.take(hash)])
    expect(taken.filter((one) => one !== null)).toEqual([{ returnTo: '/#/audit' }])
    await attempts.begin({ tokenHash: hash, returnTo: '/', seconds: 600 })
    await moveClock(database(), 601)
    expect(await attempts.take(hash)).toBeNull()
  })

  test('the next one clears away those whose time is over', async () => {
    const attempts = createSignInAttempts(database())
    await attempts.begin({ tokenHash: hash, returnTo: '/', seconds: 600 })
    await moveClock(database(), 601)
    await attempts.begin({ tokenHash: 'b'.repeat(64), returnTo: '/', seconds: 600 })
    expect(await database().db.selectFrom('sign_in_attempt').select('token_hash').execute()).toEqual([{ token_hash: 'b'.repeat(64) }])
  })

  test.each(['https://evil.example', '//evil.example', '/\\\\evil.example', ''])('the database stores no way out: %j', async (returnTo) => {
    const attempt = createSignInAttempts(database()).begin({ tokenHash: hash, returnTo, seconds: 600 })
    await expect(attempt).rejects.toMatchObject({ constraint: 'sign_in_attempt_returns_here' })
  })

  test('the database keeps none for longer than ten minutes', async () => {
    const attempt = createSignInAttempts(database()).begin({ tokenHash: hash, returnTo: '/', seconds: 601 })
    await expect(attempt).rejects.toMatchObject({ constraint: 'sign_in_attempt_is_short' })
  })
})
