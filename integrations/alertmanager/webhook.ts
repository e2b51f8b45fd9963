import { createHash } from 'node:crypto'
import type { Alert } from '../../agent/domain/alert.ts'
import { levelOf, recordOf, textOf, timeOf, triggerOf } from '../ports/alert-fields.ts'
import { type ParsedWebhook, readJsonBody } from '../ports/webhook.ts'
import { type Item, itemSchema, type Webhook, webhookSchema } from './schema.ts'

export const SOURCE = 'alertmanager'

/** More than Alertmanager sends in one group; what exceeds it counts as left out. */
const MAX_ALERTS = 5_000

/** Labels that name the service, the most deliberate first. `job` is last: it often names the exporter. */
const SERVICE_LABELS = [
  'service',
  'service_name',
  'app',
  'app_kubernetes_io_name',
  'deployment',
  'statefulset',
  'daemonset',
  'workload',
  'job',
]
const ENVIRONMENT_LABELS = ['environment', 'env', 'deployment_environment']

/** What Alertmanager sends. */
export const webhookShape = webhookSchema.extend({ alerts: itemSchema.array() })

/** Reads a version 4 webhook of Alertmanager. */
export function parseAlertmanagerWebhook(body: Uint8Array): ParsedWebhook {
  const json = readJsonBody(body)
  if (!json.ok) return json
  const webhook = webhookSchema.safeParse(json.value)
  if (!webhook.success) return { ok: false, code: 'foreign', words: 'the body is not a webhook of Alertmanager: it has no list "alerts"' }
  if (webhook.data.version !== undefined && webhook.data.version !== '4') {
    return {
      ok: false,
      code: 'foreign',
      words: `the webhook has version ${JSON.stringify(webhook.data.version.slice(0, 20))}; version "4" is read`,
    }
  }
  return parseItems(webhook.data)
}

function parseItems(webhook: Webhook): ParsedWebhook {
  const items = webhook.alerts.slice(0, MAX_ALERTS)
  const alerts = items.flatMap((item) => toAlert(item, webhook) ?? [])
  const unusable = items.length - alerts.length
  if (unusable > 0 && alerts.length === 0) {
    return {
      ok: false,
      code: 'no-usable-alert',
      words: `none of the ${unusable} items of "alerts" has labels and a status "firing" or "resolved"`,
    }
  }
  return { ok: true, alerts, unusable, truncated: (webhook.truncatedAlerts ?? 0) + webhook.alerts.length - items.length }
}

function toAlert(value: unknown, webhook: Webhook): Alert | null {
  const item = itemSchema.safeParse(value)
  if (!item.success) return null
  const labels = { ...recordOf(webhook.commonLabels), ...recordOf(item.data.labels) }
  const truncated: Record<string, string> = webhook.truncatedAlerts ? { truncatedAlerts: String(webhook.truncatedAlerts) } : {}
  const annotations = { ...recordOf(webhook.commonAnnotations), ...recordOf(item.data.annotations), ...truncated }
  const status = item.data.status ?? webhook.status
  if ((status !== 'firing' && status !== 'resolved') || Object.keys(labels).length === 0) return null
  const { service, environment } = placeOf(labels)
  return {
    source: SOURCE,
    key: keyOf(item.data, labels),
    name: textOf(labels['alertname'], 300) ?? textOf(annotations['summary'], 300) ?? 'alert without a name',
    status,
    level: levelOf(labels['severity']),
    service,
    environment,
    summary: textOf(annotations['summary'] ?? annotations['description'] ?? annotations['message'], 2_000),
    labels,
    annotations,
    startsAt: timeOf(item.data.startsAt),
    endsAt: status === 'resolved' ? timeOf(item.data.endsAt) : null,
    link: linkOf(item.data.generatorURL) ?? linkOf(webhook.externalURL),
    trigger: triggerOf(service, { ...labels, ...annotations }),
  }
}

/** Whom an alert with these labels is about, and where; null where they do not say. */
export function placeOf(labels: Readonly<Record<string, string>>): { service: string | null; environment: string | null } {
  return { service: firstOf(labels, SERVICE_LABELS), environment: firstOf(labels, ENVIRONMENT_LABELS)?.slice(0, 100) ?? null }
}

function firstOf(labels: Readonly<Record<string, string>>, names: readonly string[]): string | null {
  for (const name of names) {
    const value = textOf(labels[name], 200)
    if (value !== null) return value
  }
  return null
}

/** Alertmanager's own fingerprint, else one made in the same spirit: equal labels are the same alert. */
function keyOf({ fingerprint }: Item, labels: Readonly<Record<string, string>>): string {
  const given = textOf(fingerprint, 128)
  if (given !== null) return given
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return `labels:${createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32)}`
}

function linkOf(value: unknown): string | null {
  const text = textOf(value, 2_000)
  return text !== null && /^https?:\/\/[^\s]+$/i.test(text) ? text : null
}
