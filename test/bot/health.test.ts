import { afterEach, expect, test } from 'vitest'
import { createHealth, type Health, type HealthDeps } from '../../bot/health.ts'

const log = { info: () => {}, error: () => {} }
const AWAY = new Error('the database is away')
const opened: Health[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

async function open(change: Partial<HealthDeps> = {}): Promise<string> {
  const health = createHealth({
    settings: { host: '127.0.0.1', hosts: [], healthPort: 0 },
    version: '1.2.3',
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'steadyhand_acts 1\n' },
    notReady: async () => null,
    acts: async () => true,
    isAway: (error) => error === AWAY,
    log,
    ...change,
  })
  opened.push(health)
  const listening = await health.listen()
  if (listening === null) throw new Error('nothing listens')
  return listening.url
}

const get = async (url: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> => {
  const response = await fetch(url, { headers })
  return { status: response.status, text: await response.text() }
}

test('a process that works is alive, ready, and tells its figures', async () => {
  const url = await open()
  expect(await get(`${url}/healthz`)).toEqual({ status: 200, text: '{"status":"ok","product":"steadyhand","version":"1.2.3"}' })
  expect(await get(`${url}/readyz`)).toEqual({ status: 200, text: '{"status":"ready","mode":"act"}' })
  expect(await get(`${url}/metrics`)).toEqual({ status: 200, text: 'steadyhand_acts 1\n' })
})

test('one that only observes is ready: it has to be seen, not restarted', async () => {
  expect((await get(`${await open({ acts: async () => false })}/readyz`)).text).toBe('{"status":"ready","mode":"observe"}')
})

test.each<[string, Partial<HealthDeps>]>([
  ['it is still starting', { notReady: async () => 'It is still starting.' }],
  ['its database is away', { acts: async () => Promise.reject(AWAY) }],
])('while %s it is alive and not ready', async (_, change) => {
  const url = await open(change)
  expect((await get(`${url}/healthz`)).status).toBe(200)
  expect((await get(`${url}/readyz`)).status).toBe(503)
})

test('a fault is told to the log, and not to whoever asks', async () => {
  const lines: object[] = []
  const url = await open({
    acts: async () => Promise.reject(new Error('password=hunter2')),
    log: { ...log, error: (object) => lines.push(object) },
  })
  const { status, text } = await get(`${url}/readyz`)
  expect(status).toBe(500)
  expect(text).not.toContain('hunter2')
  expect(lines).toHaveLength(1)
})

test('nothing else is served there, and not to a page under another name', async () => {
  const url = await open()
  for (const path of ['/', '/api/v1/incidents', '/webhooks/generic']) expect((await get(url + path)).status).toBe(404)
  expect((await fetch(`${url}/metrics`, { headers: { origin: 'http://evil.example' } })).status).toBe(403)
})

test('without a port nothing listens', async () => {
  const health = createHealth({
    settings: { host: '127.0.0.1', hosts: [], healthPort: null },
    version: '1.2.3',
    metrics: { contentType: 'text/plain', text: async () => '' },
    notReady: async () => null,
    acts: async () => true,
    isAway: () => false,
    log,
  })
  expect(await health.listen()).toBeNull()
  await health.close()
})
