import type { Kysely, Transaction } from 'kysely'
import type { DrillTables } from './schema/drills.ts'
import type { FoundationTables } from './schema/foundation.ts'
import type { IncidentTables } from './schema/incidents.ts'
import type { KernelTables } from './schema/kernel.ts'
import type { KnowledgeTables } from './schema/knowledge.ts'
import type { SurfaceTables } from './schema/surfaces.ts'

/** Every table, by area. int8 columns are numbers, timestamptz columns Dates, jsonb columns values, bytea columns Uint8Arrays, on both stores. */
export interface Database extends DrillTables, FoundationTables, IncidentTables, KernelTables, KnowledgeTables, SurfaceTables {}

/** Where a statement may run: on its own, or inside a transaction. */
export type Executor = Kysely<Database> | Transaction<Database>
