import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

export interface RunbookChunkTable {
  file: string
  /** Place in the file, from 0. */
  ordinal: number
  anchor: string
  title: string
  heading: string
  body: string
  services: string[]
  alerts: string[]
  classes: string[]
  search: GeneratedAlways<string>
}

export interface ModelRunTable {
  id: GeneratedAlways<number>
  incident_id: string
  number: number
  started_at: Date
  purpose: Generated<'investigation' | 'question'>
}

export interface ModelStepTable {
  run_id: number
  seq: number
  at: Date
  kind: string
  body: ColumnType<unknown, string, never>
}

export interface KnowledgeTables {
  runbook_chunk: RunbookChunkTable
  model_run: ModelRunTable
  model_step: ModelStepTable
}
