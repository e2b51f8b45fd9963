import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Alert } from '../../agent/domain/alert.ts'
import { levelOf, recordOf, textOf, timeOf, triggerOf } from '../ports/alert-fields.ts'
import { type ParsedWebhook, readJsonBody } from '../ports/webhook.ts'

export const SOURCE = 'generic'

const MAX_ALERTS = 1_000

/** What nobody can read of these says nothing, and the alert counts all the same. */
const readLeniently = (words: string) => z.unknown().optional().describe(words)

/** One alert of the simple shape that README.md of this folder describes. Only `name` has to be there. */
const itemSchema = z.object({
  name: z.string().trim().min(1).max(300),
  status: z.enum(['firing', 'resolved']).default('firing'),
  service: readLeniently('text, at most 200 characters: as the platform calls it'),
  environment: readLeniently('text, at most 100 characters'),
  severity: readLeniently('critical, high, warning, info or a common word for one of them; unknown counts like critical'),
  summary: readLeniently('text for people, at most 2,000 characters'),
  key: readLeniently('what makes it the same alert again, at most 256 characters; name, service and environment when left out'),
  startsAt: readLeniently('RFC 3339'),
  endsAt: readLeniently('RFC 3339'),
  link: readLeniently('an http or https address'),
  labels: readLeniently('an object of texts'),
  metric: readLeniently('what triggered it: error_ratio, latency_p99 …; with a threshold it is read again'),
  threshold: readLeniently('a number in the unit of the metric'),
  comparator: readLeniently('> when left out, or <'),
})

/** What a sender sends: an item that is not of this shape is left out while there are others. */
export const webhookShape = z.union([itemSchema, z.array(itemSchema).min(1), z.object({ alerts: z.array(itemSchema).min(1) })])

/** Reads one alert, a list of alerts, or `{"alerts": […]}`. */
export function parseGenericWebhook(body: Uint8Array): ParsedWebhook {
  const json = readJsonBody(body)
  if (!json.ok) return json
  const items = itemsOf(json.value)
  if (!items)
    return { ok: false, code: 'foreign', words: 'the body is neither an alert {"name": …}, nor a list of them, nor {"alerts": […]}' }
  if (items.length === 0) return { ok: false, code: 'no-usable-alert', words: 'there is nothing in it: the list of alerts is empty' }
  const used = items.slice(0, MAX_ALERTS)
  const alerts = used.flatMap((item) => toAlert(item) ?? [])
  const unusable = used.length - alerts.length
  if (unusable > 0 && alerts.length === 0) {
    return {
      ok: false,
      code: 'no-usable-alert',
      words: 'no alert has a "name" of 1 to 300 characters and a "status" that is "firing" or "resolved"',
    }
  }
  return { ok: true, alerts, unusable, truncated: items.length - used.length }
}

function itemsOf(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return null
  if ('alerts' in value) return Array.isArray(value.alerts) ? value.alerts : null
  return 'name' in value ? [value] : null
}

function toAlert(value: unknown): Alert | null {
  const item = itemSchema.safeParse(value)
  if (!item.success) return null
  const { name, status, ...said } = item.data
  const service = textOf(said.service, 200)
  const severity = textOf(said.severity, 50)
  return {
    source: SOURCE,
    key: textOf(said.key, 256) ?? keyOf(name, service, textOf(said.environment, 100)),
    name,
    status,
    level: levelOf(severity),
    service,
    environment: textOf(said.environment, 100),
    summary: textOf(said.summary, 2_000),
    labels: { ...recordOf(said.labels), ...(severity === null ? {} : { severity }) },
    annotations: {},
    startsAt: timeOf(said.startsAt),
    endsAt: status === 'resolved' ? timeOf(said.endsAt) : null,
    link: /^https?:\/\/[^\s]+$/i.test(String(said.link)) ? textOf(said.link, 2_000) : null,
    trigger: triggerOf(service, { metric: said.metric, threshold: said.threshold, comparator: said.comparator }),
  }
}

/** Without a key, alerts of one name about one service are the same alert. */
function keyOf(name: string, service: string | null, environment: string | null): string {
  return createHash('sha256')
    .update(JSON.stringify([name, service, environment]))
    .digest('hex')
    .slice(0, 32)
}
