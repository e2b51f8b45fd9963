import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely'

/** A moment that the database sets itself unless told otherwise. */
type Moment = ColumnType<Date, Date | undefined, Date>
type Json<Value> = JSONColumnType<Value & object>

export interface InboxTable {
  id: GeneratedAlways<number>
  source: string
  delivery_key: string
  body: Uint8Array
  body_sha: GeneratedAlways<string>
  headers: Json<Record<string, string>>
  job_kind: string | null
  received_at: Moment
  state: Generated<'received' | 'processed' | 'failed' | 'rejected'>
  error: string | null
  processed_at: Date | null
  attempts: Generated<number>
}

export interface OutboxTable {
  id: GeneratedAlways<number>
  dedupe: string
  topic: string
  incident_id: string | null
  body: Json<Record<string, unknown>>
  priority: Generated<number>
  at: Moment
  not_before: Moment
  attempts: Generated<number>
  claimed_until: Date | null
  done_at: Date | null
  dead_at: Date | null
  last_error: string | null
}

export interface JobTable {
  id: GeneratedAlways<number>
  queue: Generated<string>
  kind: string
  payload: Json<Record<string, unknown>>
  dedupe: string | null
  run_at: Moment
  attempts: Generated<number>
  max_attempts: Generated<number>
  claimed_by: string | null
  claimed_until: Date | null
  created_at: Moment
  finished_at: Date | null
  dead_at: Date | null
  last_error: string | null
}

export interface LeaseTable {
  name: string
  holder: string
  epoch: number
  expires_at: Date
}

export interface TelemetryTable {
  id: GeneratedAlways<number>
  at: Date
  target: string
  service: string
  instance: string
  version: string
  samples: Json<Record<string, unknown>>
}

export interface AppMetaTable {
  key: string
  value: ColumnType<unknown, string, string>
  updated_at: Moment
}

export interface ToldNoticeTable {
  dedupe: string
  told_at: Date
}

export interface FoundationTables {
  told_notice: ToldNoticeTable
  inbox: InboxTable
  outbox: OutboxTable
  job: JobTable
  lease: LeaseTable
  telemetry: TelemetryTable
  app_meta: AppMetaTable
}
