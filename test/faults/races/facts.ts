import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'

/** What the database holds of one plan after a race. */
export interface Facts {
  state: string
  approvals: number
  denials: number
  authorisations: number
  /** Authorisations after the plan's time. */
  late: number
  executions: number
  /** Places in the audit log of its `sent` events. */
  sent: number[]
  aborted: number
  undoAuthorisations: number
  waived: string[]
}

/** Reads the facts of many plans at once, in the order of `planIds`; `since` is a place in the audit log before anything was sent. */
export async function readFacts(db: Kysely<Database>, planIds: readonly string[], since: number): Promise<Facts[]> {
  const { rows } = await sql<Omit<Facts, 'sent'> & { plan_id: string; sent: number[] }>`
    with sent as materialized (
      select (body #>> '{key,execution_id}')::uuid as execution_id, seq from audit_entry
      where seq > ${since} and body ->> 'table' = 'execution_event' and body #>> '{facts,to_state}' = 'sent'
    )
    select p.id as plan_id, r.state,
      (select count(*) from vote v where v.request_id = r.id and v.decision = 'approve') as approvals,
      (select count(*) from vote v where v.request_id = r.id and v.decision = 'deny') as denials,
      (select count(*) from authorisation a where a.plan_id = p.id) as authorisations,
      (select count(*) from authorisation a where a.plan_id = p.id and a.at >= p.expires_at) as late,
      (select count(*) from execution x where x.plan_id = p.id) as executions,
      coalesce((select json_agg(s.seq order by s.seq) from sent s join execution x on x.id = s.execution_id where x.plan_id = p.id), '[]') as sent,
      (select count(*) from execution x join execution_event s on s.execution_id = x.id and s.to_state = 'aborted' where x.plan_id = p.id) as aborted,
      (select count(*) from authorisation a where a.plan_id = p.undo_plan_id) as "undoAuthorisations",
      coalesce((select json_agg(w.how) from undo_waived w join execution x on x.id = w.execution_id where x.plan_id = p.id), '[]') as waived
    from plan p join request r on r.plan_id = p.id where p.id = any (${planIds}::uuid[])`.execute(db)
  const byPlan = new Map(rows.map(({ plan_id, ...facts }) => [plan_id, facts]))
  return planIds.map((id) => {
    const facts = byPlan.get(id)
    if (!facts) throw new Error(`plan ${id} is gone`)
    return facts
  })
}
