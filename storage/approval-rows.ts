import { type SqlBool, sql } from 'kysely'
import type { Approval, Execution, ExecutionEvent, Vote } from '../agent/domain/approval.ts'
import type { Plan } from '../agent/domain/plan.ts'
import type { Executor } from './schema.ts'

/** Reads approvals whole, in as many statements however many they are. Ids that do not exist are left out; the order is that of `ids`. */
export async function readApprovals(db: Executor, ids: readonly string[]): Promise<Approval[]> {
  if (ids.length === 0) return []
  const requests = await db
    .selectFrom('request as r')
    .innerJoin('plan as p', 'p.id', 'r.plan_id')
    .innerJoin('incident as i', 'i.id', 'r.incident_id')
    .select([
      'r.id',
      'r.state',
      'r.reason',
      'r.created_at',
      'r.decided_at',
      'r.incident_id',
      'r.digest',
      'r.plan_id',
      'p.canonical',
      'p.undo_plan_id',
      'i.drill_run',
    ])
    .where('r.id', 'in', ids)
    .execute()
  if (requests.length === 0) return []
  const plans = requests.flatMap((row) => (row.undo_plan_id ? [row.plan_id, row.undo_plan_id] : [row.plan_id]))
  const [votes, executions] = await Promise.all([readVotes(db, ids), readExecutions(db, plans)])
  const found = new Map(
    requests.map((row): [string, Approval] => {
      const execution = executions.get(row.plan_id)
      return [
        row.id,
        {
          id: row.id,
          incidentId: row.incident_id,
          drillRun: row.drill_run,
          plan: JSON.parse(row.canonical) as Plan,
          digest: row.digest,
          requestState: row.state,
          reason: row.reason,
          votes: votes.get(row.id) ?? [],
          createdAt: row.created_at,
          decidedAt: row.decided_at,
          execution: execution?.execution ?? null,
          undoExecution: (row.undo_plan_id ? executions.get(row.undo_plan_id)?.execution : undefined) ?? null,
          undoFrom: execution?.undoFrom ?? null,
          keptBy: execution?.keptBy ?? null,
          undoLapsed: execution?.undoLapsed ?? false,
        },
      ]
    }),
  )
  return ids.flatMap((id) => found.get(id) ?? [])
}

/** While a request waits: the votes that count now. Once it is decided: those that counted then, whatever became of the accounts since. */
async function readVotes(db: Executor, requestIds: readonly string[]): Promise<Map<string, Vote[]>> {
  const rows = await db
    .selectFrom('vote as v')
    .innerJoin('principal as x', 'x.id', 'v.principal_id')
    .innerJoin('request as r', 'r.id', 'v.request_id')
    .innerJoin('plan as p', 'p.id', 'r.plan_id')
    .innerJoin('identity_link as l', 'l.id', 'v.link_id')
    .leftJoin('authorisation as a', 'a.request_id', 'r.id')
    .select(['v.request_id', 'v.principal_id', 'x.name', 'v.decision', 'v.at', 'v.reason'])
    .where('v.request_id', 'in', requestIds)
    .where(
      sql<SqlBool>`case when r.state = 'pending' then vote_counts(v.request_id, v.principal_id, v.decision) else coalesce(l.revoked_at >= coalesce(a.at, r.decided_at), true) end`,
    )
    .orderBy('v.at')
    .execute()
  const byRequest = Map.groupBy(rows, (row) => row.request_id)
  return new Map(
    [...byRequest].map(([id, list]) => [
      id,
      list.map((row) => ({ person: row.principal_id, personName: row.name, decision: row.decision, at: row.at, reason: row.reason })),
    ]),
  )
}

interface ExecutionFacts {
  execution: Execution
  undoFrom: Date | null
  keptBy: string | null
  undoLapsed: boolean
}

async function readExecutions(db: Executor, planIds: readonly string[]): Promise<Map<string, ExecutionFacts>> {
  const rows = await db
    .selectFrom('execution as x')
    .leftJoin('undo_waived as w', 'w.execution_id', 'x.id')
    .select(['x.id', 'x.plan_id', 'x.state', 'x.epoch', 'w.how', 'w.principal_id'])
    .select(sql<Date | null>`undo_window_opened_at(x.id) + interval '60 seconds'`.as('undo_from'))
    .where('x.plan_id', 'in', planIds)
    .execute()
  if (rows.length === 0) return new Map()
  const events = await readEvents(
    db,
    rows.map((row) => row.id),
  )
  return new Map(
    rows.map((row) => [
      row.plan_id,
      {
        execution: { id: row.id, planId: row.plan_id, state: row.state, epoch: row.epoch, events: events.get(row.id) ?? [] },
        undoFrom: row.undo_from,
        keptBy: row.how === 'kept' ? row.principal_id : null,
        undoLapsed: row.how === 'lapsed',
      },
    ]),
  )
}

async function readEvents(db: Executor, executionIds: readonly string[]): Promise<Map<string, ExecutionEvent[]>> {
  const rows = await db
    .selectFrom('execution_event')
    .select(['execution_id', 'seq', 'to_state', 'at', 'detail'])
    .where('execution_id', 'in', executionIds)
    .orderBy('seq')
    .execute()
  const byExecution = Map.groupBy(rows, (row) => row.execution_id)
  return new Map(
    [...byExecution].map(([id, list]) => [id, list.map((row) => ({ seq: row.seq, state: row.to_state, at: row.at, detail: row.detail }))]),
  )
}

/** Rows older than a cursor's row, newest first; the id breaks ties so that a page never loses one. */
export function olderThan(cursor: string) {
  return sql<SqlBool>`(r.created_at, r.id) < (select c.created_at, c.id from request c where c.id = ${cursor}::uuid)`
}
