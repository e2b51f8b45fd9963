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

  test('ends: what is under way is told to stop and waited for, and the lease is not taken again', async () => {
    const leases = createLeases(database())
    const words: string[] = []
    const begun = Promise.withResolvers<void>()
    const round = async (signal: AbortSignal): Promise<void> => {
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      words.push(`stopped, ${(await leases.current('detection')) ? 'with' : 'without'} the lease`)
    }
    const turn = createWatchTurn({ lease: leaseOf(leases, 'a'), watches: [{ isNeeded: () => true, round }] })
    const under = turn.round()
    await begun.promise
    await turn.end()
    expect(words).toEqual(['stopped, with the lease'])
    await Promise.all([under, turn.round()])
    expect(words).toHaveLength(1)
    expect(await leaseOf(leases, 'b').acquire()).not.toBeNull()
  })

  test('ends also while it is only just asking for the lease, and leaves it to the other', async () => {
    const leases = createLeases(database())
    const asked = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const rounds: string[] = []
    const slow: WatchLease = {
      ...leaseOf(leases, 'a'),
      async acquire() {
        asked.resolve()
        await go.promise
        return await leaseOf(leases, 'a').acquire()
      },
    }
    const turn = createWatchTurn({ lease: slow, watches: [{ isNeeded: () => true, round: async () => void rounds.push('a') }] })
    const under = turn.round()
    await asked.promise
    const ended = turn.end()
    go.resolve()
    await Promise.all([under, ended])
    expect(rounds).toEqual([])
    expect(await leaseOf(leases, 'b').acquire()).not.toBeNull()
  })

  test('is not taken while there is nothing to watch', async () => {
    const leases = createLeases(database())
    await createWatchTurn({ lease: leaseOf(leases, 'a'), watches: [{ isNeeded: () => false, round: async () => {} }] }).round()
    expect(await leases.current('detection')).toBeNull()
  })
})
