import type { GeneratedAlways } from 'kysely'

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

export interface KnowledgeTables {
  runbook_chunk: RunbookChunkTable
}
