import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Arena, openArena } from '../../faults/races/arena.ts'
import { RACES } from '../../faults/races/races.ts'
import { runRace } from '../../faults/races/run-race.ts'
import { type Missing, type Peer, startPostgres15 } from '../../support/peers.ts'

const ROUNDS = 10
const SEED = 1

let server: Peer | Missing | null = null
let arena: Arena | null = null
beforeAll(async () => {
  server = await startPostgres15()
  if (!('missing' in server)) arena = await openArena(server.url)
})
afterAll(async () => {
  await arena?.close()
  if (server && !('missing' in server)) await server.stop()
})

test.for(RACES)('$name', async (race, context) => {
  if (!arena) return context.skip(server && 'missing' in server ? server.missing : 'the server did not start')
  const report = await runRace(arena, race, { rounds: ROUNDS, seed: SEED })
  expect(report.violations).toEqual([])
})
