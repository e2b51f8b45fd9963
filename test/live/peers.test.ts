import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { createDatabase, postgresServers, startAlertmanager, startChromium, startPrometheus } from '../support/peers.ts'

test.for(postgresServers())('$name gives each caller a database of its own', async ({ start }, context) => {
  const server = await start()
  if ('missing' in server) return context.skip(server.missing)
  onTestFinished(server.stop)
  const [one, other] = [await createDatabase(server.url), await createDatabase(server.url)]
  await query(one.url, 'create table alerts (id int)')
  expect(await query(other.url, "select to_regclass('alerts') as found")).toEqual([{ found: null }])
  await Promise.all([one.drop(), other.drop()])
  await expect(query(one.url, 'select 1')).rejects.toThrow('does not exist')
})

test('PostgreSQL 18 has pgvector, PostgreSQL 15 has not', async (context) => {
  const found = new Map<string, boolean>()
  for (const { name, start } of postgresServers()) {
    const server = await start()
    if ('missing' in server) return context.skip(server.missing)
    const rows = await query(server.url, "select 1 from pg_available_extensions where name = 'vector'")
    found.set(name, rows.length === 1)
    await server.stop()
  }
  if (found.size === 1) return context.skip('both servers (DATABASE_URL names one)')
  expect([...found.values()]).toEqual([false, true])
})

test('Prometheus fires a rule and Alertmanager delivers it', async (context) => {
  const receiver = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void receiver.close())
  const delivered = firstBody(receiver)
  await once(receiver, 'listening')
  const alertmanager = await startAlertmanager({ config: alertmanagerConfig(receiver) })
  if ('missing' in alertmanager) return context.skip(alertmanager.missing)
  onTestFinished(alertmanager.stop)
  const prometheus = await startPrometheus({ config: prometheusConfig(alertmanager.url), files: { 'rules.yml': RULES } })
  if ('missing' in prometheus) return context.skip(prometheus.missing)
  onTestFinished(prometheus.stop)
  expect(JSON.parse(await delivered)).toMatchObject({
    version: '4',
    status: 'firing',
    commonLabels: { alertname: 'Always', service: 'checkout' },
  })
})

test('Chromium shows a page', async (context) => {
  const chromium = await startChromium()
  if ('missing' in chromium) return context.skip(chromium.missing)
  onTestFinished(chromium.stop)
  const page = await chromium.browser.newPage()
  await page.setContent('<button onclick="this.textContent = \'Approved\'">Approve</button>')
  await page.getByRole('button').click()
  expect(await page.getByRole('button').textContent()).toBe('Approved')
})

test('a server that cannot start says why', async (context) => {
  const attempt = await startPrometheus({ config: 'scrape_interval: nonsense' }).catch((error: Error) => error)
  if ('missing' in attempt) return context.skip(attempt.missing)
  expect(attempt).toMatchObject({ message: expect.stringContaining('ended instead of starting') })
  expect(attempt).toMatchObject({ message: expect.stringContaining('scrape_interval') })
})

const RULES = `
groups:
  - name: always
    interval: 1s
    rules:
      - { alert: Always, expr: vector(1), labels: { service: checkout } }
`

function prometheusConfig(alertmanagerUrl: string): string {
  const target = new URL(alertmanagerUrl).host
  return `
global: { evaluation_interval: 1s }
rule_files: [rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${target}'] }] }] }
`
}

function alertmanagerConfig(receiver: Server): string {
  const address = receiver.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return `
route: { receiver: test, group_wait: 0s, group_interval: 1s }
receivers: [{ name: test, webhook_configs: [{ url: 'http://127.0.0.1:${port}/' }] }]
`
}

async function firstBody(server: Server): Promise<string> {
  const [request, response] = await once(server, 'request')
  const chunks: Buffer[] = []
  for await (const chunk of request as IncomingMessage) chunks.push(chunk)
  response.end()
  return Buffer.concat(chunks).toString('utf8')
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
