import type { Selectable, Transaction } from 'kysely'
import type { Incident, IncidentEvent, IncidentState, Severity } from '../agent/domain/incident.ts'
import { contentJson, storableText } from './content-json.ts'
import type { IncidentEventTable, IncidentTable } from './schema/incidents.ts'
import type { Database, Executor } from './schema.ts'

const ENDED: readonly IncidentState[] = ['resolved', 'healed']
const MAX_EVENT_TEXT = 4_000

export interface NewEvent {
  kind: string
  text: string
  detail?: Record<string, unknown>
  state?: IncidentState
  from?: readonly IncidentState[]
  /** True: nothing is written once the incident has ended. */
  whileOpen?: boolean
  /** What a person made of the severity, and why. */
  severity?: { severity: Severity; reason: string }
  /** Asked with the incident's row taken: false writes nothing. */
  unless?: (timeline: readonly IncidentEvent[]) => boolean
  /** Said in the incident's thread as well. */
  tell?: boolean
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

/** What whoever has the turn knows: nobody else opens an incident meanwhile. */
export interface IntakeTurn {
  /** The number of the newest incident. */
  last: number
}

/** Whoever decides where alerts belong takes turns; the row also counts. */
export async function takeIntakeTurn(tx: Transaction<Database>): Promise<IntakeTurn> {
  const { last_incident: last } = await tx
    .selectFrom('intake_turn')
    .select('last_incident')
    .where('id', '=', 1)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return { last }
}

/** Makes the incident of this number, which has to be the next one. */
export async function insertIncident(
  tx: Transaction<Database>,
  number: number,
  opened: Pick<Incident, 'title' | 'service' | 'environment' | 'severity' | 'severityReason' | 'drillRun'>,
  now: Date,
): Promise<string> {
  const id = `inc-${number}`
  await tx.updateTable('intake_turn').set({ last_incident: number }).where('id', '=', 1).execute()
  await tx
    .insertInto('incident')
    .values({
      id,
      number,
      title: storableText(opened.title, 300),
      service: storableText(opened.service, 200),
      environment: storableText(opened.environment, 100),
      severity: opened.severity,
      severity_reason: storableText(opened.severityReason, 1_000),
      opened_at: now,
      drill_run: opened.drillRun,
    })
    .execute()
  return id
}

/**
 * Appends one event, moves the incident when the event says so, and queues the notice, all in the caller's transaction. The incident's row
 * is taken first: it numbers the events and makes writers of one incident take turns.
 *
 * @returns whether it was written: false when `event.from`, `event.whileOpen` or `event.unless` kept it from that.
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
  if (event.whileOpen && row.ended_at !== null) return false
  if (event.unless?.(await readTimeline(tx, incidentId))) return false
  const seq = row.last_event + 1
  const state = event.state ?? row.state
  const endedAt = ENDED.includes(state) ? (row.ended_at ?? at) : null
  const severity = event.severity ? { severity: event.severity.severity, severity_reason: storableText(event.severity.reason, 1_000) } : {}
  await tx
    .updateTable('incident')
    .set({ last_event: seq, state, ended_at: endedAt, ...severity })
    .where('id', '=', incidentId)
    .execute()
  const text = storableText(event.text, MAX_EVENT_TEXT)
  const detail = contentJson(event.detail ?? {})
  await tx.insertInto('incident_event').values({ incident_id: incidentId, seq, at, kind: event.kind, text, detail }).execute()
  await announce(tx, incidentId, seq)
  if (event.tell) await say(tx, incidentId, seq, text)
  return true
}

export async function readTimeline(db: Executor, incidentId: string): Promise<IncidentEvent[]> {
  const rows = await db.selectFrom('incident_event').selectAll().where('incident_id', '=', incidentId).orderBy('seq').execute()
  return rows.map(toIncidentEvent)
}

/** What was noted when the incident was opened; null where nothing was. */
export async function readOpening(db: Executor, incidentId: string): Promise<IncidentEvent['detail'] | null> {
  const row = await db
    .selectFrom('incident_event')
    .select('detail')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'incident-opened')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  return row ? (row.detail as IncidentEvent['detail']) : null
}

/** As a notice is told: once, in its turn, and tried again where a chat is away. */
async function say(tx: Transaction<Database>, incidentId: string, seq: number, words: string): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      dedupe: `notice:incident:${incidentId}:${seq}`,
      topic: 'notice',
      incident_id: incidentId,
      body: JSON.stringify({ incidentId, requestId: null, code: 'incident-told', words }),
    })
    .execute()
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
