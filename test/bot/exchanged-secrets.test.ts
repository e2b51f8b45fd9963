import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../agent/domain/model-data.ts'
import { describeDatabases } from '../support/database.ts'
import { anAlert, openEdge } from '../support/edge/edge-harness.ts'

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)]

describeDatabases('secrets that are exchanged', (store) => {
  const database = store.perTest()

  test('hold for the next request, and those before no more', async () => {
    let [key, tokens] = [OLD, [OLD]]
    const live = { apiKeys: () => [{ name: null, key }], webhookTokens: () => tokens }
    const environment = { STEADYHAND_API_KEYS: OLD, STEADYHAND_WEBHOOK_TOKEN: OLD }
    const running = await openEdge(database(), { environment, change: (deps) => ({ ...deps, live }) })
    const statuses = async (secret: string): Promise<number[]> => {
      const headers = { authorization: `Bearer ${secret}` }
      const client = running.client()
      return [(await client.get('/api/v1/mode', headers)).status, (await client.post('/webhooks/alertmanager', anAlert(), headers)).status]
    }
    expect([await statuses(OLD), await statuses(NEW)]).toEqual([
      [200, 202],
      [401, 401],
    ])
    // As it is for a while: senders get a new token later than Steadyhand does.
    ;[key, tokens] = [NEW, [NEW, OLD]]
    expect([await statuses(OLD), await statuses(NEW)]).toEqual([
      [401, 202],
      [200, 202],
    ])
    tokens = [NEW]
    expect([await statuses(OLD), await statuses(NEW)]).toEqual([
      [401, 401],
      [200, 202],
    ])
    await running.close()
  })

  test('see what the workspace sees that names the key', async () => {
    let keys = [{ name: 'reports', key: OLD }]
    const live = { apiKeys: () => keys, webhookTokens: () => [] }
    const pay = { name: 'pay', services: ['payments'], environments: null, data: DATA_KINDS, people: [], keys: ['deploys'], channels: [] }
    const running = await openEdge(database(), {
      environment: { STEADYHAND_API_KEYS: `reports:${OLD},deploys:${NEW}` },
      workspaces: [pay],
      change: (deps) => ({ ...deps, live }),
    })
    const seenWith = async (secret: string): Promise<unknown> => {
      const { status, json } = await running.client().get('/api/v1/services', { authorization: `Bearer ${secret}` })
      return status === 200 ? json.items.map(({ name }: { name: string }) => name) : status
    }
    expect([await seenWith(OLD), await seenWith(NEW)]).toEqual([[], 401])
    keys = [{ name: 'deploys', key: NEW }]
    expect([await seenWith(OLD), await seenWith(NEW)]).toEqual([401, ['payments']])
    await running.close()
  })
})
