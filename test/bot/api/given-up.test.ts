import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { replayCommand } from '../../../bot/cli/replay.ts'
import { loadConfig } from '../../../bot/config.ts'
import { describeDatabases } from '../../support/database.ts'
import { anAlert, HOST_SECRET, openEdge, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'

const PATH = '/api/v1/admin/given-up'
const OPERATOR = { authorization: `Bearer ${HOST_SECRET}` }

describeDatabases('what was given up', (store) => {
  const database = store.perTest()
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-given-up-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  let running: RunningEdge
  beforeEach(async () => {
    running = await openEdge(database())
    writeFileSync(join(folder, 'host-secret'), `${HOST_SECRET}\n`, { mode: 0o600 })
  })
  afterEach(() => running.close())

  /** `replay` of the command line, of the server that runs here. */
  const replay = async (options: Record<string, string | boolean>): Promise<string> => {
    const lines: string[] = []
    const terminal = { say: (line = '') => void lines.push(line), progress: () => {} }
    const settings = () => loadConfig({ PORT: new URL(running.url).port, STEADYHAND_DATA_DIR: folder }, '/nonexistent')
    await replayCommand.run({ terminal, options, words: [], settings, now: () => new Date() })
    return lines.join('\n')
  }
  const deadJob = async (kind: string, error: string): Promise<number> => {
    const { rows } = await sql<{ id: number }>`
      insert into job (kind, payload, dead_at, last_error) values (${kind}, '{}', clk(), ${error}) returning id`.execute(database().db)
    return rows[0]?.id ?? 0
  }
  /** An alert that could not be taken in. */
  const failedAlert = async (): Promise<number> => {
    const body = new TextEncoder().encode(JSON.stringify(anAlert()))
    const { id } = await running.stores.inbox.accept({ source: 'alertmanager', deliveryKey: 'a', body, headers: {} })
    await sql`update inbox set job_kind = 'intake' where id = ${id}`.execute(database().db)
    await running.stores.inbox.markFailed(id, 'the disk was full')
    return id
  }
  const metric = async (name: string): Promise<string | undefined> =>
    new RegExp(`^steadyhand_${name} (\\d+)$`, 'm').exec((await running.client().get('/metrics')).text)?.[1]

  test('is for the operator on the host alone', async () => {
    const bob = await running.as('bob')
    expect([(await bob.get(PATH)).status, (await bob.post(PATH, { what: 'job', id: 1 })).status]).toEqual([401, 401])
    expect(await running.client().post(PATH, { what: 'vote', id: 1 }, OPERATOR)).toMatchObject({ status: 400 })
    expect(await running.client().post(PATH, { what: 'job', id: 1 }, OPERATOR)).toMatchObject({ json: { result: 'unknown' } })
  })

  test('is listed in words that are fit to be shown, and not endlessly', async () => {
    const id = await deadJob('slack', `no\u001b[31m\u202e ${'x'.repeat(1_900)}`)
    const { json } = await running.client().get(PATH, OPERATOR)
    expect(json).toMatchObject({ items: [{ what: 'job', id, kind: 'slack', again: false }], more: false })
    expect([...json.items[0].why]).toHaveLength(200)
    expect(json.items[0].why).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(await replay({})).toMatch(new RegExp(`^job ${id}  slack  20[^ ]+Z  no.*\\(done in a chat: to be dismissed only\\)`))
  })

  test('an alert becomes an incident after all', async () => {
    const id = await failedAlert()
    expect(await replay({ list: true })).toContain(`delivery ${id}  alertmanager  `)
    expect(await replay({ delivery: String(id) })).toBe(`The delivery ${id} is tried again.`)
    await waitFor(async () => ((await running.stores.incidents.list({ limit: 5 })).items.length > 0 ? true : null))
    await expect(replay({ delivery: String(id) })).rejects.toThrow(`There is no delivery ${id} that was given up`)
  })

  test('--all takes up what may be, says what is left, and that is dismissed', async () => {
    await failedAlert()
    const pressed = await deadJob('slack-press', 'no')
    expect(await metric('jobs_dead')).toBe('1')
    expect(await replay({ all: true })).toBe('Tried again: 1. Left: 1 of what people did in a chat; look at each, then --job ID --dismiss.')
    await expect(replay({ job: String(pressed) })).rejects.toThrow('it is never repeated for them')
    expect(await replay({ job: String(pressed), dismiss: true })).toBe(`The job ${pressed} is dismissed.`)
    expect(await metric('jobs_dead')).toBe('0')
    expect(await replay({})).toBe('Nothing was given up.')
    expect(await replay({ all: true })).toBe('Nothing is to be taken up again.')
  })
})
