import type { Transaction } from 'kysely'
import type { IncidentStore } from '../agent/ports.ts'
import { placedIn } from './alerts.ts'
import { appendEvent, insertIncident, takeIntakeTurn, toIncident } from './incident-rows.ts'
import type { Database } from './schema.ts'

type Merging = Parameters<IncidentStore['merge']>[0]
type Splitting = Parameters<IncidentStore['split']>[0]

/**
 * Ends one incident as a part of another: its alerts belong there from now on, what was found out stays where it is. Intake waits meanwhile, so
 * no alert comes to the incident that ends.
 *
 * @returns how many alerts went over; null when either of the two is not where it may be
 */
export async function mergeIncidents(tx: Transaction<Database>, { id, into, person, from }: Merging, now: Date): Promise<number | null> {
  await takeIntakeTurn(tx)
  const rows = await tx.selectFrom('incident').selectAll().where('id', 'in', [id, into]).orderBy('number').forUpdate().execute()
  const [part, whole] = [id, into].map((each) => rows.find((row) => row.id === each))
  if (!part || !whole || whole.ended_at !== null || !from.includes(part.state)) return null
  const alerts = await placedIn(tx, id).select('id').execute()
  const ids = alerts.map((alert) => alert.id)
  await moveAlerts(tx, ids, { from: id, to: into, person: person.id, now })
  const detail = { person: person.id, alerts: ids.length }
  await appendEvent(
    tx,
    id,
    {
      kind: 'incident-merged',
      text: `${person.name} merged it into ${into}: what follows is there.`,
      detail: { ...detail, into },
      state: 'resolved',
    },
    now,
  )
  await appendEvent(
    tx,
    into,
    { kind: 'incident-joined', text: `${person.name} merged ${id} (${part.title}) into it.`, detail: { ...detail, joined: id } },
    now,
  )
  return ids.length
}

/**
 * Gives the named alerts an incident of their own, with the severity and environment of the one they leave.
 *
 * @returns the new incident; null when there is nothing to split: no such alert, no alert would be left, or the incident is over
 */
export async function splitIncident(
  tx: Transaction<Database>,
  { id, alerts, person, title, service }: Splitting,
  now: Date,
): ReturnType<IncidentStore['split']> {
  const { last } = await takeIntakeTurn(tx)
  const row = await tx.selectFrom('incident').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (!row || row.ended_at !== null) return null
  const placed = await placedIn(tx, id).select(['id', 'source', 'key']).execute()
  const leaving = placed.filter((alert) => alerts.some(({ source, key }) => alert.source === source && alert.key === key))
  if (leaving.length === 0 || leaving.length === placed.length) return null
  const severityReason = `as ${id}, which it was split from`
  const opened = await insertIncident(tx, last + 1, { ...toIncident(row), title, service, severityReason }, now)
  const detail = { person: person.id, alerts: leaving.length }
  await moveAlerts(
    tx,
    leaving.map((alert) => alert.id),
    { from: id, to: opened, person: person.id, now },
  )
  await appendEvent(
    tx,
    opened,
    { kind: 'incident-opened', text: `${person.name} split it off ${id} (${row.title}).`, detail: { ...detail, splitFrom: id } },
    now,
  )
  await appendEvent(
    tx,
    id,
    { kind: 'incident-split', text: `${person.name} split ${opened} (${title}) off it.`, detail: { ...detail, splitOff: opened } },
    now,
  )
  const fresh = await tx.selectFrom('incident').selectAll().where('id', '=', opened).executeTakeFirstOrThrow()
  return toIncident(fresh)
}

async function moveAlerts(
  tx: Transaction<Database>,
  ids: readonly number[],
  { from, to, person, now }: { from: string; to: string; person: string; now: Date },
): Promise<void> {
  if (ids.length === 0) return
  const rows = ids.map((alert_id) => ({ alert_id, from_incident_id: from, incident_id: to, person_id: person, at: now }))
  await tx.insertInto('alert_move').values(rows).execute()
}
