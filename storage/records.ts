import { type Kysely, type SqlBool, sql } from 'kysely'
import type { IncidentRecord, RecordsStore } from '../agent/ports.ts'
import { storableText } from './content-json.ts'
import type { Database } from './schema.ts'

/** The rows behind the figures, read as they stand. */
export function createRecordsStore({ db }: { db: Kysely<Database> }): RecordsStore {
  return {
    async incidents({ from, to, service, limit }) {
      const rows = await db
        .selectFrom('incident as i')
        .select(['i.id', 'i.service', 'i.environment', 'i.severity', 'i.state', 'i.opened_at', 'i.ended_at', 'i.drill_run'])
        .select([
          sql<Date | null>`(select min(e.at) from incident_event e where e.incident_id = i.id and jsonb_exists(e.detail, 'person'))`.as(
            'touched_at',
          ),
          sql<Date | null>`(select min(v.at) from vote v join request r on r.id = v.request_id where r.incident_id = i.id)`.as('voted_at'),
          sql<string | null>`(select e.kind from incident_event e where e.incident_id = i.id
            and e.kind in ('incident-resolved', 'incident-merged', 'symptom-gone') order by e.seq desc limit 1)`.as('ended_by'),
        ])
        .where('i.opened_at', '>=', from)
        .where('i.opened_at', '<', to)
        .$if(service !== null, (query) => query.where('i.service', '=', storableText(service ?? '')))
        .orderBy('i.number', 'desc')
        .limit(limit + 1)
        .execute()
      const items = rows.slice(0, limit).map((row) => ({
        id: row.id,
        service: row.service,
        environment: row.environment,
        severity: row.severity,
        openedAt: row.opened_at,
        endedAt: row.ended_at,
        acknowledgedAt: earliest(row.touched_at, row.voted_at),
        ending: endingOf(row),
        isDrill: row.drill_run !== null,
      }))
      return { items, isAll: rows.length <= limit }
    },

    async feedback(incidentIds) {
      const counts = { right: 0, wrong: 0 }
      if (incidentIds.length === 0) return counts
      const rows = await db
        .selectFrom('incident_feedback as f')
        .select(['f.verdict', (eb) => eb.fn.countAll<number | string>().as('count')])
        .where('f.incident_id', 'in', [...incidentIds])
        .where(
          sql<SqlBool>`not exists (select 1 from incident_feedback later where later.incident_id = f.incident_id and later.person_id = f.person_id and later.id > f.id)`,
        )
        .groupBy('f.verdict')
        .execute()
      for (const { verdict, count } of rows) counts[verdict] = Number(count)
      return counts
    },
  }
}

function endingOf({ state, ended_by: by }: { state: string; ended_by: string | null }): IncidentRecord['ending'] {
  if (state === 'healed') return by === 'symptom-gone' ? 'gone' : 'healed'
  if (state !== 'resolved') return null
  if (by === null) return 'verified'
  return by === 'incident-merged' ? 'merged' : 'person'
}

function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b
  return a.getTime() <= b.getTime() ? a : b
}
