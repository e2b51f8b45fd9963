import type { ColumnType, GeneratedAlways, JSONColumnType } from 'kysely'
import type { Surface } from '../../agent/domain/principal.ts'

export interface SessionTable {
  token_hash: string
  person_id: string
  method: 'named' | 'oidc'
  created_at: ColumnType<Date, Date | undefined, never>
  expires_at: Date
}

export interface SurfaceMessageTable {
  id: GeneratedAlways<number>
  surface: Surface
  incident_id: string | null
  kind: string
  ref: string
  text: string
  blocks: JSONColumnType<Record<string, unknown>[], string, string>
  at: ColumnType<Date, Date | undefined, never>
}

export interface SurfaceTables {
  session: SessionTable
  surface_message: SurfaceMessageTable
}
