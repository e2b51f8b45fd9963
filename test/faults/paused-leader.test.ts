import { expect, it } from 'vitest'
import { faultOptions } from '../support/fault-options.ts'
import { print, rounded, upperBound } from './crash/lane-report.ts'
import { postgresPlaces } from './crash/stores.ts'
import { measureFailover, sleepThroughCall, takeOver } from './crash/takeovers.ts'

const { kills, seed } = faultOptions()
/** A sixth of the kills: 500 in the long form. */
const TAKEOVERS = Math.ceil(kills / 6)
const MS_A_TAKEOVER = 20_000
const FAILOVER_SECONDS = 20
const MEASURED = 3

it('a leader that was paused has no effect once a standby took over', { timeout: 300_000 + TAKEOVERS * MS_A_TAKEOVER }, async ({
  skip,
}) => {
  const places = await postgresPlaces()
  if (!places) return skip('PostgreSQL')
  const report = await takeOver({ places, takeovers: TAKEOVERS, seed })
  await places.close()
  const { broken, ends, milliseconds, ...rest } = report
  print('takeovers', { seed, ...rest, took: rounded(milliseconds) })
  print('takeovers, where the leader was paused and how it ended', ends)
  expect(broken).toEqual([])
  print('takeovers', { doubled_wrong_or_untrue: upperBound(report.takeovers) })
})

it('takes over within 20 seconds by the clock on the wall', { timeout: 300_000 }, async ({ skip }) => {
  const places = await postgresPlaces()
  if (!places) return skip('PostgreSQL')
  const seconds: number[] = []
  while (seconds.length < MEASURED) seconds.push(await measureFailover(places))
  await places.close()
  print('failover, from the pause of the leader to the next send', { seconds: seconds.map((value) => Number(value.toFixed(2))) })
  expect(Math.max(...seconds)).toBeLessThanOrEqual(FAILOVER_SECONDS)
})

it('gives up a call through which it slept, however late it wakes up', { timeout: 300_000 }, async ({ skip }) => {
  const places = await postgresPlaces()
  if (!places) return skip('PostgreSQL')
  expect(await sleepThroughCall(places)).toEqual([])
  await places.close()
})

it('notices a kernel without its fence', { timeout: 300_000 }, async ({ skip }) => {
  const places = await postgresPlaces()
  if (!places) return skip('PostgreSQL')
  const { broken, takeovers } = await takeOver({ places, takeovers: 40, seed: 1, broken: 'unfenced' })
  await places.close()
  print('broken on purpose', { broken: 'unfenced', found_after: takeovers, words: broken[1] ?? null })
  expect(broken).not.toEqual([])
})
