import type { Kysely, Selectable } from 'kysely'
import { storableText } from './content-json.ts'
import type { DrillRunTable } from './schema/drills.ts'
import type { Database } from './schema.ts'

/** One run of a drill, as it stands. */
export interface DrillRunRow {
  run: string
  name: string
  state: 'running' | 'passed' | 'failed'
  incident: string | null
  approvals: string[]
  startedAt: Date
  startedBy: string | null
  ended: Date | null
  words: string | null
}

/** Runs of drills. At most one is running, whoever starts it: the table sees to that. */
export interface DrillRunStore {
  /** False when a run is running already. */
  open(run: { run: string; name: string; startedAt: Date; startedBy: string | null }): Promise<boolean>
  progress(run: string, seen: { incident: string | null; approvals: readonly string[] }): Promise<void>
  /** Ending a run that has ended changes nothing. */
  end(run: string, result: { state: 'passed' | 'failed'; words: string; ended: Date }): Promise<void>
  get(run: string): Promise<DrillRunRow | null>
  running(): Promise<DrillRunRow | null>
}

const MAX_WORDS = 2_000

export function createDrillRunStore({ db }: { db: Kysely<Database> }): DrillRunStore {
  return {
    async open({ run, name, startedAt, startedBy }) {
      const result = await db
        .insertInto('drill_run')
        .values({ id: run, name: storableText(name, 100), started_at: startedAt, started_by: startedBy })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async progress(run, { incident, approvals }) {
      await db
        .updateTable('drill_run')
        .set({ incident_id: incident, approvals: JSON.stringify(approvals) })
        .where('id', '=', run)
        .where('state', '=', 'running')
        .execute()
    },
    async end(run, { state, words, ended }) {
      await db
        .updateTable('drill_run')
        .set({ state, words: storableText(words, MAX_WORDS), ended_at: ended })
        .where('id', '=', run)
        .where('state', '=', 'running')
        .execute()
    },
    get: async (run) => toRun(await db.selectFrom('drill_run').selectAll().where('id', '=', storableText(run)).executeTakeFirst()),
    running: async () => toRun(await db.selectFrom('drill_run').selectAll().where('state', '=', 'running').executeTakeFirst()),
  }
}

function toRun(row: Selectable<DrillRunTable> | undefined): DrillRunRow | null {
  if (!row) return null
  return {
    run: row.id,
    name: row.name,
    state: row.state,
    incident: row.incident_id,
    approvals: row.approvals,
    startedAt: row.started_at,
    startedBy: row.started_by,
    ended: row.ended_at,
    words: row.words,
  }
}
