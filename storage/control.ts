import { type Kysely, type SqlBool, sql } from 'kysely'
import { Refusal } from '../agent/domain/refusal.ts'
import type { ControlStore } from '../agent/ports.ts'
import { refusing } from './refusals.ts'
import type { Database } from './schema.ts'

/** Stopping, starting and freezing. `stop` returns when no earlier send can still be under way in the database. */
export function createControlStore({ db }: { db: Kysely<Database> }): ControlStore {
  return {
    async stop(scope, by) {
      await refusing(
        async () =>
          await db
            .insertInto('kill_switch')
            .values({ scope, engaged: true, by_whom: by })
            .onConflict((conflict) => conflict.column('scope').doUpdateSet({ engaged: true, by_whom: by }))
            .execute(),
      )
      return { underWay: [] }
    },

    async start(scope, by, from) {
      return await refusing(
        async () =>
          await db.transaction().execute(async (tx) => {
            await sql`select take_turn()`.execute(tx)
            const stop = await tx.selectFrom('kill_switch').selectAll().where('scope', '=', scope).executeTakeFirst()
            if (!stop?.engaged) return { started: true, votes: [] }
            if (from === 'person') {
              await tx
                .insertInto('start_vote')
                .values({ scope, generation: stop.generation, principal_id: by })
                .onConflict((conflict) => conflict.columns(['scope', 'generation', 'principal_id', 'lapsed']).doNothing())
                .execute()
            }
            // Whose voice lapsed, or who lost the role since, counts no longer, as in the guard that has the last word.
            const rows = await tx
              .selectFrom('start_vote as v')
              .select('principal_id')
              .where('scope', '=', scope)
              .where('generation', '=', stop.generation)
              .where(sql<SqlBool>`start_vote_counts(v)`)
              .orderBy('at')
              .execute()
            const votes = rows.map((row) => row.principal_id)
            if (from === 'person' && votes.length < 2) return { started: false, votes }
            await tx
              .updateTable('kill_switch')
              .set({ engaged: false, by_whom: from === 'host' ? 'host' : by })
              .where('scope', '=', scope)
              .execute()
            return { started: true, votes }
          }),
      )
    },

    async stopped() {
      const rows = await db
        .selectFrom('kill_switch')
        .select(['scope', 'by_whom', 'at'])
        .where('engaged', '=', true)
        .orderBy('scope')
        .execute()
      return rows.map((row) => ({ scope: row.scope, by: row.by_whom, at: row.at }))
    },

    async freeze({ scope, from, to, reason, by }) {
      const { id } = await refusing(
        async () =>
          await db
            .insertInto('freeze_window')
            .values({ scope, starts_at: from ?? sql<Date>`clk()`, ends_at: to, reason, by_whom: by })
            .returning('id')
            .executeTakeFirstOrThrow(),
      )
      return id
    },

    async unfreeze(id, by) {
      const result = await refusing(
        async () =>
          await db
            .updateTable('freeze_window')
            .set({ ended_at: sql<Date>`clk()`, ended_by: by })
            .where('id', '=', id)
            .where('ended_at', 'is', null)
            .executeTakeFirst(),
      )
      if (result.numUpdatedRows === 0n) throw new Refusal('too-late', 'That freeze is over already, or never was.')
    },

    async freezes() {
      const rows = await db
        .selectFrom('freeze_window')
        .selectAll()
        .where('ended_at', 'is', null)
        .where('ends_at', '>', sql<Date>`clk()`)
        .orderBy('starts_at')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        scope: row.scope,
        from: row.starts_at,
        to: row.ends_at,
        reason: row.reason,
        by: row.by_whom,
      }))
    },
  }
}
