import { expect, test } from 'vitest'
import { createWatchTurn, type WatchLease } from '../../../agent/detection/watch-turn.ts'
import { createLeases, type Leases } from '../../../storage/leases.ts'
import { describeDatabases, moveClock } from '../../support/database.ts'

const SECONDS = 10

describeDatabases('the turn to watch', (store) => {
  const database = store.perTest()
  const leaseOf = (leases: Leases, holder: string): WatchLease => ({
    acquire: () => leases.acquire('detection', holder, SECONDS),
    renew: (epoch) => leases.renew('detection', holder, epoch, SECONDS),
    release: (epoch) => leases.release('detection', holder, epoch),
  })
  const twoReplicas = () => {
    const leases = createLeases(database())
    const rounds: string[] = []
    const replica = (name: string) =>
      createWatchTurn({ lease: leaseOf(leases, name), watches: [{ isNeeded: () => true, round: async () => void rounds.push(name) }] })
    return { rounds, a: replica('a'), b: replica('b') }
  }

  test('is one replica’s until it ends, and the other’s then', async () => {
    const { rounds, a, b } = twoReplicas()
    for (const each of [a, b, a, b]) await each.round()
    await a.end()
    await b.round()
    expect(rounds).toEqual(['a', 'a', 'b'])
  })

  test('goes over when its holder is not heard of', async () => {
    const { rounds, a, b } = twoReplicas()
    await a.round()
    await moveClock(database(), SECONDS + 1)
    for (const each of [b, a]) await each.round()
    expect(rounds).toEqual(['a', 'b'])
  })

  test('is not taken while there is nothing to watch', async () => {
    const leases = createLeases(database())
    await createWatchTurn({ lease: leaseOf(leases, 'a'), watches: [{ isNeeded: () => false, round: async () => {} }] }).round()
    expect(await leases.current('detection')).toBeNull()
  })
})
