import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createLeases } from '../../storage/leases.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

describeDatabases('leases', (store) => {
  const database = store.perTest()

  test('belong to one holder at a time', async () => {
    const leases = createLeases(database())
    expect(await leases.acquire('executor', 'a', 30)).toEqual({ epoch: 1 })
    expect(await leases.acquire('executor', 'b', 30)).toBeNull()
    expect(await leases.acquire('executor', 'a', 30)).toEqual({ epoch: 1 })
    expect(await leases.acquire('announcer', 'b', 30)).toEqual({ epoch: 1 })
    expect(await leases.current('executor')).toEqual({ holder: 'a', epoch: 1, expiresAt: expect.any(Date) })
  })

  test('go to one of many that want them at once', async () => {
    const leases = createLeases(database())
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => leases.acquire('executor', `holder-${index}`, 30)))
    expect(results.filter((result) => result !== null)).toEqual([{ epoch: 1 }])
  })

  test('count a new epoch for each new holder, and for the same one after a lapse', async () => {
    const leases = createLeases(database())
    await leases.acquire('executor', 'a', 30)
    await moveClock(database(), 31)
    expect(await leases.current('executor')).toBeNull()
    expect(await leases.acquire('executor', 'a', 30)).toEqual({ epoch: 2 })
    await moveClock(database(), 62)
    expect(await leases.acquire('executor', 'b', 30)).toEqual({ epoch: 3 })
    expect(await leases.renew('executor', 'a', 2, 30)).toBe(false)
  })

  test('are prolonged only while they are held', async () => {
    const leases = createLeases(database())
    await leases.acquire('executor', 'a', 30)
    await moveClock(database(), 20)
    expect(await leases.renew('executor', 'a', 1, 30)).toBe(true)
    await moveClock(database(), 45)
    expect(await leases.acquire('executor', 'b', 30)).toBeNull()
    expect(await leases.renew('executor', 'a', 2, 30)).toBe(false)
    await moveClock(database(), 55)
    expect(await leases.renew('executor', 'a', 1, 30)).toBe(false)
  })

  test('are free at once when released, for a higher epoch', async () => {
    const leases = createLeases(database())
    await leases.acquire('executor', 'a', 30)
    await leases.release('executor', 'b', 1)
    expect(await leases.acquire('executor', 'b', 30)).toBeNull()
    await leases.release('executor', 'a', 1)
    expect(await leases.renew('executor', 'a', 1, 30)).toBe(false)
    expect(await leases.acquire('executor', 'a', 30)).toEqual({ epoch: 2 })
  })

  test.each([
    ['an epoch that falls', sql`update lease set epoch = epoch - 1`, '23514'],
    ['a new holder in the same epoch', sql`update lease set holder = 'b'`, '23514'],
    ['a deletion', sql`delete from lease`, '23514'],
    ['an emptied table', sql`truncate lease`, '23514'],
    ['an epoch below 1', sql`insert into lease values ('other', 'a', 0, clk())`, '23514'],
  ])('refuse in the database: %s', async (_, statement, code) => {
    const leases = createLeases(database())
    await leases.acquire('executor', 'a', 30)
    await moveClock(database(), 31)
    await leases.acquire('executor', 'a', 30)
    await expect(statement.execute(database().db)).rejects.toMatchObject({ code })
  })
})
