import { type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Approval, Execution, ExecutionEvent } from '../agent/domain/approval.ts'
import type { Plan } from '../agent/domain/plan.ts'
import type { Database, Executor } from './schema.ts'

/** Reads approvals whole, in one statement however many they are. Ids that do not exist are left out; the order is that of `ids`. */
export async function readApprovals(db: Executor, ids: readonly string[]): Promise<Approval[]> {
  if (ids.length === 0) return []
  const rows = await db
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
    .select((row) => [jsonArrayFrom(votesOf(row)).as('votes'), jsonArrayFrom(executionsOf(row)).as('executions')])
    .where('r.id', 'in', ids)
    .execute()
  const found = new Map(
    rows.map((row): [string, Approval] => {
      const done = row.executions.find(({ plan_id }) => plan_id === row.plan_id)
      const undo = row.executions.find(({ plan_id }) => plan_id === row.undo_plan_id)
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
          votes: row.votes.map(({ person, name, decision, at, reason }) => ({
            person,
            personName: name,
            decision,
            at: new Date(at),
            reason,
          })),
          createdAt: row.created_at,
          decidedAt: row.decided_at,
          execution: done ? toExecution(done) : null,
          undoExecution: undo ? toExecution(undo) : null,
          undoFrom: done?.undo_from ? new Date(done.undo_from) : null,
          keptBy: done?.how === 'kept' ? done.kept_by : null,
          undoLapsed: done?.how === 'lapsed',
        },
      ]
    }),
  )
  return ids.flatMap((id) => found.get(id) ?? [])
}

type Row = ExpressionBuilder<Database & { r: Database['request']; p: Database['plan'] }, 'r' | 'p'>

/** While a request waits: the votes that count now. Once it is decided: those that counted then, whatever became of the accounts since. */
function votesOf(row: Row) {
  return row
    .selectFrom('vote as v')
    .innerJoin('principal as x', 'x.id', 'v.principal_id')
    .innerJoin('identity_link as l', 'l.id', 'v.link_id')
    .leftJoin('authorisation as a', 'a.request_id', 'v.request_id')
    .select(['v.principal_id as person', 'x.name', 'v.decision', 'v.at', 'v.reason'])
    .whereRef('v.request_id', '=', 'r.id')
    .where(
      sql<SqlBool>`case when r.state = 'pending' then vote_counts(v.request_id, v.principal_id, v.decision) else coalesce(l.revoked_at >= coalesce(a.at, r.decided_at), true) end`,
    )
    .orderBy('v.at')
}

/** That of the plan, and that of its undo. */
function executionsOf(row: Row) {
  return row
    .selectFrom('execution as x')
    .leftJoin('undo_waived as w', 'w.execution_id', 'x.id')
    .select(['x.id', 'x.plan_id', 'x.state', 'x.epoch', 'w.how', 'w.principal_id as kept_by'])
    .select(sql<string | null>`undo_window_opened_at(x.id) + interval '60 seconds'`.as('undo_from'))
    .select((execution) =>
      jsonArrayFrom(
        execution
          .selectFrom('execution_event as e')
          .select(['e.seq', 'e.to_state', 'e.at', 'e.detail'])
          .whereRef('e.execution_id', '=', 'x.id')
          .orderBy('e.seq'),
      ).as('events'),
    )
    .where(({ eb, or }) => or([eb('x.plan_id', '=', eb.ref('r.plan_id')), eb('x.plan_id', '=', eb.ref('p.undo_plan_id'))]))
}

interface ExecutionRow extends Pick<Execution, 'id' | 'state' | 'epoch'> {
  plan_id: string
  events: { seq: number; to_state: ExecutionEvent['state']; at: string; detail: ExecutionEvent['detail'] }[]
}

function toExecution({ id, plan_id, state, epoch, events }: ExecutionRow): Execution {
  return {
    id,
    planId: plan_id,
    state,
    epoch,
    events: events.map(({ seq, to_state, at, detail }) => ({ seq, state: to_state, at: new Date(at), detail })),
  }
}

/** Rows older than a cursor's row, newest first; the id breaks ties so that a page never loses one. */
export function olderThan(cursor: string) {
  return sql<SqlBool>`(r.created_at, r.id) < (select c.created_at, c.id from request c where c.id = ${cursor}::uuid)`
}
