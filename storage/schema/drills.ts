import type { ColumnType, Generated } from 'kysely'

export interface DrillRunTable {
  id: string
  name: string
  state: Generated<'running' | 'passed' | 'failed'>
  incident_id: string | null
  approvals: ColumnType<string[], string | undefined, string>
  started_at: Date
  started_by: string | null
  ended_at: Date | null
  words: string | null
}

export interface DrillTables {
  drill_run: DrillRunTable
}
