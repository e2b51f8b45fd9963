import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import type { Client } from '../../support/edge/client.ts'
import { openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

describeDatabases('charts over HTTP', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  let bob: Client
  beforeAll(async () => {
    running = await openEdge(database())
    bob = await running.as('bob')
    await running.askSomething()
  })
  afterAll(() => running.close())

  const hour = (): string => {
    const to = new Date()
    return `from=${new Date(to.getTime() - 600_000).toISOString()}&to=${to.toISOString()}`
  }

  test("an incident's chart is a picture with words, and unchanged while nothing changes", async () => {
    const chart = await bob.get('/api/v1/incidents/inc-1/chart.png?v=3')
    expect([chart.status, chart.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(decodeURIComponent(chart.headers.get('x-alt-text') ?? '')).toMatch(/^Chart of errors of payments, .* alert: HighErrorRatio\./)
    expect(chart.text.slice(1, 4)).toBe('PNG')
    expect(await bob.get('/api/v1/incidents/inc-9/chart.png')).toMatchObject({ status: 404, json: { code: 'unknown-incident' } })
  })

  test('a metric over a window; what cannot be drawn is said', async () => {
    const path = '/api/v1/charts/metric.png'
    const chart = await bob.get(`${path}?metric=error_ratio&service=payments&${hour()}`)
    expect(chart.status).toBe(200)
    expect(await bob.get(`${path}?metric=gremlins&service=payments&${hour()}`)).toMatchObject({ status: 400 })
    expect(await bob.get(`${path}?metric=error_ratio&service=nowhere&${hour()}`)).toMatchObject({
      status: 404,
      json: { code: 'unknown-target' },
    })
    const day = 'from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:01Z'
    expect(await bob.get(`${path}?metric=error_ratio&service=payments&${day}`)).toMatchObject({
      status: 400,
      json: { code: 'invalid-query' },
    })
    running.target.errors['v2'] = undefined
    expect(await bob.get(`${path}?metric=error_ratio&service=payments&${hour()}`)).toMatchObject({
      status: 404,
      json: { code: 'no-samples' },
    })
    running.target.errors['v2'] = 0.9
  })

  test('the command shows the same, at an address of our own, with alt text', async () => {
    const { json } = await bob.post('/api/v1/commands', { text: 'metric errors of payments, last 10m' })
    const image = json.blocks.find(({ type }: { type: string }) => type === 'image')
    expect(image.alt_text).toMatch(/^Chart of errors of payments/)
    expect(image.image_url.startsWith(`${running.url}/api/v1/charts/metric.png?metric=error_ratio&service=payments&from=`)).toBe(true)
    expect((await bob.get(image.image_url.slice(running.url.length))).status).toBe(200)
  })
})
