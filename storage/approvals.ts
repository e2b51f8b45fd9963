import { type Kysely, sql } from 'kysely'
import type { Approval, Decision } from '../agent/domain/approval.ts'
import type { SealedPlan } from '../agent/domain/plan.ts'
import type { Actor, Role } from '../agent/domain/principal.ts'
import { Refusal } from '../agent/domain/refusal.ts'
import type { ActionDefinition, ApprovalKernel, Presentation, VoteInput } from '../agent/ports.ts'
import { olderThan, readApprovals } from './approval-rows.ts'
import { storableText } from './content-json.ts'
import { activeLink } from './people.ts'
import { refusing } from './refusals.ts'
import type { Database, Executor } from './schema.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const CONFIRM_LENGTH = 200
const REASON_LENGTH = 500

/** The people's half of the kernel. Each method is one transaction; its rules are the constraints and guards of migrations/kernel. */
export function createApprovalKernel({ db }: { db: Kysely<Database> }): ApprovalKernel {
  const approval = async (requestId: string): Promise<Approval | null> =>
    UUID.test(requestId) ? ((await readApprovals(db, [requestId]))[0] ?? null) : null
  const known = async (requestId: string): Promise<Approval> => {
    const found = await approval(requestId)
    if (!found) throw new Refusal('unknown-approval')
    return found
  }

  return {
    approval,
    registerActions: async (definitions) => await registerActions(db, definitions),

    async propose({ parent, undo, presentations, renderHash, renderVersion }) {
      const requestId = await refusing(
        async () =>
          await db.transaction().execute(async (tx) => {
            await sql`select take_turn()`.execute(tx)
            await supersede(tx, parent.plan.incident)
            if (undo) await insertPlan(tx, undo)
            await insertPlan(tx, parent)
            return await insertRequest(tx, { parent, presentations, renderHash, renderVersion })
          }),
      )
      return await known(requestId)
    },

    async vote(input) {
      const { requestId } = input
      if (!UUID.test(requestId)) throw new Refusal('unknown-approval')
      try {
        if (!(await refusing(async () => await castVote(db, input)))) {
          await known(requestId)
          throw new Refusal('not-linked')
        }
      } catch (error) {
        if (!(await isSameClick(db, input, error))) throw error
      }
      return await known(requestId)
    },

    async cancel(requestId, by, reason) {
      await withRole(
        'responder',
        await known(requestId),
        async () =>
          await db
            .updateTable('request')
            .set({ state: 'cancelled', decided_by: by, reason: storableText(reason, REASON_LENGTH) })
            .where('id', '=', requestId)
            .execute(),
      )
      return await known(requestId)
    },

    async expireDue() {
      // Asked before it is written: a write takes the turn, and there is one to make only now and then.
      const due = db.selectFrom('request as q').innerJoin('plan as p', 'p.id', 'q.plan_id').select('q.id')
      const unclaimed = due.leftJoin('execution as x', 'x.plan_id', 'q.plan_id').where('q.state', 'in', ['pending', 'authorised'])
      const ids = await unclaimed.where('x.id', 'is', null).where('p.expires_at', '<=', sql<Date>`clk()`).execute()
      if (ids.length === 0) return []
      return await db.transaction().execute(
        async (tx) =>
          await expire(
            tx,
            ids.map(({ id }) => id),
          ),
      )
    },

    async approvals({ state, incidentId, carriedOutOn, limit, cursor }) {
      const rows = await db
        .selectFrom('request as r')
        .select('r.id')
        .$if(state !== undefined, (query) => query.where('r.state', '=', state ?? 'pending'))
        .$if(incidentId !== undefined, (query) => query.where('r.incident_id', '=', incidentId ?? ''))
        .$if(carriedOutOn !== undefined, (query) =>
          query.innerJoin('execution as x', 'x.plan_id', 'r.plan_id').where('x.resource', '=', carriedOutOn ?? ''),
        )
        .$if(cursor !== undefined && UUID.test(cursor), (query) => query.where(olderThan(cursor ?? '')))
        .orderBy('r.created_at', 'desc')
        .orderBy('r.id', 'desc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit).map((row) => row.id)
      return { items: await readApprovals(db, page), next: rows.length > limit ? (page.at(-1) ?? null) : null }
    },

    async votedBy(requestId) {
      if (!UUID.test(requestId)) return []
      const { rows } = await sql<{ person: string; decision: Decision } & Actor>`
        select principal_id as person, decision, surface, tenant, external_id as "externalId" from vote
        where request_id = ${requestId}::uuid order by at`.execute(db)
      return rows.map(({ person, decision, ...account }) => ({ person, decision, account }))
    },

    async askedOften(times) {
      const { rows } = await sql<{ id: string }>`
        select x.id from principal x where x.active and (
          select count(*) from request r join plan p on p.id = r.plan_id join incident i on i.id = r.incident_id
          where r.created_at > clk() - interval '1 hour' and r.state not in ('superseded', 'cancelled') and p.requester is null and p.severity >= 3 and i.drill_run is null
            and may_decide(x.id, p)
        ) >= ${times} order by x.id`.execute(db)
      return rows.map(({ id }) => id)
    },

    async whoMay(requestId) {
      if (!UUID.test(requestId)) return []
      const { rows } = await sql<{ id: string; kind: 'human' | 'service'; name: string; active: boolean }>`
        select x.id, x.kind, x.name, x.active from principal x, request r join plan p on p.id = r.plan_id
        where r.id = ${requestId}::uuid and may_decide(x.id, p) order by x.name`.execute(db)
      return rows
    },

    async keep(requestId, actor) {
      const asked = await known(requestId)
      const { execution } = asked
      const link = await activeLink(db, actor)
      if (!link) throw new Refusal('not-linked')
      if (!execution) throw new Refusal('undo-not-due')
      await withRole(
        'viewer',
        asked,
        async () =>
          await db.insertInto('undo_waived').values({ execution_id: execution.id, how: 'kept', principal_id: link.principal_id }).execute(),
      )
      return await known(requestId)
    },
  }
}

/** What the guards let a role alone do, to nobody else: a refusal names that role, so that whoever has it can be told. */
async function withRole(role: Role, { plan: { target } }: Approval, work: () => Promise<unknown>): Promise<void> {
  try {
    await refusing(work)
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'not-authorised')) throw error
    throw new Refusal(error.code, error.detail, { role, of: { service: target.name, environment: target.environment } })
  }
}

