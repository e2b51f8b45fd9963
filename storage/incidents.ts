import type { Kysely, Transaction } from 'kysely'
import type { Alert } from '../agent/domain/alert.ts'
import type { Incident } from '../agent/domain/incident.ts'
import type { Absorbed, Arrival, IncidentStore, IntakeDecision } from '../agent/ports.ts'
import {
  alertIdentity,
  arrivalOf,
  countAgain,
  type Heard,
  heardBefore,
  insertAlert,
  outlived,
  readAlerts,
  readHeard,
  readOpenIncidents,
} from './alerts.ts'
import { storableText } from './content-json.ts'
import { insertEvidence, insertHypotheses, readEvidence, readEvidenceItem, readEvidenceSummaries, readHypotheses } from './evidence.ts'
import { appendFeedback, readFeedback } from './incident-feedback.ts'
import { mergeIncidents, splitIncident } from './incident-parts.ts'
import { appendEvent, type IntakeTurn, insertIncident, readTimeline, takeIntakeTurn, toIncident } from './incident-rows.ts'
import type { Database } from './schema.ts'

const MAX_PAGE = 200
/** Of those that are looked through for what fits. */
const MOST_PAGES = 25
/** An alert that is heard so soon after its incident ended was on its way when that happened. */
const ECHO_MS = 30_000

/** Incidents with their timeline, alerts, evidence and diagnoses. Every method is one transaction. */
export function createIncidentStore({ db, now }: { db: Kysely<Database>; now: () => Date }): IncidentStore {
  const write = <T>(work: (tx: Transaction<Database>) => Promise<T>): Promise<T> => db.transaction().execute(work)
  return {
    absorb: (alert, inboxId, decide) =>
      write(async (tx) => await absorb(tx, { alert, inboxId, decide }, { now: now(), turn: await takeIntakeTurn(tx) })),
    absorbAll: (arrivals) => write((tx) => absorbAll(tx, arrivals, now)),
    get: async (id) => {
      const row = await db.selectFrom('incident').selectAll().where('id', '=', storableText(id)).executeTakeFirst()
      return row ? toIncident(row) : null
    },
    list: (query) => listIncidents(db, query),
    record: (incidentId, event) => write((tx) => appendEvent(tx, incidentId, event, now())),
    timeline: (incidentId) => readTimeline(db, incidentId),
    alerts: (incidentId) => readAlerts(db, incidentId),
    addEvidence: (incidentId, items) => write((tx) => insertEvidence(tx, incidentId, items, now())),
    evidence: (incidentId) => readEvidence(db, incidentId),
    evidenceItem: (incidentId, label) => readEvidenceItem(db, incidentId, label),
    evidenceSummaries: (incidentId) => readEvidenceSummaries(db, incidentId),
    saveHypotheses: (incidentId, hypotheses) => write((tx) => insertHypotheses(tx, incidentId, hypotheses, now())),
    hypotheses: (incidentId) => readHypotheses(db, incidentId),
    merge: (merging) => write((tx) => mergeIncidents(tx, merging, now())),
    split: (splitting) => write((tx) => splitIncident(tx, splitting, now())),
    addFeedback: (incidentId, feedback) => write((tx) => appendFeedback(tx, incidentId, feedback, now())),
    feedback: (incidentId) => readFeedback(db, incidentId),
  }
}

async function absorbAll(tx: Transaction<Database>, arrivals: readonly Arrival[], now: () => Date): Promise<Absorbed[]> {
  if (arrivals.length === 0) return []
  const turn = await takeIntakeTurn(tx)
  const absorbed: Absorbed[] = []
  for (const arrival of arrivals) absorbed.push(await absorb(tx, arrival, { now: now(), turn }))
  return absorbed
}

