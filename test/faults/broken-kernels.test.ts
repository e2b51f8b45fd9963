import { expect, it } from 'vitest'
import { BREAKS } from './crash/broken.ts'
import { killAtRandom } from './crash/kill-rounds.ts'
import { print } from './crash/lane-report.ts'
import { pglitePlaces, postgresPlaces } from './crash/stores.ts'

/** How many kills a break may survive before it has to be found. */
const PATIENCE = 60
const MS_A_KILL = 20_000

/** `unfenced` takes two executors to be wrong: see the paused leader. */
it.each(BREAKS.filter((name) => name !== 'unfenced'))(
  'killed at random, a kernel that %s is found out',
  { timeout: 300_000 + PATIENCE * MS_A_KILL },
  async (broken) => {
    const places = (await postgresPlaces()) ?? (await pglitePlaces())
    const report = await killAtRandom({ places, kills: PATIENCE, seed: 1, broken })
    await places.close()
    print('broken on purpose', { broken, store: places.kind, found_after: report.kills, words: report.broken[1] ?? null })
    expect(report.broken).not.toEqual([])
  },
)
