import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { HOST_SECRET, openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

const KEY = 'k'.repeat(40)
const PATH = '/api/v1/admin/start-again'

describeDatabases('the operator on the host over HTTP', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  beforeAll(async () => {
    running = await openEdge(database(), { environment: { STEADYHAND_API_KEYS: KEY } })
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
