import type { Kysely, Transaction } from 'kysely'
import type { Alert } from '../agent/domain/alert.ts'
import type { Incident } from '../agent/domain/incident.ts'
import type { Absorbed, Arrival, IncidentStore, IntakeDecision, IntakeFacts } from '../agent/ports.ts'
import { type AlertMemory, createAlertMemory, type Remembered, type RememberedRow } from './alert-memory.ts'
import {
  alertIdentity,
  alertName,
  arrivalOf,
  heardBefore,
  insertAlert,
  outlived,
  placedBefore,
  readAlerts,
  readOpenIncidents,
} from './alerts.ts'
import { storableText } from './content-json.ts'
import { insertEvidence, insertHypotheses, readEvidence, readEvidenceItem, readEvidenceSummaries, readHypotheses } from './evidence.ts'
import { appendFeedback, readFeedback } from './incident-feedback.ts'
import { mergeIncidents, splitIncident } from './incident-parts.ts'
import { appendEvent, type IntakeTurn, insertIncident, readOpening, readTimeline, takeIntakeTurn, toIncident } from './incident-rows.ts'
import type { Database } from './schema.ts'

const MAX_PAGE = 200
/** Of those that are looked through for what fits. */
const MOST_PAGES = 25
/** An alert that is heard so soon after its incident ended was on its way when that happened. */
const ECHO_MS = 30_000
/** Incidents that end while an alert is given to them. */
const MOST_TRIES = 5

/** Incidents with their timeline, alerts, evidence and diagnoses. Every method is one transaction. */
export function createIncidentStore({ db, now }: { db: Kysely<Database>; now: () => Date }): IncidentStore {
  const write = <T>(work: (tx: Transaction<Database>) => Promise<T>): Promise<T> => db.transaction().execute(work)
  return {
    absorb: async (alert, inboxId, decide) => {
      const [absorbed] = await write((tx) => absorbAll(tx, [{ alert, inboxId, decide }], now))
      if (!absorbed) throw new Error('an alert was absorbed and nothing came of it')
      return absorbed
    },
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
  const open: Within['open'] = { incidents: null }
  const absorbed: Absorbed[] = []
  const memory = createAlertMemory(
    tx,
    arrivals.map(({ alert }) => alertName(alert)),
  )
  for (const arrival of arrivals) absorbed.push(await absorb(tx, arrival, { now: now(), turn, open, memory }))
  await memory.keep(now())
  return absorbed
}

/** What a turn of intake works with: the moment, the number of the newest incident, and what is open, read when it is first needed. */
interface Within {
  now: Date
  turn: IntakeTurn
  open: { incidents: readonly Incident[] | null }
  memory: AlertMemory
}

async function absorb(tx: Transaction<Database>, { alert, inboxId, decide }: Arrival, within: Within): Promise<Absorbed> {
  const { now, turn, open, memory } = within
  const first = alertIdentity(alert, inboxId, now)
  const remembered = await memory.of(first)
  const before = await heardBefore(tx, remembered, first)
  const endedAt = before?.incidentId ? (await incidentOf(tx, before.incidentId, within)).endedAt : null
  if (before && !(await isRecurrence(tx, alert, inboxId, endedAt, now))) {
    memory.countAgain(first, before.id)
    return { decision: { do: 'drop', reason: 'this alert was received before' }, incidentId: before.incidentId, isNew: false }
  }
  const identity = before?.incidentId ? { ...first, occurrence: outlived(first.occurrence, before.incidentId) } : first
  const placed = await placedBefore(tx, remembered, first)
  const old = before ? null : await oldNews(tx, { alert, inboxId, remembered, placed }, within)
  if (old) {
    memory.countAgain(first, old.id)
    return { decision: { do: 'drop', reason: 'it came before what was heard of it last' }, incidentId: old.incidentId, isNew: false }
  }
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const decision = decide(await factsOf(tx, remembered, placed, within))
    const repeated =
      decision.do === 'drop' && decision.repeats && alert.startsAt === null
        ? remembered.rows.find(({ status }) => status === alert.status)
        : undefined
    if (repeated) {
      memory.countAgain(first, repeated.id)
      return { decision, incidentId: repeated.incidentId, isNew: false }
    }
    const incidentId =
      decision.do === 'attach' ? decision.incidentId : decision.do === 'open' ? await openNext(tx, turn, decision, now) : null
    // Somebody ended it since it was read: what may be joined now is another question.
    const isTold = incidentId === null || (await tellTimeline(tx, incidentId, alert, decision, now))
    if (!isTold || decision.do === 'open') open.incidents = null
    if (!isTold) continue
    memory.forget(first)
    await insertAlert(tx, { identity, alert, inboxId, decision, incidentId, now })
    return { decision, incidentId, isNew: decision.do === 'open' }
  }
  throw new Error(`where an alert belongs was decided ${MOST_TRIES} times, and each time it was an incident that had ended`)
}

