import { type Kysely, sql } from 'kysely'
import type { AuditSubject } from '../agent/ports.ts'
import type { Database } from './schema.ts'

/** What entries of the audit log are about, by the keys they hold. An entry whose row names no plan, no person and no freeze is left out. */
export async function readAuditSubjects(db: Kysely<Database>, seqs: readonly number[]): Promise<AuditSubject[]> {
  if (seqs.length === 0) return []
  const { rows } = await sql<SubjectRow>`
    with said as (
      select seq,
        case when name in ('execution_event', 'undo_waived', 'accepted_effect') then (key ->> 'execution_id')::uuid end as execution_id,
        case when name = 'authorisation' then (key ->> 'id')::uuid end as authorisation_id,
        case when name = 'request' then (key ->> 'id')::uuid when name in ('vote', 'presentation') then (key ->> 'request_id')::uuid end as request_id,
        case when name = 'plan' then (key ->> 'id')::uuid end as plan_id,
        case when name = 'refused_attempt' then (key ->> 'id')::bigint end as attempt_id,
        case when name = 'role_grant' then (key ->> 'id')::bigint end as grant_id,
        case when name = 'identity_link' then (key ->> 'id')::bigint end as link_id,
        case when name = 'freeze_window' then (key ->> 'id')::uuid end as freeze_id
      from (select seq, body ->> 'table' as name, body -> 'key' as key from audit_entry where seq in (${sql.join(seqs)})) entry
    )
    select s.seq, p.incident_id as "incidentId", coalesce(r.id, q.id)::text as "requestId",
      coalesce(parent.canonical, p.canonical)::jsonb #>> '{action,title}' as title, p.undo_of is not null as undo, q.state,
      coalesce(g.principal_id, l.principal_id) as person, g.role,
      f.scope as "frozenScope", f.starts_at as "frozenFrom", f.ends_at as "frozenTo", f.reason as "frozenReason"
    from said s
    left join execution x on x.id = s.execution_id
    left join authorisation a on a.id = s.authorisation_id
    left join refused_attempt t on t.id = s.attempt_id
    left join request q on q.id = coalesce(s.request_id, t.request_id)
    left join plan p on p.id = coalesce(x.plan_id, a.plan_id, q.plan_id, s.plan_id)
    left join plan parent on parent.id = p.undo_of
    left join request r on r.plan_id = coalesce(p.undo_of, p.id)
    left join role_grant g on g.id = s.grant_id
    left join identity_link l on l.id = s.link_id
    left join freeze_window f on f.id = s.freeze_id
    where p.id is not null or g.id is not null or l.id is not null or f.id is not null`.execute(db)
  return rows.map(({ frozenScope: scope, frozenFrom: from, frozenTo: to, frozenReason: reason, ...row }) => {
    const isFreeze = scope !== null && from !== null && to !== null && reason !== null
    return { ...row, seq: Number(row.seq), freeze: isFreeze ? { scope, from, to, reason } : null }
  })
}

type SubjectRow = Omit<AuditSubject, 'freeze'> & {
  frozenScope: string | null
  frozenFrom: Date | null
  frozenTo: Date | null
  frozenReason: string | null
}
