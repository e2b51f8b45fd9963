import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ExecutionState } from '../agent/domain/approval.ts'
import type { Plan } from '../agent/domain/plan.ts'
import { isRefusalCode, Refusal } from '../agent/domain/refusal.ts'
import type { ExecutionKernel } from '../agent/ports.ts'
import { contentJson } from './content-json.ts'
import { refusing } from './refusals.ts'
import type { Database } from './schema.ts'

const IN_FLIGHT: readonly ExecutionState[] = ['claimed', 'intent', 'sent', 'unknown', 'succeeded']

/** The executor's half of the kernel: every write names the lease epoch it is made under, and the database checks it. */
export function createExecutionKernel({ db }: { db: Kysely<Database> }): ExecutionKernel {
  return {
    async claimable(limit) {
      const rows = await db
        .selectFrom('authorisation as a')
        .innerJoin('plan as p', 'p.id', 'a.plan_id')
        .leftJoin('execution as x', 'x.authorisation_id', 'a.id')
        .select(['a.id', 'a.request_id', 'a.plan_id', 'p.undo_of'])
        .leftJoin('request as r', 'r.id', 'a.request_id')
        .where('x.id', 'is', null)
        // One that is stuck keeps those of its own resource waiting, and no others.
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(selectFrom('execution as o').select('o.id').whereRef('o.resource', '=', 'p.resource').where('o.state', 'in', IN_FLIGHT)),
          ),
        )
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('undo_waived as w').select('w.how').whereRef('w.execution_id', '=', 'a.parent_execution_id'))),
        )
        .where((eb) => eb.or([eb('r.state', 'is', null), eb('r.state', '<>', 'expired')]))
        .orderBy('a.at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ authorisationId: row.id, requestId: row.request_id, planId: row.plan_id, undoOf: row.undo_of }))
    },

    async claim(authorisationId, epoch) {
      const { rows } = await refusing(
        async () =>
          await sql<{ id: string; canonical: string; digest: string }>`
            insert into execution (authorisation_id, plan_id, digest, resource, epoch)
            select a.id, a.plan_id, a.digest, p.resource, ${epoch} from authorisation a join plan p on p.id = a.plan_id
            where a.id = ${authorisationId}::uuid
            returning id, digest, (select p.canonical from plan p where p.id = plan_id) as canonical`.execute(db),
      )
      const claimed = rows[0]
      if (!claimed) throw new Error(`authorisation ${authorisationId} does not exist`)
      const { id, canonical, digest } = claimed
      return { executionId: id, plan: { plan: JSON.parse(canonical) as Plan, canonical, digest } }
    },

    async refusalToAct(executionId) {
      const { rows } = await sql<{ code: string | null }>`select refusal_to_act(${executionId}::uuid) as code`.execute(db)
      const code = rows[0]?.code ?? null
      if (code === null) return null
      if (!isRefusalCode(code)) throw new Error(`the kernel refused for a reason without words: ${code}`)
      return { code, detail: null }
    },

    async advance(executionId, to, epoch, detail) {
      await refusing(async () => await appendEvent(db, { executionId, to, epoch, detail }))
    },

    async unfinished() {
      const rows = await db
        .selectFrom('execution as x')
        .innerJoin('plan as p', 'p.id', 'x.plan_id')
        .leftJoin('execution_event as s', (join) => join.onRef('s.execution_id', '=', 'x.id').on('s.to_state', '=', 'sent'))
        .select(['x.id', 'x.authorisation_id', 'x.state', 'x.epoch', 'p.canonical', 'p.digest', 's.epoch as sent_epoch'])
        .select(millisecondsSince('s.at').as('sent_ago'))
        .select((row) =>
          row
            .selectFrom('execution_event as l')
            .select(millisecondsSince('max(l.at)').as('ago'))
            .whereRef('l.execution_id', '=', 'x.id')
            .as('in_state'),
        )
        .where('x.state', 'in', IN_FLIGHT)
        .execute()
      return rows.map((row) => ({
        executionId: row.id,
        authorisationId: row.authorisation_id,
        state: row.state,
        epoch: row.epoch,
        plan: { plan: JSON.parse(row.canonical) as Plan, canonical: row.canonical, digest: row.digest },
        sentAgoMs: row.sent_ago,
        sentEpoch: row.sent_epoch,
        inStateMs: row.in_state ?? 0,
      }))
    },

    async undosDue() {
      const { rows } = await sql<{ execution_id: string; undo_plan_id: string }>`
        select x.id as execution_id, p.undo_plan_id
        from execution x join plan p on p.id = x.plan_id join plan u on u.id = p.undo_plan_id
        where x.state = 'failed' and undo_window_opened_at(x.id) is not null
          and not exists (select 1 from undo_waived w where w.execution_id = x.id)
          and not exists (select 1 from authorisation a where a.parent_execution_id = x.id)
          and clk() >= undo_window_opened_at(x.id) + interval '60 seconds'
          and clk() <= undo_window_opened_at(x.id) + interval '10 minutes' and u.expires_at > clk()`.execute(db)
      return rows.map((row) => ({ executionId: row.execution_id, undoPlanId: row.undo_plan_id }))
    },

    async authoriseUndo(executionId) {
      const { rows } = await refusing(
        async () =>
          await sql<{ id: string }>`
            insert into authorisation (plan_id, digest, kind, parent_execution_id)
            select p.undo_plan_id, p.undo_digest, 'undo', x.id from execution x join plan p on p.id = x.plan_id where x.id = ${executionId}::uuid
            returning id`.execute(db),
      )
      const id = rows[0]?.id
      if (!id) throw new Error(`execution ${executionId} does not exist`)
      return id
    },

    async settleUndos(epoch) {
      const { rows: passed } = await sql<{ id: string }>`
        select x.id from execution x join plan p on p.id = x.plan_id join plan u on u.id = p.undo_plan_id
        where x.state = 'failed' and undo_window_opened_at(x.id) is not null
          and not exists (select 1 from undo_waived w where w.execution_id = x.id)
          and not exists (
            select 1 from authorisation a where a.parent_execution_id = x.id
              and (u.expires_at > clk() or exists (select 1 from execution o where o.authorisation_id = a.id))
          )
          and (clk() > undo_window_opened_at(x.id) + interval '10 minutes' or u.expires_at <= clk())`.execute(db)
      const lapsed = []
      for (const { id } of passed) if (await lapse(db, id)) lapsed.push(id)
      const { rows } = await sql<{ id: string; undo_id: string }>`
        select x.id, u.id as undo_id from execution x
        join authorisation a on a.parent_execution_id = x.id
        join execution u on u.authorisation_id = a.id
        where x.state = 'failed' and u.state = 'verified'`.execute(db)
      for (const row of rows) await appendEvent(db, { executionId: row.id, to: 'undone', epoch, detail: { undo: row.undo_id } })
      return lapsed.length + rows.length
    },

    async sentExecutions() {
      const rows = await db
        .selectFrom('execution_event as s')
        .innerJoin('execution as x', 'x.id', 's.execution_id')
        .select(['x.id', 'x.plan_id', 'x.digest'])
        .where('s.to_state', '=', 'sent')
        .orderBy('s.at')
        .execute()
      return rows.map((row) => ({ executionId: row.id, planId: row.plan_id, digest: row.digest }))
    },
  }
}

