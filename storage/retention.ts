import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/** How long each class of data is kept. Votes, plans, executions, incidents, diagnoses and the audit log are kept for good. */
export interface Retention {
  /** Deliveries as they arrived, byte for byte, once they were processed, rejected or given up. */
  deliveriesDays: number
  /** Notices in the outbox after they were told; that they were told is kept. */
  noticesDays: number
  /** The content of evidence, and what models were told and said, after the incident ended; of evidence its question, summary and digest are kept. */
  evidenceDays: number
  /** What was said on the console about incidents that ended, and about none. */
  messagesDays: number
  telemetryHours: number
  /** Finished jobs. */
  jobsDays: number
}

export const RETENTION: Retention = {
  deliveriesDays: 30,
  noticesDays: 30,
  evidenceDays: 180,
  messagesDays: 180,
  telemetryHours: 2,
  jobsDays: 1,
}

/** What the settings say; the rest is as in `RETENTION`. */
export type RetentionSettings = { readonly [Class in keyof Retention]?: Retention[Class] | undefined }

const ROWS = 1_000

/** Each call removes a batch of what is older, and returns how many rows that were. */
export interface Retained {
  deliveries(before: Date): Promise<number>
  evidence(before: Date): Promise<number>
  modelSteps(before: Date): Promise<number>
  messages(before: Date): Promise<number>
  /** What was shown in chats, and where: the messages themselves stay there. */
  postings(before: Date): Promise<number>
  sessions(): Promise<number>
}

export function createRetained({ db }: { db: Kysely<Database> }): Retained {
  const count = async (statement: ReturnType<typeof sql>): Promise<number> => Number((await statement.execute(db)).numAffectedRows)
  return {
    deliveries: (before) =>
      count(sql`
        delete from inbox where id in (
          select id from inbox where received_at < ${before} and state <> 'received' order by received_at limit ${ROWS}
        )`),
    evidence: (before) =>
      count(sql`
        update evidence set content = jsonb_build_object('forgotten', clk()) where id in (
          select e.id from incident i join evidence e on e.incident_id = i.id
          where i.ended_at < ${before} and not e.content ? 'forgotten' limit ${ROWS}
        )`),
    modelSteps: (before) =>
      count(sql`
        update model_step set body = jsonb_build_object('forgotten', clk()) where (run_id, seq) in (
          select s.run_id, s.seq from incident i join model_run r on r.incident_id = i.id join model_step s on s.run_id = r.id
          where i.ended_at < ${before} and not s.body ? 'forgotten' limit ${ROWS}
        )`),
    messages: (before) =>
      count(sql`
        delete from surface_message where id in (
          select m.id from surface_message m left join incident i on i.id = m.incident_id
          where m.at < ${before} and (m.incident_id is null or i.ended_at < ${before}) order by m.at limit ${ROWS}
        )`),
    postings: (before) =>
      count(sql`
        delete from posting where id in (
          select p.id from posting p left join incident i on i.id = p.incident_id
          where p.at < ${before} and (p.incident_id is null or i.ended_at < ${before}) order by p.at limit ${ROWS}
        )`),
    sessions: () => count(sql`delete from session where expires_at <= clk()`),
  }
}
