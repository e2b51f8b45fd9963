import { expect, onTestFinished, test } from 'vitest'
import { faultOptions } from '../support/fault-options.ts'
import { startPostgres15 } from '../support/peers.ts'
import { openArena } from './races/arena.ts'
import { BREAKS } from './races/breaks.ts'
import { RACES } from './races/races.ts'
import { inOneLine } from './races/report.ts'
import { runRace } from './races/run-race.ts'

const { rounds, seed } = faultOptions()
/** Far more than a round takes on a busy machine. */
const ROUND_MS = 2_000

test.for(RACES)('$name: $claim', { timeout: 60_000 + rounds * ROUND_MS }, async (race, context) => {
  const server = await startPostgres15()
  if ('missing' in server) return context.skip(server.missing)
  onTestFinished(server.stop)
  const arena = await openArena(server.url)
  const report = await runRace(arena, race, { rounds, seed })
  await arena.close()
  // biome-ignore lint/suspicious/noConsole: the figures are what this lane is run for
  console.log(inOneLine(report, seed))
  expect(report.violations).toEqual([])
})

/** A broken kernel is noticed long before. */
const BROKEN_ROUNDS = 400

test.for(BREAKS)('without $without, "$race" fails', { timeout: 120_000 }, async ({ race: name, without, apply }, context) => {
  const race = RACES.find((known) => known.name === name)
  if (!race) throw new Error(`there is no race "${name}"`)
  const server = await startPostgres15()
  if ('missing' in server) return context.skip(server.missing)
  onTestFinished(server.stop)
  const arena = await openArena(server.url)
  await apply(arena.db)
  const report = await runRace(arena, race, { rounds: BROKEN_ROUNDS, seed, proofEvery: 50, untilViolated: true })
  await arena.close()
  // biome-ignore lint/suspicious/noConsole: the figures are what this lane is run for
  console.log(`without ${without}, race "${name}" fails after ${report.rounds} rounds: ${report.violations[0]}`)
  expect(report.violations).not.toEqual([])
})
