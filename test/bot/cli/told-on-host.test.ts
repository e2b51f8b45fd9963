import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reportSchema } from '../../../bot/api/audit.ts'
import { modeSchema } from '../../../bot/api/system.ts'
import { operatorOf, toldOnHost } from '../../../bot/cli/on-host.ts'
import { runningServer } from '../../../bot/cli/server-at.ts'
import { loadConfig, type Settings } from '../../../bot/config.ts'
import { describeDatabases } from '../../support/database.ts'
import { HOST_SECRET, openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

const STEADYHAND_API_KEYS = 'k'.repeat(40)
const WORKSPACES = [{ name: 'pay', services: ['payments'], environments: null, data: [], people: [], keys: [], channels: [] }]

describeDatabases('what the command line on the host is told', (store) => {
  const database = store.perSuite()
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-host-'))
  let running: RunningEdge
  let settings: Settings
  beforeAll(async () => {
    running = await openEdge(database(), { environment: { STEADYHAND_API_KEYS }, workspaces: WORKSPACES })
    running.journal.push({ executionId: 'e', planId: 'p', digest: 'd'.repeat(64), resource: 'a/b/c/d', at: '2026-03-01T12:00:00Z' })
    await running.agent.verifyAudit()
    const { port } = new URL(running.url)
    settings = {
      ...loadConfig({ STEADYHAND_API_KEYS, PORT: port, STEADYHAND_DATA_DIR: folder }, '/nonexistent'),
      workspaces: WORKSPACES,
    }
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await running.close()
  })
  const told = async () => {
    const server = await runningServer(settings)
    if (!server) throw new Error('no server runs')
    const ways = { operator: await operatorOf(settings), server }
    const report = await toldOnHost(ways, '/audit/verify', reportSchema)
    const mode = await toldOnHost(ways, '/mode', modeSchema)
    return [...report.violations, ...mode.reasons].join(' ')
  }

  test.each([
    ['without a secret, what a key is told', null, /an admin sees which.*an admin sees which/],
    ['with that of another server, the same', 'x'.repeat(43), /an admin sees which.*an admin sees which/],
    ['as its operator, everything', HOST_SECRET, /accept-gap.*accept-gap/],
  ])('%s', async (_, secret, words) => {
    if (secret !== null) writeFileSync(join(folder, 'host-secret'), `${secret}\n`, { mode: 0o600 })
    expect(await told()).toMatch(words)
  })
})
