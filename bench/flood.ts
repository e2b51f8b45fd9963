import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { alertToCard } from './loop/alert-to-card.ts'
import { flood } from './loop/flooding.ts'
import { signIn } from './loop/person.ts'
import { startServer } from './loop/server-process.ts'
import { distribution, type Figure } from './report.ts'

const ALERTS = 15
/** Until the process has nothing left to do after its start. */
const SETTLE_MS = 5_000

/** How long the cards of other services take while fifty pods of one service send 200 alerts a second: a server process of its own with PGlite. */
export async function run(): Promise<readonly Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const server = await startServer(dataDir)
  try {
    const alice = await signIn(server.url, 'alice')
    await pause(SETTLE_MS)
    const flooding = flood(server.url)
    const cards = await alertToCard(server.url, alice, 'flooded', ALERTS)
    const accepted = await flooding.end()
    return [distribution('alert → card in a flood', 'ms', cards), { name: 'alerts accepted', value: accepted, unit: '1/s', n: ALERTS }]
  } finally {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
