import { type Kysely, type Selectable, sql } from 'kysely'
import type { Actor, Principal, Role, RoleHolder } from '../agent/domain/principal.ts'
import type { PeopleStore } from '../agent/ports.ts'
import type { IdentityLinkTable, RoleGrantTable } from './schema/kernel.ts'
import type { Database, Executor } from './schema.ts'

/** Who granted what the configuration says; `sync` leaves rows of other origin alone, but revokes a lapsed grant that it has to renew. */
const CONFIGURATION = 'configuration'
const REVOKED = { revoked_at: sql<Date>`clk()`, revoked_by: CONFIGURATION }

/** People, their accounts and roles. */
export function createPeopleStore({ db }: { db: Kysely<Database> }): PeopleStore {
  const withRoles = async (principals: readonly Principal[]): Promise<RoleHolder[]> => {
    if (principals.length === 0) return []
    const grants = await db
      .selectFrom('role_grant')
      .select(['principal_id', 'role', 'environment'])
      .where('revoked_at', 'is', null)
      .where('valid_until', '>', sql<Date>`clk()`)
      .where(
        'principal_id',
        'in',
        principals.map(({ id }) => id),
      )
      .execute()
    return principals.map((person) => {
      const own = grants.filter((grant) => grant.principal_id === person.id)
      const rolesOf = (held: typeof own): Role[] => [...new Set(held.map(({ role }) => role))]
      return { ...person, roles: rolesOf(own), everywhere: rolesOf(own.filter(({ environment }) => environment === '*')) }
    })
  }

  return {
    async sync(people) {
      return await db.transaction().execute(async (tx) => {
        await sql`select take_turn()`.execute(tx)
        for (const person of people) {
          await tx
            .insertInto('principal')
            .values({ id: person.id, kind: 'human', name: person.name })
            .onConflict((conflict) =>
              conflict
                .column('id')
                .doUpdateSet({ name: person.name, active: true })
                .where((row) => row.or([row('principal.name', '<>', person.name), row('principal.active', '=', false)])),
            )
            .execute()
        }
        return [...(await syncLinks(tx, people)), ...(await syncRoles(tx, people))]
      })
    },

    async byActor(actor) {
      const link = await activeLink(db, actor)
      if (!link) return null
      const person = await db
        .selectFrom('principal')
        .select(['id', 'kind', 'name', 'active'])
        .where('id', '=', link.principal_id)
        .executeTakeFirst()
      return person ? ((await withRoles([person]))[0] ?? null) : null
    },

    async may(principalId, role, environment) {
      const { rows } = await sql<{ may: boolean }>`select may(${principalId}, ${role}, ${environment}) as may`.execute(db)
      return rows[0]?.may ?? false
    },

    async accounts(surface, tenant) {
      return await db
        .selectFrom('identity_link')
        .select(['principal_id as principalId', 'external_id as externalId'])
        .where('surface', '=', surface)
        .where('tenant', '=', tenant)
        .where('revoked_at', 'is', null)
        .limit(1_000)
        .execute()
    },

    async list() {
      return await withRoles(
        await db.selectFrom('principal').select(['id', 'kind', 'name', 'active']).orderBy('name').limit(1_000).execute(),
      )
    },
  }
}

/** The person an account belongs to now; undefined for an unknown or revoked one. */
export async function activeLink(db: Executor, actor: Actor): Promise<{ id: number; principal_id: string } | undefined> {
  return await db
    .selectFrom('identity_link')
    .select(['id', 'principal_id'])
    .where('surface', '=', actor.surface)
    .where('tenant', '=', actor.tenant)
    .where('external_id', '=', actor.externalId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
}

type Wanted = Parameters<PeopleStore['sync']>[0]

type NewLink = Pick<Selectable<IdentityLinkTable>, 'surface' | 'tenant' | 'external_id' | 'principal_id'>
type NewGrant = Pick<Selectable<RoleGrantTable>, 'principal_id' | 'role' | 'environment'>

const linkKey = (link: NewLink): string => JSON.stringify([link.surface, link.tenant, link.external_id, link.principal_id])
const grantKey = (grant: NewGrant): string => JSON.stringify([grant.principal_id, grant.role, grant.environment])

/** Keys of rows whose newest one an admin took away, as the tables' guards see it. */
async function takenAway<T>(tx: Executor, table: 'identity_link' | 'role_grant', keyOf: (row: T) => string): Promise<Set<string>> {
  const rows = await tx.selectFrom(table).selectAll().orderBy('id').execute()
  const newest = new Map(rows.map((row) => [keyOf(row as T), row.revoked_by]))
  return new Set([...newest].filter(([, by]) => by !== null && by !== CONFIGURATION && by !== 'host').map(([key]) => key))
}

async function syncLinks(tx: Executor, people: Wanted): Promise<string[]> {
  const wanted = new Map(
    people
      .flatMap(({ id, links }) => links.map(({ externalId, ...link }) => ({ ...link, external_id: externalId, principal_id: id })))
      .map((link) => [linkKey(link), link]),
  )
  const present = await tx.selectFrom('identity_link').selectAll().where('revoked_at', 'is', null).execute()
  const dropped = present.filter((row) => row.linked_by === CONFIGURATION && !wanted.has(linkKey(row))).map((row) => row.id)
  if (dropped.length > 0) await tx.updateTable('identity_link').set(REVOKED).where('id', 'in', dropped).execute()
  for (const row of present) wanted.delete(linkKey(row))
  const taken = await takenAway(tx, 'identity_link', linkKey)
  const withheld = []
  for (const [key, link] of wanted) {
    if (taken.has(key)) {
      withheld.push(`the account ${accountOf(link)} of ${link.principal_id}`)
      continue
    }
    const owner = present.find((row) => !dropped.includes(row.id) && accountOf(row) === accountOf(link))
    if (owner) throw new Error(`the account ${accountOf(link)} is linked to ${owner.principal_id} already: one account is one person`)
    await tx
      .insertInto('identity_link')
      .values({ ...link, linked_by: CONFIGURATION })
      .execute()
  }
  return withheld
}

function accountOf(link: NewLink): string {
  return `${link.surface}/${link.tenant}/${link.external_id}`
}

async function syncRoles(tx: Executor, people: Wanted): Promise<string[]> {
  const wanted = new Map(
    people
      .flatMap(({ id, roles, environments }) =>
        roles.flatMap((role) => environments.map((environment) => ({ principal_id: id, role, environment }))),
      )
      .map((grant) => [grantKey(grant), grant]),
  )
  const present = await tx
    .selectFrom('role_grant')
    .selectAll()
    .select(sql<boolean>`valid_until <= clk()`.as('lapsed'))
    .where('revoked_at', 'is', null)
    .execute()
  const dropped = present.filter((row) => (wanted.has(grantKey(row)) ? row.lapsed : row.granted_by === CONFIGURATION)).map((row) => row.id)
  if (dropped.length > 0) await tx.updateTable('role_grant').set(REVOKED).where('id', 'in', dropped).execute()
  for (const row of present) if (!row.lapsed) wanted.delete(grantKey(row))
  const taken = await takenAway(tx, 'role_grant', grantKey)
  const withheld = []
  for (const [key, grant] of wanted) {
    if (taken.has(key)) {
      withheld.push(`the role ${grant.role} of ${grant.principal_id} (${grant.environment})`)
      continue
    }
    await tx
      .insertInto('role_grant')
      .values({ ...grant, granted_by: CONFIGURATION })
      .execute()
  }
  return withheld
}
