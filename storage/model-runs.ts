import { type Kysely, sql } from 'kysely'
import type { ModelRunStore } from '../agent/ports.ts'
import { contentJson } from './content-json.ts'
import type { Database } from './schema.ts'

type Purpose = Parameters<ModelRunStore['start']>[1]
type StoredStep = Parameters<ModelRunStore['append']>[2]

/** What a person can read of one incident, and a server can hold. */
const MOST_TRACED = 50

/** Investigations by a model. A step is written once and read back as it was. */
export function createModelRunStore({ db, now }: { db: Kysely<Database>; now: () => Date }): ModelRunStore {
  const stepsOf = async (runId: number): Promise<StoredStep[]> => {
    const remembered = sql<boolean>`not body ? 'forgotten'`
    const rows = await db
      .selectFrom('model_step')
      .select(['at', 'body'])
      .where('run_id', '=', runId)
      .where(remembered)
      .orderBy('seq')
      .execute()
    // They were written as steps by this product and nothing changes them; what reads them does not trust what is inside.
    return rows.map(({ at, body }) => ({ ...(body as StoredStep), at }))
  }
  const runsOf = async (incidentId: string): Promise<{ id: number; number: number; purpose: Purpose }[]> =>
    await db.selectFrom('model_run').select(['id', 'number', 'purpose']).where('incident_id', '=', incidentId).orderBy('id').execute()
  return {
    async start(incidentId, purpose) {
      return await db.transaction().execute(async (tx) => {
        // The incident's row makes two that start at once wait for each other.
        await tx.selectFrom('incident').select('id').where('id', '=', incidentId).forUpdate().executeTakeFirstOrThrow()
        const last = await tx
          .selectFrom('model_run')
          .select((eb) => eb.fn.max('number').as('number'))
          .where('incident_id', '=', incidentId)
          .where('purpose', '=', purpose)
          .executeTakeFirst()
        const number = (last?.number ?? 0) + 1
        const { id } = await tx
          .insertInto('model_run')
          .values({ incident_id: incidentId, number, purpose, started_at: now() })
          .returning('id')
          .executeTakeFirstOrThrow()
        return { id, number }
      })
    },
    async append(runId, seq, { at, ...step }) {
      await db
        .insertInto('model_step')
        .values({ run_id: runId, seq, at, kind: step.kind, body: contentJson(step) })
        .execute()
    },
    async latest(incidentId) {
      const last = (await runsOf(incidentId)).findLast(({ purpose }) => purpose === 'investigation')
      return last ? { id: last.id, number: last.number, steps: await stepsOf(last.id) } : null
    },
    async count(incidentId, purpose) {
      const counted = db.selectFrom('model_run').select((eb) => eb.fn.countAll<number | string>().as('runs'))
      const { runs } = await counted.where('incident_id', '=', incidentId).where('purpose', '=', purpose).executeTakeFirstOrThrow()
      return Number(runs)
    },
    async trace(incidentId) {
      const runs = (await runsOf(incidentId)).slice(-MOST_TRACED)
      return await Promise.all(runs.map(async ({ id, ...run }) => ({ ...run, steps: await stepsOf(id) })))
    },
  }
}