/** Open incidents are read once for a transaction: whoever joins one looks at it again, with its row taken. */
async function openIncidents(tx: Transaction<Database>, { open }: Within): Promise<readonly Incident[]> {
  open.incidents ??= await readOpenIncidents(tx)
  return open.incidents
}

async function incidentOf(tx: Transaction<Database>, id: string, within: Within): Promise<Incident> {
  const known = (await openIncidents(tx, within)).find((incident) => incident.id === id)
  return known ?? toIncident(await tx.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirstOrThrow())
}

/** What is stored of an alert, and of that the last row that was given to an incident. */
interface Known {
  remembered: Remembered
  placed: Awaited<ReturnType<typeof placedBefore>>
}

async function factsOf(
  tx: Transaction<Database>,
  remembered: Remembered,
  placed: Awaited<ReturnType<typeof placedBefore>>,
  within: Within,
): Promise<IntakeFacts> {
  return {
    openIncidents: await openIncidents(tx, within),
    received: remembered.rows.map(({ status, startsAt, receivedAt }) => ({ status, startsAt, receivedAt })),
    known: placed ? await knownOf(tx, remembered, placed, within) : null,
  }
}

async function knownOf(
  tx: Transaction<Database>,
  remembered: Remembered,
  placed: NonNullable<Awaited<ReturnType<typeof placedBefore>>>,
  within: Within,
): Promise<IntakeFacts['known']> {
  const incident = await incidentOf(tx, placed.incidentId, within)
  const opening = incident.endedAt === null ? null : await readOpening(tx, incident.id)
  return { incident, opening, lastStatus: placed.status, lastStartsAt: placed.startsAt, deliveries: remembered.deliveries }
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
async function isRecurrence(
  tx: Transaction<Database>,
  { status }: Alert,
  inboxId: number | null,
  endedAt: Date | null,
  now: Date,
): Promise<boolean> {
  if (status !== 'firing' || endedAt === null) return false
  return (await arrivalOf(tx, inboxId, now)).getTime() >= endedAt.getTime() + ECHO_MS
}

/**
 * A repeat leaves no row, so a delivery that is taken up again is told by when it came: before one that was heard since and left a row, or, while it
 * fired, before its incident ended. Where the source says when it began, that tells it. An end that is taken up again after a mere repeat counts as an
 * end; the next repeat says otherwise.
 */
async function oldNews(
  tx: Transaction<Database>,
  { alert, inboxId, remembered, placed }: Pick<Arrival, 'alert' | 'inboxId'> & Known,
  within: Within,
): Promise<RememberedRow | null> {
  if (alert.startsAt !== null || inboxId === null) return null
  const [newest] = remembered.rows
  if (newest?.inboxId && newest.inboxId > inboxId) return newest
  if (alert.status !== 'firing' || placed?.status !== 'firing' || placed.id !== newest?.id) return null
  const { endedAt } = await incidentOf(tx, placed.incidentId, within)
  if (endedAt === null || (await arrivalOf(tx, inboxId, endedAt)) >= endedAt) return null
  return placed
}

/** @returns false when the alert was to join an incident that has ended. */
async function tellTimeline(
  tx: Transaction<Database>,
  incidentId: string,
  alert: Alert,
  decision: IntakeDecision,
  now: Date,
): Promise<boolean> {
  const { source, key, name, status, level, startsAt } = alert
  const detail = { source, key, name, status, level, startsAt }
  if (decision.do === 'open') return await tellOpened(tx, incidentId, decision, detail, now)
  const whileOpen = decision.do === 'attach' && status === 'firing'
  if (decision.do === 'attach' && decision.quiet) return !whileOpen || (await isOpen(tx, incidentId))
  const kind = status === 'firing' ? 'alert-received' : 'alert-resolved'
  return await appendEvent(tx, incidentId, { kind, text: decision.reason, detail, whileOpen }, now)
}

/** What came back is told with the incident that was over as well: nobody reads there that all is well. */
async function tellOpened(
  tx: Transaction<Database>,
  incidentId: string,
  { reason, recurrence }: IntakeDecision & { do: 'open' },
  alert: Record<string, unknown>,
  now: Date,
): Promise<true> {
  const detail = recurrence ? { ...alert, recurrence: { ...recurrence, since: recurrence.since.toISOString() } } : alert
  await appendEvent(tx, incidentId, { kind: 'incident-opened', text: reason, detail }, now)
  if (!recurrence) return true
  const text = `It came back as ${incidentId}: what follows is there.`
  await appendEvent(tx, recurrence.of, { kind: 'incident-recurred', text, detail: { as: incidentId } }, now)
  return true
}

async function isOpen(tx: Transaction<Database>, incidentId: string): Promise<boolean> {
  const row = await tx.selectFrom('incident').select('ended_at').where('id', '=', incidentId).forUpdate().executeTakeFirstOrThrow()
  return row.ended_at === null
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
