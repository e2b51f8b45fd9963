import { type Kysely, type Selectable, sql } from 'kysely'
import type { AskedChange, PowerChange } from '../agent/domain/power.ts'
import type { Actor } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
import type { PowerStore } from '../agent/ports.ts'
import { activeLink } from './people.ts'
import { asOwner, refusing } from './refusals.ts'
import type { PowerChangeTable } from './schema/kernel.ts'
import type { Database, Executor } from './schema.ts'

/** Admins that giving power takes, whoever asks for it among them: as the guards of migrations/kernel/power.ts count. */
export const ADMINS_TO_GIVE = 2
const CODE = /^[0-9a-f]{8,64}$/
const SHOWN = 100

/** Changes of who may what: its rules are the guards of migrations/kernel/power.ts. */
export function createPowerStore({ db }: { db: Kysely<Database> }): PowerStore {
  const account = async (actor: Actor): Promise<{ id: number; principal_id: string }> => {
    const link = await activeLink(db, actor)
    if (!link) throw new Refusal('not-linked')
    return link
  }
  const waiting = async (code: string): Promise<Selectable<PowerChangeTable>> => {
    const rows = CODE.test(code)
      ? await db.selectFrom('power_change').selectAll().where('digest', 'like', `${code}%`).limit(2).execute()
      : []
    const [found, other] = rows
    if (!found || other) throw new Refusal('unknown-change')
    return found
  }
  const read = async (id: string): Promise<AskedChange> => {
    const [found] = await asked(db, await db.selectFrom('power_change').selectAll().where('id', '=', id).execute())
    if (!found) throw new Refusal('unknown-change')
    return found
  }

  return {
    async ask({ id, canonical, digest }, actor) {
      const link = await account(actor)
      await refusing(
        async () =>
          await db.insertInto('power_change').values({ id, canonical, digest, asked_by: link.principal_id, link_id: link.id }).execute(),
      )
      return await read(id)
    },

    async confirm(code, actor) {
      const { id, digest } = await waiting(code)
      const link = await account(actor)
      await refusing(
        async () =>
          await db
            .insertInto('power_confirmation')
            .values({ change_id: id, digest, principal_id: link.principal_id, link_id: link.id })
            .execute(),
      )
      return await read(id)
    },

    async withdraw(code, actor) {
      const { id } = await waiting(code)
      const { principal_id: by } = await account(actor)
      await refusing(
        async () => await db.updateTable('power_change').set({ state: 'withdrawn', decided_by: by }).where('id', '=', id).execute(),
      )
      return await read(id)
    },

    async pending() {
      const rows = db.selectFrom('power_change').selectAll().where('state', '=', 'pending').where('expires_at', '>', sql<Date>`clk()`)
      return await asked(db, await rows.orderBy('asked_at').limit(SHOWN).execute())
    },

    async enrolFirst({ id, name, link }) {
      const enrol = async (): Promise<void> =>
        await db.transaction().execute(async (tx) => {
          await sql`select take_turn()`.execute(tx)
          await tx
            .insertInto('principal')
            .values({ id, kind: 'human', name })
            .onConflict((conflict) => conflict.column('id').doUpdateSet({ active: true }).where('principal.active', '=', false))
            .execute()
          if (link && (await activeLink(tx, link))?.principal_id !== id) {
            const { externalId: external_id, ...place } = link
            await tx
              .insertInto('identity_link')
              .values({ ...place, external_id, principal_id: id, linked_by: 'host' })
              .execute()
          }
          await tx.insertInto('role_grant').values({ principal_id: id, role: 'admin', environment: '*', granted_by: 'host' }).execute()
        })
      await asOwner(async () => await refusing(enrol))
    },

    async expireDue() {
      const due = db.selectFrom('power_change').select('id').where('state', '=', 'pending').where('expires_at', '<=', sql<Date>`clk()`)
      const ids = (await due.execute()).map(({ id }) => id)
      if (ids.length === 0) return 0
      const ended = db.updateTable('power_change').set({ state: 'expired' }).where('id', 'in', ids).where('state', '=', 'pending')
      return Number((await ended.executeTakeFirst()).numUpdatedRows)
    },
  }
}

async function asked(db: Executor, rows: readonly Selectable<PowerChangeTable>[]): Promise<AskedChange[]> {
  if (rows.length === 0) return []
  const confirmations = await db
    .selectFrom('power_confirmation')
    .select(['change_id', 'principal_id'])
    .where(
      'change_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('at')
    .execute()
  return rows.map(({ id, canonical, digest, asked_by, state, expires_at }) => {
    const { id: _, ...change } = JSON.parse(canonical) as PowerChange & { id: string }
    return {
      id,
      canonical,
      digest,
      change,
      askedBy: asked_by,
      confirmedBy: confirmations.filter(({ change_id }) => change_id === id).map(({ principal_id }) => principal_id),
      needed: asked_by === 'host' ? ADMINS_TO_GIVE : ADMINS_TO_GIVE - 1,
      state,
      expiresAt: expires_at,
    }
  })
}
