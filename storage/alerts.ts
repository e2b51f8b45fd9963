import { type SqlBool, sql, type Transaction } from 'kysely'
import type { Alert } from '../agent/domain/alert.ts'
import type { Incident } from '../agent/domain/incident.ts'
import type { IntakeDecision, IntakeFacts } from '../agent/ports.ts'
import { contentJson, storableText } from './content-json.ts'
import { toIncident } from './incident-rows.ts'
import type { Database, Executor } from './schema.ts'

const MAX_OPEN = 200
const MAX_RECEIVED = 50

/** One occurrence of one alert in one status, as the unique constraint of its row names it. */
export interface AlertIdentity {
  source: string
  key: string
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
  return { source: storableText(alert.source), key: storableText(alert.key), status: alert.status, occurrence }
}

/** What was heard of this occurrence last. */
export interface Heard {
  id: number
  incidentId: string | null
  incidentEndedAt: Date | null
}

/** The last row of this occurrence: the first, or that of the latest incident it outlived. Undefined when it is new. */
export async function heardBefore(
  tx: Transaction<Database>,
  { source, key, status, occurrence }: AlertIdentity,
): Promise<Heard | undefined> {
  return tx
    .selectFrom('placed_alert as alert')
    .leftJoin('incident', 'incident.id', 'alert.belongs_to')
    .select(['alert.id', 'alert.belongs_to as incidentId', 'incident.ended_at as incidentEndedAt'])
    .where('alert.source', '=', source)
    .where('alert.key', '=', key)
    .where('alert.status', '=', status)
    .where((eb) => eb.or([eb('occurrence', '=', occurrence), sql<SqlBool>`starts_with(occurrence, ${outlived(occurrence, '')})`]))
    .orderBy('alert.id', 'desc')
    .limit(1)
    .executeTakeFirst()
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

/** Counts one more delivery of an alert that was taken before. */
export async function countAgain(tx: Transaction<Database>, { id }: Heard, now: Date): Promise<void> {
  await tx
    .updateTable('alert')
    .set((eb) => ({ deliveries: eb('deliveries', '+', 1), last_received_at: now }))
    .where('id', '=', id)
    .execute()
}

export async function readOpenIncidents(tx: Transaction<Database>): Promise<Incident[]> {
  const open = await tx.selectFrom('incident').selectAll().where('ended_at', 'is', null).orderBy('number', 'desc').limit(MAX_OPEN).execute()
  return open.map(toIncident)
}

/** What was heard of an alert before, in whichever occurrence. */
export async function readHeard(tx: Transaction<Database>, { source, key }: AlertIdentity): Promise<Omit<IntakeFacts, 'openIncidents'>> {
  const heard = await tx
    .selectFrom('alert')
    .select(['status', 'body', 'received_at', 'last_received_at'])
    .where('source', '=', source)
    .where('key', '=', key)
    .orderBy('id', 'desc')
    .limit(MAX_RECEIVED)
    .execute()
  return {
    known: heard.length === 0 ? null : await readKnown(tx, source, key),
    received: heard.map((row) => ({ status: row.status, startsAt: startsAtOf(row.body), receivedAt: row.received_at })),
  }
}

async function readKnown(tx: Transaction<Database>, source: string, key: string): Promise<IntakeFacts['known']> {
  const last = await tx
    .selectFrom('placed_alert as alert')
    .innerJoin('incident', 'incident.id', 'alert.belongs_to')
    .selectAll('incident')
    .select(['alert.status as alert_status', 'alert.body'])
    .select((eb) =>
      eb
        .selectFrom('alert as each')
        .select((of) => of.fn.sum<number | string>('each.deliveries').as('deliveries'))
        .where('each.source', '=', source)
        .where('each.key', '=', key)
        .as('deliveries'),
    )
    .where('alert.source', '=', source)
    .where('alert.key', '=', key)
    .orderBy('alert.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!last) return null
  const { alert_status: lastStatus, body, deliveries } = last
  return { incident: toIncident(last), lastStatus, lastStartsAt: startsAtOf(body), deliveries: Number(deliveries) }
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

function startsAtOf(body: unknown): string | null {
  return (body as Alert).startsAt
}
