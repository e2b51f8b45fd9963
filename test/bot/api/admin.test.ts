import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyAuditExport } from '../../../storage/audit-export/verify.ts'
import { checkBackup } from '../../../storage/backup/read.ts'
import { filesOfSuite } from '../../support/backup.ts'
import { describeDatabases } from '../../support/database.ts'
import { HOST_SECRET, openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

const KEY = 'k'.repeat(40)
const PATH = '/api/v1/admin/start-again'
const MISSING_RULE = { name: 'kubernetes/prod', status: 'warning', words: 'a right is missing', fix: 'Grant get pods' } as const

describeDatabases('the operator on the host over HTTP', (store) => {
  const database = store.perSuite()
  const file = filesOfSuite()
  let running: RunningEdge
  beforeAll(async () => {
    running = await openEdge(database(), {
      environment: { STEADYHAND_API_KEYS: KEY },
      change: (deps) => ({ ...deps, integrations: [{ check: async () => [MISSING_RULE] }] }),
    })
  })
  afterAll(() => running.close())

  test('only who has read the secret starts again, and alone', async () => {
    await running.agent.control.stop('*', 'alice')
    const wrong = [{}, { authorization: `Bearer ${KEY}` }, { authorization: `Bearer ${HOST_SECRET}h` }, { authorization: HOST_SECRET }]
    for (const headers of wrong) expect(await running.client().post(PATH, undefined, headers)).toMatchObject({ status: 401 })
    expect(await running.agent.control.stopped()).toHaveLength(1)
    const operator = { authorization: `Bearer ${HOST_SECRET}` }
    expect(await running.client().post(`${PATH}?scope=env:local`, undefined, operator)).toMatchObject({
      status: 422,
      json: { code: 'invalid-parameters' },
    })
    expect(await running.client().post(PATH, undefined, operator)).toMatchObject({ status: 200, json: { scope: '*', started: true } })
    expect(await running.agent.control.stopped()).toEqual([])
  })

  test('only who has read the secret gets a backup, which is whole', async () => {
    expect((await running.client().post('/api/v1/admin/backup', undefined, { authorization: `Bearer ${KEY}` })).status).toBe(401)
    const answer = await fetch(`${running.url}/api/v1/admin/backup`, {
      method: 'POST',
      headers: { authorization: `Bearer ${HOST_SECRET}` },
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
    const path = file('downloaded')
    writeFileSync(path, Buffer.from(await answer.arrayBuffer()))
    expect((await checkBackup(path)).header).toMatchObject({ store: store.kind, product: '0.0.0-test' })
  })

  test('only who has read the secret gets the audit log, signed', async () => {
    const path = '/api/v1/admin/audit-export'
    const operator = { authorization: `Bearer ${HOST_SECRET}` }
    expect((await running.client().get(path, { authorization: `Bearer ${KEY}` })).status).toBe(401)
    expect((await running.client().get(`${path}?since=999999`, operator)).status).toBe(400)
    const answer = await fetch(`${running.url}${path}?since=3`, { headers: operator })
    const saved = file('export.jsonl')
    writeFileSync(saved, Buffer.from(await answer.arrayBuffer()))
    expect(await verifyAuditExport(saved, null)).toMatchObject({ ok: true, from: 4 })
  })

  test('only who has read the secret sees what the database does not know, and takes it over with a reason', async () => {
    const gap = '/api/v1/admin/effect-gap'
    const operator = { authorization: `Bearer ${HOST_SECRET}` }
    expect((await running.client().get(gap)).status).toBe(401)
    expect((await running.client().post(gap, { reason: 'looked' })).status).toBe(401)
    expect(await running.client().get(gap, operator)).toMatchObject({ status: 200, json: { items: [] } })
    const entry = {
      executionId: randomUUID(),
      planId: randomUUID(),
      digest: 'd'.repeat(64),
      resource: 'a/b/c/d',
      at: '2026-03-01T12:00:00Z',
    }
    running.journal.push(entry)
    expect(await running.client().get(gap, operator)).toMatchObject({ json: { items: [entry] } })
    expect((await running.agent.verifyAudit()).violations).toEqual([expect.stringContaining('steadyhand admin accept-gap')])
    expect((await running.agent.mode()).mode).toBe('observe')
    expect(await running.client().post(gap, { reason: ' ' }, operator)).toMatchObject({ status: 422 })
    expect(await running.client().post(gap, { reason: 'looked' }, operator)).toMatchObject({
      status: 200,
      json: { items: [entry] },
    })
    expect(await running.agent.mode()).toEqual({ mode: 'act' })
    const { items } = await running.agent.audit.entries({ limit: 1 })
    expect(items).toMatchObject([{ what: 'accepted_effect-written', actor: 'host', body: { key: { execution_id: entry.executionId } } }])
  })

  test('every service is named to the host, and to nobody else', async () => {
    const path = '/api/v1/admin/services'
    expect((await running.client().get(path)).status).toBe(401)
    expect(await running.client().get(path, { authorization: `Bearer ${HOST_SECRET}` })).toMatchObject({
      status: 200,
      json: { items: [{ service: 'payments', environment: 'local' }] },
    })
  })

  test('what targets and sources say of themselves is told to the host, and to nobody else', async () => {
    const path = '/api/v1/admin/checks'
    expect((await running.client().get(path, { authorization: `Bearer ${KEY}` })).status).toBe(401)
    expect(await running.client().get(path, { authorization: `Bearer ${HOST_SECRET}` })).toMatchObject({
      status: 200,
      json: { items: [MISSING_RULE] },
    })
  })

  test('a caller who asks too often is told what was found last, the host what is so now', async () => {
    const asCaller = async () => (await running.client().get('/api/v1/audit/verify', { authorization: `Bearer ${KEY}` })).json
    const asHost = async () => (await running.client().get('/api/v1/admin/audit/verify', { authorization: `Bearer ${HOST_SECRET}` })).json
    const before = await asHost()
    expect(await asCaller()).toEqual({ ...before, at: expect.stringMatching(/^20.*Z$/) })
    for (let time = 0; time < 10; time += 1) await asCaller()
    await running.agent.control.stop('env:local', 'alice')
    expect((await asCaller()).entries).toBe(before.entries)
    expect((await asHost()).entries).toBeGreaterThan(before.entries)
    expect((await asCaller()).entries).toBeGreaterThan(before.entries)
    await running.agent.control.start('env:local', 'host', 'host')
  })

  test('the secret opens nothing else', async () => {
    const operator = { authorization: `Bearer ${HOST_SECRET}` }
    expect((await running.client().get('/api/v1/incidents', operator)).status).toBe(401)
  })

  test('from another machine not even the secret does', async () => {
    const socket = { remoteAddress: '10.0.0.7', localAddress: '10.0.0.1' }
    const request = new Request(`${running.url}${PATH}`, {
      method: 'POST',
      headers: { host: new URL(running.url).host, authorization: `Bearer ${HOST_SECRET}` },
    })
    expect((await running.edge.app.fetch(request, { incoming: { socket } })).status).toBe(401)
  })
})