/** Writes the catalogue's rows. @throws Error when a known version changed: an action that changes gets a new version. */
async function registerActions(db: Kysely<Database>, definitions: readonly ActionDefinition[]): Promise<void> {
  for (const definition of definitions) {
    const row = {
      kind: definition.kind,
      version: definition.version,
      reversibility: definition.reversibility,
      risk: definition.risk,
      role: definition.role,
      min_needed: definition.minNeeded,
      requester_may_approve: definition.requesterMayApprove,
      step_up: definition.stepUp,
      max_ttl_seconds: definition.maxTtlSeconds,
      min_cooldown_seconds: definition.minCooldownSeconds,
      retry: definition.retry,
      probe_horizon_seconds: definition.probeHorizonSeconds,
    }
    await db
      .insertInto('action_definition')
      .values(row)
      .onConflict((conflict) => conflict.columns(['kind', 'version']).doNothing())
      .execute()
    const stored = await db
      .selectFrom('action_definition')
      .selectAll()
      .where('kind', '=', row.kind)
      .where('version', '=', row.version)
      .executeTakeFirstOrThrow()
    const changed = Object.entries(row).filter(([column, value]) => stored[column as keyof typeof row] !== value)
    if (changed.length > 0) {
      throw new Error(
        `action ${row.kind} version ${row.version} changed (${changed.map(([column]) => column).join(', ')}): give it a new version`,
      )
    }
  }
}

async function supersede(tx: Executor, incidentId: string): Promise<void> {
  await tx
    .updateTable('request')
    .set({ state: 'superseded' })
    .where('incident_id', '=', incidentId)
    .where('state', '=', 'pending')
    .execute()
}

/** Ends those that still wait, or were authorised and claimed by nobody. The turn comes first, so that a claim made meanwhile is seen. */
async function expire(tx: Executor, ids: readonly string[]): Promise<string[]> {
  await sql`select take_turn()`.execute(tx)
  const rows = await tx
    .updateTable('request as r')
    .set({ state: 'expired' })
    .where('r.id', 'in', ids)
    .where('r.state', 'in', ['pending', 'authorised'])
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('execution as x').select('x.id').whereRef('x.plan_id', '=', 'r.plan_id'))),
    )
    .returning('r.id')
    .execute()
  return rows.map(({ id }) => id)
}

async function insertPlan(tx: Executor, { plan, canonical, digest }: SealedPlan): Promise<void> {
  await tx
    .insertInto('plan')
    .values({ id: plan.id, canonical, digest, expires_at: new Date(plan.expiresAt) })
    .execute()
}

async function insertRequest(
  tx: Executor,
  input: { parent: SealedPlan; presentations: readonly Presentation[]; renderHash: string; renderVersion: number },
): Promise<string> {
  const { plan, digest } = input.parent
  const { id } = await tx
    .insertInto('request')
    .values({ plan_id: plan.id, digest, incident_id: plan.incident, render_hash: input.renderHash, render_version: input.renderVersion })
    .returning('id')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('presentation')
    .values(input.presentations.map((shown) => ({ request_id: id, ...shown })))
    .execute()
  return id
}

/** One statement: its guard takes the turn before it reads. False when there is no such request, or the account is not linked to anybody. */
async function castVote(db: Kysely<Database>, input: VoteInput): Promise<boolean> {
  const { surface, tenant, externalId } = input.actor
  const { numAffectedRows } = await sql`
    insert into vote (request_id, plan_id, digest, principal_id, link_id, decision, surface, tenant, external_id, place, confirm, reason, delivery_key)
    select r.id, r.plan_id, ${input.digest}, l.principal_id, l.id, ${input.decision}, l.surface, l.tenant, l.external_id, ${input.place},
      ${storable(input.confirm?.normalize('NFC'), CONFIRM_LENGTH)}, ${storable(input.reason, REASON_LENGTH)}, ${input.deliveryKey}
    from request r, identity_link l
    where r.id = ${input.requestId}::uuid
      and l.surface = ${surface} and l.tenant = ${tenant} and l.external_id = ${externalId} and l.revoked_at is null`.execute(db)
  return numAffectedRows === 1n
}

function storable(text: string | null | undefined, max: number): string | null {
  return text === null || text === undefined ? null : storableText(text, max)
}

/** The same click delivered twice is one vote and no error, whatever has become of the request, or of the person, since the first delivery. */
async function isSameClick(db: Kysely<Database>, input: VoteInput, error: unknown): Promise<boolean> {
  if (!(error instanceof Refusal)) return false
  const same = await db
    .selectFrom('vote')
    .select('principal_id')
    .where('delivery_key', '=', input.deliveryKey)
    .where('request_id', '=', input.requestId)
    .where('decision', '=', input.decision)
    .where('surface', '=', input.actor.surface)
    .where('tenant', '=', input.actor.tenant)
    .where('external_id', '=', input.actor.externalId)
    .executeTakeFirst()
  return same !== undefined
}
