import { afterEach, expect, test } from 'vitest'
import { evidenceHash } from '../../../storage/evidence.ts'
import { describeDatabases } from '../../support/database.ts'
import { anAlert, type EdgeOptions, openEdge, type RunningEdge, waitFor, withAnswers } from '../../support/edge/edge-harness.ts'

describeDatabases('incidents over HTTP', (store) => {
  const database = store.perTest()
  const opened: RunningEdge[] = []
  const open = async (options: EdgeOptions = {}): Promise<RunningEdge> => {
    const running = await openEdge(database(), options)
    opened.push(running)
    return running
  }
  afterEach(async () => {
    for (const running of opened.splice(0)) await running.close()
  })

  test('an incident is ended by the word of a person, its request is withdrawn, and nobody else may', async () => {
    const running = await open()
    const request = await running.askSomething()
    const [alice, bob] = [await running.as('alice'), await running.as('bob')]
    const path = '/api/v1/incidents/inc-1/resolve'
    expect(await running.client().post(path, {})).toMatchObject({ status: 401, json: { code: 'no-person' } })
    expect(await bob.post(path, {})).toMatchObject({ status: 403, json: { code: 'not-authorised' } })
    expect(await alice.post('/api/v1/incidents/inc-7/resolve', {})).toMatchObject({ status: 404, json: { code: 'unknown-incident' } })
    expect(await alice.post(path, { reason: 'the sensor is gone' })).toMatchObject({ status: 200, json: { state: 'resolved' } })
    const { timeline } = (await alice.get('/api/v1/incidents/inc-1')).json
    expect(timeline.find(({ kind }: { kind: string }) => kind === 'incident-resolved')).toMatchObject({
      text: 'Resolved by Alice: the sensor is gone.',
      detail: { verdict: 'person', person: 'alice', reason: 'the sensor is gone' },
    })
    expect((await alice.get(`/api/v1/approvals/${request}`)).json).toMatchObject({ state: 'cancelled' })
    expect(await alice.post(path, {})).toMatchObject({ status: 409, json: { code: 'too-late' } })
    expect(running.target.ledger).toEqual([])
  })

  test('each number on a card can be read where it comes from: the stored result, with the hash it was cited by', async () => {
    const running = await open()
    await running.askSomething()
    const bob = await running.as('bob')
    const moment = new Date()
    const item = { kind: 'logs', source: 'test', trust: 'log', status: 'ok', summary: 's', query: 'q', link: null } as const
    await running.stores.incidents.addEvidence('inc-1', [
      { ...item, from: moment, to: moment, content: { lines: ['a <b>line</b>'], errors: 17 } },
      { ...item, from: moment, to: moment, content: [] },
    ])
    const { evidence } = (await bob.get('/api/v1/incidents/inc-1')).json
    expect(evidence).toHaveLength(2)
    for (const item of evidence) {
      const { status, json } = await bob.get(`/api/v1/incidents/inc-1/evidence/${item.label}`)
      expect([status, json]).toEqual([200, { ...item, content: expect.anything() }])
      expect(evidenceHash(json.content)).toBe(item.hash)
    }
    expect(await bob.get('/api/v1/incidents/inc-1/evidence/E999')).toMatchObject({ status: 404, json: { code: 'unknown-evidence' } })
    expect(await bob.get('/api/v1/incidents/inc-7/evidence/E1')).toMatchObject({ status: 404, json: { code: 'unknown-evidence' } })
    expect((await bob.get("/api/v1/incidents/inc-1/evidence/E1';--")).status).toBe(404)
  })

  test('not while an action is under way', async () => {
    const running = await open()
    const id = await running.askSomething()
    const alice = await running.as('alice')
    const reached = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    running.target.beforeEffect = async () => {
      reached.resolve()
      await goOn.promise
    }
    const { digest } = (await alice.get(`/api/v1/approvals/${id}`)).json
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
    await reached.promise
    expect(await alice.post('/api/v1/incidents/inc-1/resolve', {})).toMatchObject({ status: 409, json: { code: 'in-flight' } })
    goOn.resolve()
    await waitFor(async () => ((await alice.get(`/api/v1/approvals/${id}`)).json.state === 'done' ? true : null))
  })

  test('a list reads no contents of evidence, and holds no more full views than can be sent', async () => {
    const limits: number[] = []
    const running = await open({
      change: (deps) =>
        withAnswers(deps, {
          incidents: async (query) => {
            limits.push(query.limit)
            return await deps.agent.incidents(query)
          },
        }),
    })
    await running.client().post('/webhooks/alertmanager', anAlert())
    await waitFor(async () => ((await running.stores.incidents.get('inc-1')) ? true : null))
    const at = new Date('2026-03-01T10:42:00Z')
    const item = {
      kind: 'logs',
      source: 'fake',
      trust: 'log',
      status: 'ok',
      summary: 'lines',
      query: 'all',
      from: at,
      to: at,
      link: null,
    } as const
    await running.stores.incidents.addEvidence('inc-1', [{ ...item, content: { lines: ['x'.repeat(10_000)] } }])
    const view = await running.agent.incident('inc-1')
    expect(view?.evidence.map((each) => [each.label, 'content' in each])).toEqual([['E1', false]])
    const full = (await running.client().get('/api/v1/incidents?limit=200')).json
    expect(full.items[0].evidence).toMatchObject([{ label: 'E1', hash: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    await running.client().get('/api/v1/incidents?limit=200&shape=summary')
    expect(limits).toEqual([50, 200])
  })
})
