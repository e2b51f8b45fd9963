import { type Alert, UNKNOWN } from '../domain/alert.ts'
import { redact } from '../redact.ts'
import { findWorkload, type Inventory } from '../topology/inventory.ts'

/** An alert with its place in the inventory. */
export interface PlacedAlert {
  alert: Alert
  /** The service as the inventory spells it, else as the alert names it, else 'unknown'. */
  service: string
  environment: string
  /** Whether the inventory holds this service: only then anything can be done about it. */
  known: boolean
  /** Why the service is not known, in words; null when it is. */
  doubt: string | null
}

const MAX_LABELS_TOTAL = 16_384
const MAX_ANNOTATIONS_TOTAL = 32_768

/** Masks secrets, bounds what outsiders can fill, and finds the service in the inventory. Text decides nothing else. */
export function normalise(alert: Alert, inventory: Inventory): PlacedAlert {
  const clean: Alert = {
    ...alert,
    name: redact(alert.name),
    summary: alert.summary === null ? null : redact(alert.summary),
    labels: boundRecord(alert.labels, MAX_LABELS_TOTAL),
    annotations: boundRecord(alert.annotations, MAX_ANNOTATIONS_TOTAL),
    link: alert.link !== null && /^https?:\/\//i.test(alert.link) ? redact(alert.link) : null,
  }
  return { alert: clean, ...place(clean, inventory) }
}

function place({ service, environment }: Alert, inventory: Inventory): Omit<PlacedAlert, 'alert'> {
  const said = service?.trim() || null
  const fallback = { service: said ?? UNKNOWN, environment: environment?.trim() || UNKNOWN, known: false }
  if (said === null) return { ...fallback, doubt: 'the alert names no service' }
  const workload = findWorkload(inventory, { service: said, environment })
  if (workload) return { service: workload.service, environment: workload.environment, known: true, doubt: null }
  const unread = inventory.missing.length > 0 ? `; the inventory could not be read whole (${inventory.missing.join('; ')})` : ''
  return { ...fallback, doubt: `unknown service: the inventory has no single service that fits what the alert names${unread}` }
}

/** Keeps entries in order until the total is reached; what is left out is said. */
function boundRecord(record: Readonly<Record<string, string>>, max: number): Record<string, string> {
  const kept: [string, string][] = []
  let used = 0
  let omitted = 0
  for (const [key, value] of Object.entries(record)) {
    used += key.length + value.length
    if (used <= max) kept.push([key, redact(value)])
    else omitted += 1
  }
  return Object.fromEntries(omitted === 0 ? kept : [...kept, ['omitted', `${omitted} more`]])
}
