import { createHash } from 'node:crypto'
import type { Selectable, Transaction } from 'kysely'
import type { EvidenceItem, EvidenceSummary, NewEvidence } from '../agent/domain/evidence.ts'
import type { Hypothesis } from '../agent/domain/hypothesis.ts'
import { contentJson, storableText } from './content-json.ts'
import type { EvidenceTable } from './schema/incidents.ts'
import type { Database, Executor } from './schema.ts'

/** SHA-256 of the content's one JSON text, hex; computed again from a stored item it shows whether the item is what was cited. */
export function evidenceHash(content: unknown): string {
  return createHash('sha256').update(contentJson(content), 'utf8').digest('hex')
}

/** Appends items, labelled on from the last: E1, E2 … */
export async function insertEvidence(
  tx: Transaction<Database>,
  incidentId: string,
  items: readonly NewEvidence[],
  now: Date,
): Promise<EvidenceItem[]> {
  if (items.length === 0) return []
  const { last_evidence: last } = await tx
    .updateTable('incident')
    .set((eb) => ({ last_evidence: eb('last_evidence', '+', items.length) }))
    .where('id', '=', incidentId)
    .returning('last_evidence')
    .executeTakeFirstOrThrow(() => new Error(`there is no incident ${incidentId}`))
  const rows = items.map((item, index) => toRow(incidentId, last - items.length + index + 1, item, now))
  const stored = await tx.insertInto('evidence').values(rows).returningAll().execute()
  return stored.sort((a, b) => a.number - b.number).map(toEvidence)
}

export async function readEvidence(db: Executor, incidentId: string): Promise<EvidenceItem[]> {
  const rows = await db.selectFrom('evidence').selectAll().where('incident_id', '=', incidentId).orderBy('number').execute()
  return rows.map(toEvidence)
}

/** One item by its label, E1 and so on; null when the incident has none of it. */
export async function readEvidenceItem(db: Executor, incidentId: string, label: string): Promise<EvidenceItem | null> {
  const number = /^E(\d{1,9})$/.exec(label)?.[1]
  if (number === undefined) return null
  const found = db.selectFrom('evidence').selectAll().where('incident_id', '=', incidentId).where('number', '=', Number(number))
  const row = await found.executeTakeFirst()
  return row ? toEvidence(row) : null
}

/** Without the contents, which the database does not even read: they are stored apart from the row when they are large. */
export async function readEvidenceSummaries(db: Executor, incidentId: string): Promise<EvidenceSummary[]> {
  const rows = await db.selectFrom('evidence').select(SUMMARY_COLUMNS).where('incident_id', '=', incidentId).orderBy('number').execute()
  return rows.map(toSummary)
}

/** A diagnosis is never changed; a new one stands before it. */
export async function insertHypotheses(
  tx: Transaction<Database>,
  incidentId: string,
  hypotheses: readonly Hypothesis[],
  now: Date,
): Promise<void> {
  const { last_diagnosis: version } = await tx
    .updateTable('incident')
    .set((eb) => ({ last_diagnosis: eb('last_diagnosis', '+', 1) }))
    .where('id', '=', incidentId)
    .returning('last_diagnosis')
    .executeTakeFirstOrThrow(() => new Error(`there is no incident ${incidentId}`))
  await tx
    .insertInto('hypothesis_set')
    .values({ incident_id: incidentId, version, hypotheses: contentJson(hypotheses), at: now })
    .execute()
}

/** The current diagnosis, best first; empty before the first. */
export async function readHypotheses(db: Executor, incidentId: string): Promise<Hypothesis[]> {
  const row = await db
    .selectFrom('hypothesis_set')
    .select('hypotheses')
    .where('incident_id', '=', incidentId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const stored = (row?.hypotheses ?? []) as (Omit<Hypothesis, 'since'> & { since: string | null })[]
  return stored.map((hypothesis) => ({ ...hypothesis, since: hypothesis.since === null ? null : new Date(hypothesis.since) }))
}

function toRow(incidentId: string, number: number, item: NewEvidence, now: Date) {
  const content = contentJson(item.content)
  return {
    id: `${incidentId}-E${number}`,
    incident_id: incidentId,
    number,
    kind: item.kind,
    source: item.source,
    trust: item.trust,
    status: item.status,
    summary: storableText(item.summary, 2_000),
    query: storableText(item.query, 8_000),
    window_from: item.from,
    window_to: item.to,
    link: item.link === null ? null : storableText(item.link, 2_000),
    content,
    hash: createHash('sha256').update(content, 'utf8').digest('hex'),
    collected_at: now,
  }
}

const SUMMARY_COLUMNS = [
  ...(['id', 'incident_id', 'number', 'kind', 'source', 'trust', 'status', 'summary'] as const),
  ...(['query', 'window_from', 'window_to', 'link', 'hash', 'collected_at'] as const),
]

function toEvidence(row: Selectable<EvidenceTable>): EvidenceItem {
  return { ...toSummary(row), content: row.content }
}

function toSummary(row: Pick<Selectable<EvidenceTable>, (typeof SUMMARY_COLUMNS)[number]>): EvidenceSummary {
  const { id, kind, source, trust, status, summary, query, link, hash } = row
  return {
    ...{ id, incidentId: row.incident_id, label: `E${row.number}`, kind, source, trust, status, summary, query },
    ...{ from: row.window_from, to: row.window_to, link, hash, collectedAt: row.collected_at },
  }
}
