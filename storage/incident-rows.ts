import type { Selectable, Transaction } from 'kysely'
import type { Incident, IncidentEvent, IncidentState } from '../agent/domain/incident.ts'
import { contentJson, storableText } from './content-json.ts'
import type { IncidentEventTable, IncidentTable } from './schema/incidents.ts'
import type { Database } from './schema.ts'

const ENDED: readonly IncidentState[] = ['resolved', 'healed']
const MAX_EVENT_TEXT = 4_000

export interface NewEvent {
  kind: string
  text: string
  detail?: Record<string, unknown>
  state?: IncidentState
  from?: readonly IncidentState[]
}

export function toIncident(row: Selectable<IncidentTable>): Incident {
  return {
    id: row.id,
    title: row.title,
    service: row.service,
    environment: row.environment,
    severity: row.severity,
    severityReason: row.severity_reason,
    state: row.state,
    openedAt: row.opened_at,
    endedAt: row.ended_at,
    drillRun: row.drill_run,
  }
}

export function toIncidentEvent(row: Selectable<IncidentEventTable>): IncidentEvent {
  const { incident_id: incidentId, seq, at, kind, text } = row
  return { incidentId, seq, at, kind, text, detail: row.detail as Record<string, unknown> }
}

/**
 * Appends one event, moves the incident when the event says so, and queues the notice, all in the caller's transaction. The incident's row
 * is taken first: it numbers the events and makes writers of one incident take turns.
 *
 * @returns whether it was written: false when the incident is in none of the states of `event.from`.
 */
export async function appendEvent(tx: Transaction<Database>, incidentId: string, event: NewEvent, at: Date): Promise<boolean> {
  const row = await tx
    .selectFrom('incident')
    .select(['state', 'last_event', 'ended_at'])
    .where('id', '=', incidentId)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new Error(`there is no incident ${incidentId}`)
  if (event.from && !event.from.includes(row.state)) return false
  const seq = row.last_event + 1
  const state = event.state ?? row.state
  const endedAt = ENDED.includes(state) ? (row.ended_at ?? at) : null
  await tx.updateTable('incident').set({ last_event: seq, state, ended_at: endedAt }).where('id', '=', incidentId).execute()
  const text = storableText(event.text, MAX_EVENT_TEXT)
  const detail = contentJson(event.detail ?? {})
  await tx.insertInto('incident_event').values({ incident_id: incidentId, seq, at, kind: event.kind, text, detail }).execute()
  await announce(tx, incidentId, seq)
  return true
}

/** Surfaces are told in the transaction of the change, so no change is ever shown that was not kept, and none is kept and never shown. */
async function announce(tx: Transaction<Database>, incidentId: string, seq: number): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      dedupe: `incident:${incidentId}:${seq}`,
      topic: 'incident-changed',
      incident_id: incidentId,
      body: JSON.stringify({ incidentId }),
    })
    .execute()
}
