import { expect, test } from 'vitest'
import { describeDatabases } from '../support/database.ts'
import { anAlert, openEdge } from '../support/edge/edge-harness.ts'

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)]

describeDatabases('secrets that are exchanged', (store) => {
  const database = store.perTest()

  test('hold for the next request, and those before no more', async () => {
    let [key, tokens] = [OLD, [OLD]]
    const live = { apiKeys: () => [key], webhookTokens: () => tokens }
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
})
