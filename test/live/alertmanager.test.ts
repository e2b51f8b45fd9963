import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, type TestContext, test } from 'vitest'
import { loadConfig } from '../../bot/config.ts'
import { createLog } from '../../bot/log.ts'
import { createApp } from '../../bot/main.ts'
import type { LocalTarget } from '../../integrations/local/index.ts'
import { Client } from '../support/edge/client.ts'
import { approvalThat, auditViolations, readApproval, readIncident, vote, type WireIncident } from '../support/live/drill.ts'
import { until } from '../support/live/until.ts'
import { temporaryFolder } from '../support/peer-process.ts'
import { startAlertmanager, startPrometheus } from '../support/peers.ts'

const MINUTES = 60_000
const SECONDS_TO_FIRE = 120
/** Not the one of the shop's own rule, so that the two cannot be taken for each other. */
const THRESHOLD = '0.15'

test(
  'Prometheus scrapes the shop, its rule fires, Alertmanager delivers, and the loop mends what the alert measures',
  async (context) => {
    const { url, shop } = await startProduct(context)
    const alertmanager = await startAlertmanager({ config: alertmanagerConfig(url) })
    if ('missing' in alertmanager) return context.skip(alertmanager.missing)
    context.onTestFinished(alertmanager.stop)
    const discovery = await serveTargets(context, shop)
    const prometheus = await startPrometheus({ config: prometheusConfig(alertmanager.url, discovery), files: { 'rules.yml': RULES } })
    if ('missing' in prometheus) return context.skip(prometheus.missing)
    context.onTestFinished(prometheus.stop)
    await until('Prometheus reads payments', async () => await isScraped(prometheus.url), 60)

    await shop.drills.begin('bad-release', AbortSignal.timeout(MINUTES))
    const client = new Client(url)
    const incident = await until('both senders are heard in one incident', async () => await heardTwice(client), SECONDS_TO_FIRE)
    const delivered = incident.alerts.find(({ source, service }) => source === 'alertmanager' && service === 'payments')
    expect(delivered).toMatchObject({
      name: 'PaymentsFail',
      status: 'firing',
      level: 'critical',
      trigger: { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: Number(THRESHOLD) },
    })

    const asked = await until(
      'an approval is asked for',
      async () => (await client.get('/api/v1/approvals?state=pending')).json.items[0] ?? null,
      90,
    )
    expect(asked).toMatchObject({ incident: incident.id, run: null, plan: { action: { title: 'Roll back payments from v42 to v41' } } })
    expect(boundsOf(await readIncident(client, incident.id))).toContainEqual(asked.plan.symptom)
    const alice = new Client(url)
    await alice.signIn('alice')
    expect((await vote(alice, asked)).status).toBe(200)
    const done = await approvalThat(client, asked.id, 'is settled', ({ state }) => state === 'done')
    expect(done.execution?.outcome).toBe('verified')
    await until('the incident is resolved', async () => (await readIncident(client, incident.id)).state === 'resolved', 30)
    await until('Alertmanager says that it is over', async () => await isToldOver(client, incident.id), 90)
    const { items } = (await client.get('/api/v1/incidents?limit=100')).json
    expect(items).toHaveLength(1)
    expect((await readApproval(client, asked.id)).execution?.events.filter(({ state }) => state === 'sent')).toHaveLength(1)
    expect(await auditViolations(client)).toEqual([])
  },
  10 * MINUTES,
)

async function startProduct(context: TestContext): Promise<{ url: string; shop: LocalTarget }> {
  const folder = temporaryFolder()
  const app = await createApp(loadConfig({ PORT: '0' }, folder.path), createLog({ level: 'warn' }))
  context.onTestFinished(async () => {
    await app.close()
    folder.remove()
  })
  const { url = '' } = (await app.start()) ?? {}
  const shop = app.integrations.find(({ id }) => id === 'local')
  if (!isShop(shop)) throw new Error('the product runs without its shop')
  return { url, shop }
}

function isShop(integration: object | undefined): integration is LocalTarget {
  return integration !== undefined && 'scrapeTargets' in integration
}

/** The shop's processes come and go; Prometheus asks here where they are. */
async function serveTargets(context: TestContext, shop: LocalTarget): Promise<string> {
  const server = createServer((_request, response) => {
    const targets = shop.scrapeTargets().map(({ address, service, version }) => ({ targets: [address], labels: { service, version } }))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(targets))
  }).listen(0, '127.0.0.1')
  context.onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function isScraped(prometheus: string): Promise<boolean> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent('http_requests_total{service="payments"} > 0')}`)
  const { data } = (await response.json()) as { data: { result: unknown[] } }
  return data.result.length > 0
}

/** The one incident once the shop's own detection and Alertmanager have both told of payments. */
async function heardTwice(client: Client): Promise<WireIncident | null> {
  const { items } = (await client.get('/api/v1/incidents')).json
  for (const { id } of items) {
    const incident = await readIncident(client, id)
    const senders = new Set(incident.alerts.filter(({ service }) => service === 'payments').map(({ source }) => source))
    if (senders.has('alertmanager') && senders.has('local')) return incident
  }
  return null
}

/** What has to hold for an alert of the incident not to fire: what a plan reads again before it runs. */
function boundsOf({ alerts }: WireIncident): unknown[] {
  return alerts.flatMap(({ trigger }) => trigger && { ...trigger, comparator: '<=', threshold: String(trigger.threshold), unit: 'ratio' })
}

async function isToldOver(client: Client, id: string): Promise<boolean> {
  const { alerts } = await readIncident(client, id)
  return alerts.some(({ source, service, status }) => source === 'alertmanager' && service === 'payments' && status === 'resolved')
}

const RULES = `
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: PaymentsFail
        expr: >-
          sum by (service) (rate(http_requests_total{service="payments", status=~"5.."}[5s]))
          / sum by (service) (rate(http_requests_total{service="payments"}[5s])) > ${THRESHOLD}
        labels: { severity: critical, environment: local }
        annotations:
          summary: '{{ $value | humanizePercentage }} of the charges fail'
          metric: error_ratio
          threshold: '${THRESHOLD}'
          comparator: '>'
`

function prometheusConfig(alertmanagerUrl: string, discovery: string): string {
  return `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs: [{ job_name: shop, http_sd_configs: [{ url: '${discovery}', refresh_interval: 1s }] }]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${new URL(alertmanagerUrl).host}'] }] }] }
`
}

function alertmanagerConfig(product: string): string {
  return `
route: { receiver: steadyhand, group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 5s }
receivers: [{ name: steadyhand, webhook_configs: [{ url: '${product}/webhooks/alertmanager' }] }]
`
}
