import { expect, it } from 'vitest'
import { crashAtPoints, crashRuns } from '../../faults/crash/crash-runs.ts'
import { killAtRandom } from '../../faults/crash/kill-rounds.ts'
import { pglitePlaces } from '../../faults/crash/stores.ts'

/** Short forms of the faults lane, which does this for every action, on both stores, thousands of times. */
const TIMEOUT = { timeout: 180_000 }

it('dies at every point of an action and of its undo, and the next process settles it truthfully', TIMEOUT, async () => {
  const places = await pglitePlaces()
  const report = await crashAtPoints(places, crashRuns(['k8s.scale'], [1]))
  await places.close()
  expect(report.broken).toEqual([])
  expect(report.crashes).toBe(13)
})

it('is killed at random, and loses, doubles and hides nothing', TIMEOUT, async () => {
  const places = await pglitePlaces()
  const report = await killAtRandom({ places, kills: 3, seed: 1 })
  await places.close()
  expect(report.broken).toEqual([])
  expect(report.counts.executions).toBeGreaterThan(0)
})

it('would notice an executor that acts without its journal', TIMEOUT, async () => {
  const places = await pglitePlaces()
  const report = await killAtRandom({ places, kills: 6, seed: 1, broken: 'no-journal' })
  await places.close()
  expect(report.broken.join('\n')).toContain('was called and is not in the journal')
})
