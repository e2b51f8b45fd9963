import { expect, it } from 'vitest'
import { KINDS } from '../support/fake-cloud/actions/provider.ts'
import { crashAtPoints, crashRuns } from './crash/crash-runs.ts'
import { print, rounded } from './crash/lane-report.ts'
import { pglitePlaces, postgresPlaces } from './crash/stores.ts'

const HOUR_MS = 3_600_000

it.each([
  ['pglite', pglitePlaces],
  ['postgres', postgresPlaces],
] as const)('every crash point, twice, for every action, on %s', { timeout: HOUR_MS }, async (kind, openPlaces) => {
  const places = await openPlaces()
  if (!places) return
  const runs = crashRuns()
  const report = await crashAtPoints(places, runs)
  await places.close()
  print(`crash points, ${kind}`, { actions: KINDS.length, runs: runs.length, crashed: report.crashes, took: rounded(report.milliseconds) })
  expect(report.broken).toEqual([])
  expect(report.crashes).toBe(runs.length)
})
