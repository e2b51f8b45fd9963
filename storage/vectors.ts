import { type Kysely, sql } from 'kysely'
import { sqlFaultOf } from './errors.ts'
import type { Database } from './schema.ts'

/** Whether similarity search can be used beside full text; `notice` says it in a sentence for the start and for doctor. */
export type Vectors = { available: true; version: string; notice: string } | { available: false; notice: string }

/** The extension is not there, this user may not create it, or the server is read-only: each leaves full text. */
const EXPECTED: ReadonlySet<string> = new Set(['0A000', '58P01', '42704', '42501', '25006', '22023'])

/**
 * Creates the extension `vector` if the database has it. Without it knowledge is searched by full text only: never an error.
 *
 * @throws what the database says when it fails for another reason.
 */
export async function enableVectors(db: Kysely<Database>): Promise<Vectors> {
  try {
    await sql`create extension if not exists vector`.execute(db)
    // Created once, its library may be gone since: only its use shows that.
    await sql`select '[1,2]'::vector <-> '[2,1]'::vector`.execute(db)
  } catch (error) {
    const fault = sqlFaultOf(error)
    if (!fault || !EXPECTED.has(fault.code)) throw error
    return { available: false, notice: `pgvector is not available (${fault.message}): knowledge is searched by full text only.` }
  }
  const { rows } = await sql<{ version: string }>`select extversion as version from pg_extension where extname = 'vector'`.execute(db)
  const version = rows[0]?.version ?? 'unknown'
  return { available: true, version, notice: `pgvector ${version} is available.` }
}
