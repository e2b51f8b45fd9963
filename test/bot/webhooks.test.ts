import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createReportedChanges } from '../../integrations/reported/index.ts'
import { createStoredDeliveries } from '../../storage/stored-deliveries.ts'
import { anyText } from '../support/any-text.ts'
import { describeDatabases, stopClock } from '../support/database.ts'
import { anAlert, type EdgeOptions, openEdge, type RunningEdge, waitFor } from '../support/edge/edge-harness.ts'

const TOKEN = 't'.repeat(32)

describeDatabases('webhooks', (store) => {
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

  const inbox = async () =>
    await database().db.selectFrom('inbox').select(['source', 'state', 'error', 'headers', 'body']).orderBy('id').execute()
  const counted = async (running: RunningEdge, source: string, result: string): Promise<number> => {
    const { text } = await running.client().get('/metrics')
    return Number(new RegExp(`steadyhand_webhook_deliveries_total\\{source="${source}",result="${result}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
  }

  test('a heartbeat is heard each time it comes, also when the same bytes are a duplicate, and whatever becomes of it', async () => {
    const heard: unknown[] = []
    const change: EdgeOptions['change'] = (deps) => ({
      ...deps,
      agent: {
        ...deps.agent,
        async heard(alerts) {
          heard.push(alerts.map(({ name }) => name))
          throw new Error('it could not be noted')
        },
      },
    })
    const running = await open({ change })
    const answers = [1, 2, 3].map(() => () => running.client().post('/webhooks/alertmanager', anAlert()))
    const statuses = []
    for (const send of answers) statuses.push((await send()).status)
    expect(statuses).toEqual([202, 202, 202])
    expect(heard).toEqual([['HighErrorRatio'], ['HighErrorRatio'], ['HighErrorRatio']])
    expect(await inbox()).toHaveLength(1)
  })

  test('a delivery is stored byte for byte before it is acknowledged, and again it is a duplicate', async () => {
    const running = await open()
    const body = JSON.stringify(anAlert())
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => running.client().post('/webhooks/alertmanager', body, { 'x-secret': 'no' })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(answers.filter(({ json }) => json.duplicate === false)).toHaveLength(1)
    const rows = await inbox()
    expect(rows).toHaveLength(1)
    expect(Buffer.from(rows[0]?.body ?? []).toString()).toBe(body)
    expect(Object.keys(rows[0]?.headers ?? {}).sort()).toEqual(['content-type', 'user-agent'])
    expect([await counted(running, 'alertmanager', 'accepted'), await counted(running, 'alertmanager', 'duplicate')]).toEqual([1, 19])
    await waitFor(async () => ((await running.stores.incidents.list({ limit: 5 })).items.length === 1 ? true : null))
  })

  test('the same bytes are one delivery for five minutes, over the edge of a stretch too, and later they are news', async () => {
    const start = Math.ceil(Date.now() / 300_000) * 300_000 - 2_000
    let seconds = 0
    const running = await open({ change: (deps) => ({ ...deps, now: () => new Date(start + seconds * 1_000) }) })
    const duplicateAfter = async (later: number): Promise<unknown> => {
      seconds = later
      // Stopped, not moved: however long a loaded machine takes, no time passes.
      await stopClock(database(), new Date(start + later * 1_000))
      const { status, json } = await running.client().post('/webhooks/generic', { name: 'disk full', service: 'payments' })
      return status === 202 ? json.duplicate : status
    }
    expect(await duplicateAfter(0)).toBe(false)
    expect(await duplicateAfter(1)).toBe(true)
    expect(await duplicateAfter(5)).toBe(true)
    expect(await duplicateAfter(290)).toBe(true)
    expect(await duplicateAfter(301.5)).toBe(false)
    expect(await duplicateAfter(310)).toBe(true)
    expect(await inbox()).toHaveLength(2)
  })

  test('there is no webhook of a vendor that is not connected', async () => {
    const running = await open()
    for (const vendor of ['pagerduty', 'jira', 'datadog'])
      expect((await running.client().post(`/webhooks/${vendor}`, { event: { event_type: 'incident.triggered' } })).status).toBe(404)
    expect(await inbox()).toEqual([])
  })

  test('what fires again after it was over is news, although its bytes are the same', async () => {
    const running = await open()
    const alert = { name: 'PingDown', service: 'payments' }
    const send = async (status: string): Promise<boolean> =>
      (await running.client().post('/webhooks/generic', { ...alert, status })).json.duplicate
    for (const status of ['firing', 'resolved', 'firing']) expect([await send(status), await send(status)]).toEqual([false, true])
    expect(await inbox()).toHaveLength(3)
  })

  test.each([
    ['half a message', 'alertmanager', '{"version":"4","alerts":[', 400, 'invalid-json'],
    ['nothing', 'generic', '', 400, 'invalid-json'],
    ['a bomb', 'generic', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 400, 'invalid-json'],
    ["another vendor's message", 'alertmanager', '{"hello":"world"}', 422, 'unrecognised-payload'],
    ['another version', 'alertmanager', '{"version":"5","alerts":[]}', 422, 'unrecognised-payload'],
    ['a number', 'generic', '42', 422, 'unrecognised-payload'],
    ['no alert', 'generic', '[]', 422, 'unrecognised-payload'],
    ['no change', 'changes', '[]', 422, 'unrecognised-payload'],
    ['a change without a service', 'changes', '{"summary":"x"}', 422, 'unrecognised-payload'],
  ])('%s is kept, counted and answered in words', async (_, source, body, status, code) => {
    const running = await open()
    const send = () => running.client().request('POST', `/webhooks/${source}`, { body, headers: { 'content-type': 'application/json' } })
    const answer = await send()
    expect(answer).toMatchObject({ status, json: { code, detail: expect.stringMatching(/\w+ \w+/) } })
    await send()
    expect((await inbox()).map(({ source: from, state }) => [from, state])).toEqual([[source, 'rejected']])
    expect(await counted(running, source, 'rejected')).toBe(2)
    expect((await running.stores.incidents.list({ limit: 5 })).items).toEqual([])
  })

  test('a change that is told can be read back when an incident asks what changed', async () => {
    const running = await open()
    expect(
      (await running.client().post('/webhooks/changes', { service: 'payments', summary: 'payments went from v1 to v2', kind: 'release' }))
        .status,
    ).toBe(202)
    const stored = createStoredDeliveries({ db: database().db, source: 'changes' })
    const { changes } = createReportedChanges({ stored, environments: ['local'] })
    const [from, to] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)]
    const summaries = async (services: readonly string[]) =>
      (await changes?.list({ services, from, to }))?.changes.map(({ kind, summary }) => [kind, summary])
    expect(await summaries(['payments'])).toEqual([['release', 'payments went from v1 to v2']])
    expect(await summaries(['checkout'])).toEqual([])
  })

  test('with a token only who has it is heard, and a wrong one stores nothing', async () => {
    const running = await open({ environment: { STEADYHAND_WEBHOOK_TOKEN: TOKEN } })
    const send = (headers: Record<string, string>) => running.client().post('/webhooks/alertmanager', anAlert(), headers)
    const wrong = [
      {},
      { authorization: TOKEN },
      { authorization: `Bearer ${TOKEN}x` },
      { authorization: `Bearer ${TOKEN.slice(1)}` },
      { authorization: `Basic ${TOKEN}` },
      { 'x-token': TOKEN },
    ]
    for (const headers of wrong) expect(await send(headers)).toMatchObject({ status: 401, json: { code: 'no-token' } })
    expect(await inbox()).toEqual([])
    expect((await send({ authorization: `Bearer ${TOKEN}` })).status).toBe(202)
  })

  test('more than a source may send is told to come back, and clicks still go through', async () => {
    const running = await open({
      change: (deps) => ({ ...deps, settings: { ...deps.settings, webhooks: { token: null, perSecond: 1, burst: 5 } } }),
    })
    const alert = (n: number) => running.client().post('/webhooks/alertmanager', anAlert(`2026-03-01T10:42:${String(n).padStart(2, '0')}Z`))
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => alert(n)))
    const limited = answers.filter(({ status }) => status === 429)
    expect(answers.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(8)
    expect(limited.length).toBeGreaterThanOrEqual(22)
    for (const { headers, json } of limited)
      expect([Number(headers.get('retry-after')) >= 1, json.code]).toEqual([true, 'too-many-requests'])
    expect((await running.client().post('/webhooks/generic', { name: 'other source' })).status).toBe(202)
    expect((await (await running.as('alice')).post('/api/v1/commands', { text: 'status' })).status).toBe(200)
  })

  test('what could not be stored is not acknowledged', async () => {
    const running = await open({
      change: (deps) => ({ ...deps, agent: { ...deps.agent, receive: async () => Promise.reject(new Error('disk full')) } }),
    })
    const answer = await running.client().post('/webhooks/alertmanager', anAlert())
    expect(answer).toMatchObject({ status: 503, json: { code: 'not-durable' } })
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.text).not.toContain('disk full')
    expect(await inbox()).toEqual([])
  })

  describe('whatever is sent', () => {
    test('the answer is 202 or 4xx, nothing breaks, and only what can be read becomes an incident', async () => {
      const running = await open({
        change: (deps) => ({ ...deps, settings: { ...deps.settings, webhooks: { token: null, perSecond: 10_000, burst: 100_000 } } }),
      })
      const text = JSON.stringify(anAlert())
      const mutated = fc.oneof(
        fc.tuple(fc.nat(text.length - 1), anyText(3)).map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1)),
        fc.tuple(fc.nat(text.length - 1), fc.nat(40)).map(([at, cut]) => text.slice(0, at) + text.slice(at + cut)),
        fc.constantFrom(
          'null',
          '[]',
          '{}',
          '"x"',
          '1e400',
          '{"__proto__":{"a":1}}',
          '{"alerts":{"length":1}}',
          '{"alerts":[null,1,"x",[]]}',
          '\ufeff{}',
        ),
        fc.jsonValue().map((value) => JSON.stringify({ version: '4', alerts: [value] })),
      )
      await fc.assert(
        fc.asyncProperty(mutated, fc.constantFrom('alertmanager', 'generic', 'changes'), async (body, source) => {
          const { status } = await running.client().post(`/webhooks/${source}`, body)
          expect([202, 400, 422]).toContain(status)
        }),
        { numRuns: 400, seed: 20_260_301 },
      )
      expect(running.lines.filter(({ level }) => level === 'error')).toEqual([])
    })
  })
})
