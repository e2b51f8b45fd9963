import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pace } from '../../bot/slack/deliverer.ts'
import { openDatabase } from '../../storage/database.ts'
import { migrateToLatest } from '../../storage/migrate.ts'
import { openEdge, type RunningEdge } from '../../test/support/edge/edge-harness.ts'
import type { Person } from '../../test/support/slack/person.ts'
import { type SlackServer, type SlackServerOptions, startSlackServer } from '../../test/support/slack/server.ts'
import type { Conversation } from '../../test/support/slack/world.ts'

/** Steadyhand with its files on disk, in a workspace where Alice may approve. */
export interface Product {
  readonly slack: SlackServer
  readonly running: RunningEdge
  readonly channel: Conversation
  readonly alice: Person
  /** Sends an alert of Alertmanager; another name is another cause. */
  readonly alert: (name: string, instance: number) => Promise<number>
}

export interface ProductOptions {
  readonly pace: Pace
  readonly server?: SlackServerOptions
}

/** Runs `measure` against a product of its own, and takes everything away again. */
export async function withProduct<T>({ pace, server = {} }: ProductOptions, measure: (product: Product) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const database = await openDatabase({ dataDir: join(folder, 'data'), now: () => new Date() })
  await migrateToLatest(database.db)
  const slack = await startSlackServer(server)
  const alice = slack.person('alice')
  const channel = slack.channel('incidents', [alice])
  const settings = join(folder, 'steadyhand.yaml')
  writeFileSync(settings, `slack: { channel: ${channel.id} }\n`)
  const link = { surface: 'slack', tenant: slack.teamId, externalId: alice.id }
  const running = await openEdge(database, {
    environment: {
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_SIGNING_SECRET: slack.signingSecret,
      STEADYHAND_CONFIG: settings,
    },
    people: [{ id: 'alice', name: 'Alice', roles: ['approver'], environments: null, links: [link] }],
    slackPace: pace,
  })
  slack.sendTo(`${running.url}/slack/events`)
  try {
    return await measure({ slack, running, channel, alice, alert: (name, instance) => sendAlert(running.url, name, instance) })
  } finally {
    await running.close()
    await slack.close()
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function sendAlert(url: string, name: string, instance: number): Promise<number> {
  const alert = {
    status: 'firing',
    labels: { alertname: name, service: 'payments', environment: 'local', severity: 'critical', instance: `payments-${instance}` },
    annotations: { summary: 'more than 5 % of the requests fail' },
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://127.0.0.1:9090/graph',
    fingerprint: `${name}-${instance}`,
  }
  const group = { version: '4', status: 'firing', receiver: 'steadyhand', groupKey: `{}:{alertname="${name}"}`, truncatedAlerts: 0 }
  const response = await fetch(`${url}/webhooks/alertmanager`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...group, alerts: [alert] }),
  })
  await response.arrayBuffer()
  return response.status
}