/** @param within the moment, and the turn that was taken: what it knows is kept up to date for those that follow */
async function absorb(
  tx: Transaction<Database>,
  { alert, inboxId, decide }: Arrival,
  { now, turn }: { now: Date; turn: IntakeTurn },
): Promise<Absorbed> {
  const first = alertIdentity(alert, inboxId, now)
  const before = await heardBefore(tx, first)
  if (before && !isRecurrence(alert, before, await arrivalOf(tx, inboxId, now))) {
    await countAgain(tx, before, now)
    return { decision: { do: 'drop', reason: 'this alert was received before' }, incidentId: before.incidentId, isNew: false }
  }
  const identity = before?.incidentId ? { ...first, occurrence: outlived(first.occurrence, before.incidentId) } : first
  // Read anew for each: people end incidents without taking the turn.
  const decision = decide({ openIncidents: await readOpenIncidents(tx), ...(await readHeard(tx, identity)) })
  const incidentId =
    decision.do === 'attach' ? decision.incidentId : decision.do === 'open' ? await openNext(tx, turn, decision, now) : null
  await insertAlert(tx, { identity, alert, inboxId, decision, incidentId, now })
  if (incidentId !== null) await tellTimeline(tx, incidentId, alert, decision, now)
  return { decision, incidentId, isNew: decision.do === 'open' }
}

async function openNext(
  tx: Transaction<Database>,
  turn: IntakeTurn,
  decision: IntakeDecision & { do: 'open' },
  now: Date,
): Promise<string> {
  turn.last += 1
  return await insertIncident(tx, turn.last, decision, now)
}

/** Sources repeat an alert with its first beginning for as long as it fires: one that outlives its incident is a trouble that is not over. */
function isRecurrence({ status }: Alert, { incidentEndedAt }: Heard, arrivedAt: Date): boolean {
  return status === 'firing' && incidentEndedAt !== null && arrivedAt.getTime() >= incidentEndedAt.getTime() + ECHO_MS
}

async function tellTimeline(
  tx: Transaction<Database>,
  incidentId: string,
  alert: Alert,
  decision: IntakeDecision,
  now: Date,
): Promise<void> {
  if (decision.do === 'drop' || (decision.do === 'attach' && decision.quiet)) return
  const { source, key, name, status, level, startsAt } = alert
  const kind = decision.do === 'open' ? 'incident-opened' : status === 'firing' ? 'alert-received' : 'alert-resolved'
  await appendEvent(tx, incidentId, { kind, text: decision.reason, detail: { source, key, name, status, level, startsAt } }, now)
}

/** Read in pages until enough of them fit. A list that is looked through for long ends short, with the place to go on from. */
async function listIncidents(
  db: Kysely<Database>,
  { fits, ...query }: Parameters<IncidentStore['list']>[0],
): Promise<{ items: Incident[]; next: string | null }> {
  const limit = Math.min(Math.max(Math.trunc(query.limit), 1), MAX_PAGE)
  const items: Incident[] = []
  let after = query.cursor === undefined ? null : readCursor(query.cursor)
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { found, more } = await readPage(db, query, { after, limit: fits ? MAX_PAGE : limit })
    for (const { incident, number } of found) {
      after = number
      if (fits?.(incident) ?? true) items.push(incident)
      if (items.length === limit) return { items, next: more || number !== found.at(-1)?.number ? writeCursor(number) : null }
    }
    if (!more) return { items, next: null }
  }
  return { items, next: after === null ? null : writeCursor(after) }
}

async function readPage(
  db: Kysely<Database>,
  query: Pick<Parameters<IncidentStore['list']>[0], 'state' | 'service'>,
  { after, limit }: { after: number | null; limit: number },
): Promise<{ found: { incident: Incident; number: number }[]; more: boolean }> {
  const rows = await db
    .selectFrom('incident')
    .selectAll()
    .$if(query.state === 'active', (q) => q.where('ended_at', 'is', null))
    .$if(query.state !== undefined && query.state !== 'active', (q) => q.where('state', '=', query.state as Incident['state']))
    .$if(query.service !== undefined, (q) => q.where('service', '=', storableText(query.service ?? '')))
    .$if(after !== null, (q) => q.where('number', '<', after ?? 0))
    .orderBy('number', 'desc')
    .limit(limit + 1)
    .execute()
  return {
    found: rows.slice(0, limit).map((row) => ({ incident: toIncident(row), number: row.number })),
    more: rows.length > limit,
  }
}

function writeCursor(number: number): string {
  return Buffer.from(`incident:${number}`).toString('base64url')
}

/** @throws RangeError for a cursor that no call has given out. */
function readCursor(cursor: string): number {
  const number = /^incident:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1]
  if (number === undefined) throw new RangeError('the cursor is not one that this list has given')
  return Number(number)
}
