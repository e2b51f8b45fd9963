import { type Kysely, sql } from 'kysely'
import type { PolicyStore } from '../agent/ports.ts'
import { ADMINS_TO_GIVE } from './power.ts'
import { refusing } from './refusals.ts'
import type { Database, Executor } from './schema.ts'

/** Policies by what they hash to, and which of them holds. */
export function createPolicyStore({ db }: { db: Kysely<Database> }): PolicyStore {
  return {
    inForce: async () => await inForce(db),

    async offer({ digest, text, ask }) {
      return await refusing(
        async () =>
          await db.transaction().execute(async (tx) => {
            await sql`select take_turn()`.execute(tx)
            const before = await inForce(tx)
            if (before?.digest === digest) {
              await withdrawAllBut(tx, digest)
              return 'in-force'
            }
            const version = { digest, text }
            await tx
              .insertInto('policy_version')
              .values(version)
              .onConflict((conflict) => conflict.column('digest').doNothing())
              .execute()
            if (before && (await admins(tx)) >= ADMINS_TO_GIVE) {
              if (!(await withdrawAllBut(tx, digest))) {
                const change = ask(before.digest)
                await tx
                  .insertInto('power_change')
                  .values({ ...change, asked_by: 'host', link_id: null })
                  .execute()
              }
              return 'waiting'
            }
            await withdrawAllBut(tx, null)
            await tx.insertInto('policy_activation').values({ digest, change_id: null }).execute()
            return 'in-force'
          }),
      )
    },
  }
}

async function inForce(db: Executor): Promise<{ digest: string; text: string } | null> {
  const newest = db.selectFrom('policy_activation as a').innerJoin('policy_version as v', 'v.digest', 'a.digest')
  return (await newest.select(['v.digest', 'v.text']).orderBy('a.id', 'desc').limit(1).executeTakeFirst()) ?? null
}

async function admins(tx: Executor): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from principal x where may(x.id, 'admin', '*')`.execute(tx)
  return rows[0]?.n ?? 0
}

/** Ends what waits for another policy than this one. Returns whether this one waits already. */
async function withdrawAllBut(tx: Executor, digest: string | null): Promise<boolean> {
  const waiting = await tx
    .selectFrom('power_change')
    .select(['id', 'policy'])
    .select(sql<boolean>`expires_at > clk()`.as('inTime'))
    .where('kind', '=', 'policy')
    .where('state', '=', 'pending')
    .execute()
  for (const { id } of waiting.filter(({ policy, inTime }) => policy !== digest || !inTime))
    await tx.updateTable('power_change').set({ state: 'withdrawn', decided_by: 'host' }).where('id', '=', id).execute()
  return waiting.some(({ policy, inTime }) => policy === digest && inTime)
}