async function appendEvent(
  db: Kysely<Database>,
  { executionId, to, epoch, detail }: { executionId: string; to: ExecutionState; epoch: number; detail: Record<string, unknown> },
): Promise<void> {
  const { numAffectedRows } = await sql`
    insert into execution_event (execution_id, seq, from_state, to_state, epoch, detail)
    select x.id, (select count(*) + 1 from execution_event e where e.execution_id = x.id), x.state, ${to}, ${epoch}, ${contentJson(detail)}::jsonb
    from execution x where x.id = ${executionId}::uuid`.execute(db)
  if (numAffectedRows !== 1n) throw new Error(`execution ${executionId} does not exist`)
}

/** False when somebody kept the change a moment ago. */
async function lapse(db: Kysely<Database>, executionId: string): Promise<boolean> {
  try {
    await refusing(
      async () => await db.insertInto('undo_waived').values({ execution_id: executionId, how: 'lapsed', principal_id: null }).execute(),
    )
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** Never below zero: a clock that was set back makes nothing happen in the future. */
function millisecondsSince(moment: string): RawBuilder<number | null> {
  return sql<
    number | null
  >`case when ${sql.raw(moment)} is not null then greatest(0, extract(epoch from clk() - ${sql.raw(moment)}) * 1000)::float8 end`
}
