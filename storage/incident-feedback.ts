import type { Transaction } from 'kysely'
import type { Feedback, NewFeedback } from '../agent/domain/feedback.ts'
import { storableText } from './content-json.ts'
import { appendEvent } from './incident-rows.ts'
import type { Database, Executor } from './schema.ts'

/**
 * Keeps what somebody says of the current diagnosis, with its line in the timeline. The same verdict again, without a word more, takes nothing away of
 * what that person said it really was; another verdict does. False when there is no diagnosis to speak of.
 */
export async function appendFeedback(tx: Transaction<Database>, incidentId: string, feedback: NewFeedback, now: Date): Promise<boolean> {
  const incident = await tx.selectFrom('incident').select('last_diagnosis').where('id', '=', incidentId).forUpdate().executeTakeFirst()
  if (!incident || incident.last_diagnosis === 0) return false
  const { person, verdict, class: cause, component, words } = feedback
  const isBare = cause === null && component === null && words === null
  const before = isBare ? (await readFeedback(tx, incidentId)).find((said) => said.person.id === person.id) : undefined
  const kept = before?.verdict === verdict ? before : feedback
  const text = (value: string | null, max: number): string | null => (value === null ? null : storableText(value, max))
  await tx
    .insertInto('incident_feedback')
    .values({
      incident_id: incidentId,
      diagnosis: incident.last_diagnosis,
      person_id: person.id,
      verdict,
      class: kept.class,
      component: text(kept.component, 200),
      words: text(kept.words, 500),
      at: now,
    })
    .execute()
  // Its giver has not responded to the incident by it, as who is named as its person has.
  const really = cause === null ? '' : `; it was ${cause.replaceAll('_', ' ')}${component === null ? '' : ` of ${component}`}`
  const said = words === null ? '' : `: ${words}`
  const told = `${person.name} says the diagnosis is ${verdict}${really}${said}.`
  await appendEvent(tx, incidentId, { kind: 'feedback-given', text: told, detail: { giver: person.id, verdict } }, now)
  return true
}

/** What each person said last, oldest first. */
export async function readFeedback(db: Executor, incidentId: string): Promise<Feedback[]> {
  const rows = await db
    .selectFrom('incident_feedback')
    .innerJoin('principal', 'principal.id', 'person_id')
    .selectAll('incident_feedback')
    .select('principal.name')
    .where('incident_id', '=', incidentId)
    .orderBy('incident_feedback.id')
    .execute()
  const latest = new Map(rows.map((row) => [row.person_id, row]))
  return [...latest.values()].map((row) => ({
    person: { id: row.person_id, name: row.name },
    verdict: row.verdict,
    class: row.class as Feedback['class'],
    component: row.component,
    words: row.words,
    at: row.at,
  }))
}
