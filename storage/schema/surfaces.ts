import type { ColumnType, GeneratedAlways, JSONColumnType } from 'kysely'
import type { Surface } from '../../agent/domain/principal.ts'

export interface SessionTable {
  token_hash: string
  person_id: string
  method: 'named' | 'oidc'
  created_at: ColumnType<Date, Date | undefined, never>
  expires_at: Date
}

export interface SignInAttemptTable {
  token_hash: string
  return_to: string
  created_at: ColumnType<Date, Date | undefined, never>
  expires_at: Date
}

export interface ProviderSessionTable {
  token_hash: string
  tenant: string
  external_id: string
  subject: string
  sid: string | null
  sealed: Uint8Array
  confirmed_at: ColumnType<Date, Date | undefined, Date>
  check_at: Date
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

export interface PostingTable {
  id: GeneratedAlways<number>
  surface: Surface
  kind: string
  ref: string
  incident_id: string | null
  body: JSONColumnType<Record<string, unknown>, string, never> | null
  priority: number
  wanted: ColumnType<number, number | undefined, number>
  shown: ColumnType<number, number | undefined, number>
  head: string | null
  print: string | null
  place: string
  thread: string | null
  message: string | null
  begun_at: Date | null
  shown_at: Date | null
  nonce: string
  not_before: ColumnType<Date, Date | undefined, Date>
  claimed_until: Date | null
  attempts: ColumnType<number, number | undefined, number>
  last_error: string | null
  dead_at: Date | null
  at: ColumnType<Date, Date | undefined, never>
}

export interface SurfaceTables {
  session: SessionTable
  sign_in_attempt: SignInAttemptTable
  provider_session: ProviderSessionTable
  surface_message: SurfaceMessageTable
  posting: PostingTable
}
