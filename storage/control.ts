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
            const votes = (await countedStartVotes(tx).where('v.scope', '=', scope).execute()).map(({ person }) => person)
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
      const votes = rows.length === 0 ? [] : await countedStartVotes(db).execute()
      const of = (scope: string): string[] => votes.filter((vote) => vote.scope === scope).map(({ person }) => person)
      return rows.map((row) => ({ scope: row.scope, by: row.by_whom, at: row.at, startVotes: of(row.scope) }))
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

/** Words for starting again, of the stops that hold now. Whose voice lapsed, or who lost the role since, counts no longer, as in the guard that has the last word. */
function countedStartVotes(db: Kysely<Database>) {
  return db
    .selectFrom('start_vote as v')
    .innerJoin('kill_switch as k', (join) => join.onRef('k.scope', '=', 'v.scope').onRef('k.generation', '=', 'v.generation'))
    .select(['v.scope', 'v.principal_id as person'])
    .where('k.engaged', '=', true)
    .where(sql<SqlBool>`start_vote_counts(v)`)
    .orderBy('v.at')
}
