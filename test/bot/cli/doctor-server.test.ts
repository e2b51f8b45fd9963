import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examineServer } from '../../../bot/cli/doctor.ts'
import { runningServer } from '../../../bot/cli/server-at.ts'
import { loadConfig, type Settings } from '../../../bot/config.ts'
import { describeDatabases } from '../../support/database.ts'
import { HOST_SECRET, openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

const MISSING_RULE = {
  name: 'kubernetes/prod',
  status: 'warning',
  words: '1 of 9 rights is missing',
  fix: 'Grant list deployments',
} as const

describeDatabases('doctor, while the server runs', (store) => {
  const database = store.perSuite()
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-doctor-'))
  let running: RunningEdge
  let settings: Settings
  beforeAll(async () => {
    running = await openEdge(database(), { change: (deps) => ({ ...deps, integrations: [{ check: async () => [MISSING_RULE] }] }) })
    settings = loadConfig({ PORT: new URL(running.url).port, STEADYHAND_DATA_DIR: folder }, '/nonexistent')
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await running.close()
  })
  const examine = async () => {
    const server = await runningServer(settings)
    if (!server) throw new Error('no server runs')
    return await examineServer(server, settings)
  }

  test('names what only the server sees, and says when it cannot ask', async () => {
    expect(await examine()).toContainEqual(
      expect.objectContaining({
        name: 'targets and sources',
        status: 'warning',
        fix: expect.stringContaining('as the user of the server'),
      }),
    )
    writeFileSync(join(folder, 'host-secret'), `${HOST_SECRET}\n`, { mode: 0o600 })
    expect(await examine()).toContainEqual(MISSING_RULE)
  })
})
