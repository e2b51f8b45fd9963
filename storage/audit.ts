import { type Kysely, sql } from 'kysely'
import type { AuditStore } from '../agent/ports.ts'
import { createAuditProof, runChecker } from './audit-proof.ts'
import { readAuditSubjects } from './audit-subjects.ts'
import { OVERDUE } from './invariants.ts'
import type { Database } from './schema.ts'

const CURSOR = /^\d{1,15}$/

/** The audit log, and the queries that prove it. */
export function createAuditStore({ db }: { db: Kysely<Database> }): AuditStore {
  const verify = createAuditProof({ db })
  return {
    async entries({ limit, cursor }) {
      const rows = await db
        .selectFrom('audit_entry')
        .selectAll()
        .$if(cursor !== undefined && CURSOR.test(cursor), (query) => query.where('seq', '<', Number(cursor)))
        .orderBy('seq', 'desc')
        .limit(limit + 1)
        .execute()
      const items = rows.slice(0, limit).map(({ seq, at, actor, what, body, hash }) => ({ seq, at, actor, what, body, hash }))
      return { items, next: rows.length > limit ? String(items.at(-1)?.seq) : null }
    },

    subjects: async (seqs) => await readAuditSubjects(db, seqs),

    verify,

    async serverTime() {
      const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db)
      return rows[0]?.at ?? new Date(Number.NaN)
    },

    async overdue() {
      return await runChecker(db, OVERDUE, 'overdue:')
    },

    async plans() {
      return await db
        .selectFrom('request as r')
        .innerJoin('plan as p', 'p.id', 'r.plan_id')
        .select(['r.id', 'p.canonical', 'r.render_hash', 'r.render_version'])
        .execute()
        .then((rows) =>
          rows.map((row) => ({
            requestId: row.id,
            canonical: row.canonical,
            renderHash: row.render_hash,
            renderVersion: row.render_version,
          })),
        )
    },
  }
}
