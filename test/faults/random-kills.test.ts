import { expect, it } from 'vitest'
import { faultOptions } from '../support/fault-options.ts'
import { killAtRandom } from './crash/kill-rounds.ts'
import { print, rounded, upperBound } from './crash/lane-report.ts'
import { pglitePlaces, postgresPlaces } from './crash/stores.ts'

const { kills, seed } = faultOptions()
const ON_POSTGRES = Math.floor(kills / 3)
const MS_A_KILL = 20_000

it.each([
  ['pglite', kills - ON_POSTGRES, pglitePlaces],
  ['postgres', ON_POSTGRES, postgresPlaces],
] as const)(
  'random kill -9 on %s, %i times: nothing lost, doubled or unannounced',
  { timeout: 300_000 + kills * MS_A_KILL },
  async (...args) => {
    const [kind, count, openPlaces] = args
    const places = await openPlaces()
    if (!places || count === 0) return
    const report = await killAtRandom({ places, kills: count, seed })
    await places.close()
    const { broken, counts, milliseconds, ...rest } = report
    print(`random kills, ${kind}`, { seed, ...rest, ...counts, took: rounded(milliseconds), a_kill: rounded(milliseconds / report.kills) })
    expect(broken).toEqual([])
    // Nothing is proven by people whose approvals all expired.
    if (count >= 20) expect(counts.calls).toBeGreaterThan(count / 10)
    print(`random kills, ${kind}`, { lost_doubled_wrong_or_unannounced: upperBound(report.kills) })
  },
)
