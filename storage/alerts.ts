import { type SqlBool, sql, type Transaction } from 'kysely'
import type { Alert } from '../agent/domain/alert.ts'
import type { Incident } from '../agent/domain/incident.ts'
import type { IntakeDecision } from '../agent/ports.ts'
import { type AlertName, MAX_REMEMBERED, type Remembered, type RememberedRow } from './alert-memory.ts'
import { contentJson, storableText } from './content-json.ts'
import { toIncident } from './incident-rows.ts'
import type { Database, Executor } from './schema.ts'

const MAX_OPEN = 200

/** One occurrence of one alert in one status, as the unique constraint of its row names it. */
export interface AlertIdentity extends AlertName {
  status: Alert['status']
  occurrence: string
}

/** Where the source does not say when it began, each delivery counts as a new occurrence; whether it is one, intake decides. */
export function alertIdentity(alert: Alert, inboxId: number | null, now: Date): AlertIdentity {
  const occurrence = alert.startsAt
    ? new Date(alert.startsAt).toISOString()
    : inboxId === null
      ? `at:${now.toISOString()}`
      : `inbox:${inboxId}`
  return { ...alertName(alert), status: alert.status, occurrence }
}

export function alertName({ source, key }: Alert): AlertName {
  return { source: storableText(source), key: storableText(key) }
}

/** The last row of this occurrence: the first, or that of the latest incident it outlived. Undefined when it is new. */
export async function heardBefore(
  tx: Transaction<Database>,
  remembered: Remembered,
  { source, key, status, occurrence }: AlertIdentity,
): Promise<RememberedRow | undefined> {
  const again = outlived(occurrence, '')
  const known = remembered.rows.find((row) => row.status === status && (row.occurrence === occurrence || row.occurrence.startsWith(again)))
  if (known || remembered.rows.length < MAX_REMEMBERED) return known
  return await rowsOf(tx, source, key)
    .where('alert.status', '=', status)
    .where((eb) => eb.or([eb('occurrence', '=', occurrence), sql<SqlBool>`starts_with(occurrence, ${again})`]))
    .limit(1)
    .executeTakeFirst()
}

/** The last row that was given to an incident. */
export async function placedBefore(
  tx: Transaction<Database>,
  remembered: Remembered,
  { source, key }: AlertIdentity,
): Promise<(RememberedRow & { incidentId: string }) | undefined> {
  const isPlaced = <T extends { incidentId: string | null }>(row: T | undefined): row is T & { incidentId: string } =>
    row !== undefined && row.incidentId !== null
  const known = remembered.rows.find(isPlaced)
  if (known || remembered.rows.length < MAX_REMEMBERED) return known
  const row = await rowsOf(tx, source, key).where('alert.belongs_to', 'is not', null).limit(1).executeTakeFirst()
  return isPlaced(row) ? row : undefined
}

function rowsOf(tx: Transaction<Database>, source: string, key: string) {
  return tx
    .selectFrom('placed_alert as alert')
    .select([
      'alert.id',
      'alert.status',
      'alert.occurrence',
      'alert.received_at as receivedAt',
      'alert.belongs_to as incidentId',
      'alert.inbox_id as inboxId',
    ])
    .select(sql<string | null>`alert.body ->> 'startsAt'`.as('startsAt'))
    .where('alert.source', '=', source)
    .where('alert.key', '=', key)
    .orderBy('alert.id', 'desc')
}

/** The same occurrence once more, named by the incident it has outlived. */
export function outlived(occurrence: string, incidentId: string): string {
  return `${occurrence} after ${incidentId}`
}

/** When the alert reached Steadyhand: a delivery that is taken up again came when it came first. */
export async function arrivalOf(tx: Transaction<Database>, inboxId: number | null, now: Date): Promise<Date> {
  if (inboxId === null) return now
  const delivery = await tx.selectFrom('inbox').select('received_at').where('id', '=', inboxId).executeTakeFirst()
  return delivery?.received_at ?? now
}

export async function readOpenIncidents(tx: Transaction<Database>): Promise<Incident[]> {
  const open = await tx.selectFrom('incident').selectAll().where('ended_at', 'is', null).orderBy('number', 'desc').limit(MAX_OPEN).execute()
  return open.map(toIncident)
}

export async function insertAlert(
  tx: Transaction<Database>,
  row: { identity: AlertIdentity; alert: Alert; inboxId: number | null; decision: IntakeDecision; incidentId: string | null; now: Date },
): Promise<void> {
  const { identity, alert, decision, now } = row
  await tx
    .insertInto('alert')
    .values({
      ...identity,
      incident_id: row.incidentId,
      inbox_id: row.inboxId,
      body: contentJson(alert),
      decision: decision.do,
      reason: storableText(decision.reason),
      received_at: now,
      last_received_at: now,
    })
    .execute()
}

/** The alerts of one incident in the order in which they came. */
export async function readAlerts(db: Executor, incidentId: string): Promise<(Alert & { receivedAt: Date })[]> {
  const rows = await placedIn(db, incidentId).select(['body', 'received_at']).orderBy('id').execute()
  return rows.map((row) => ({ ...(row.body as Alert), receivedAt: row.received_at }))
}

/** Alerts that belong to the incident now. Those it was given first or later are found by index; where they belong is looked up for these alone. */
export function placedIn(db: Executor, incidentId: string) {
  return db
    .selectFrom('placed_alert')
    .where(({ or, eb, selectFrom }) =>
      or([
        eb('incident_id', '=', incidentId),
        eb('id', 'in', selectFrom('alert_move').select('alert_id').where('incident_id', '=', incidentId)),
      ]),
    )
    .where('belongs_to', '=', incidentId)
}
