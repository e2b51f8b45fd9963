import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/** One scrape of one instance. */
export interface Scrape {
  at: Date
  /** The integration that scraped: 'local' … */
  target: string
  service: string
  instance: string
  version: string
  /** Value by series, as the scraper names them. */
  samples: Readonly<Record<string, unknown>>
}

/** The measurements that detection and verification read back; kept as long as the owner prunes. */
export interface Telemetry {
  /** At most 1,000 rows at a time, in one commit. */
  append(rows: readonly Scrape[]): Promise<void>
  /** The newest `limit` (at most 10,000) scrapes of the window, oldest first; both ends included. */
  read(query: { service: string; target?: string; from: Date; to: Date; limit: number }): Promise<Scrape[]>
  /** Removes what is older, at most 10,000 rows at a time; returns how many. */
  prune(olderThan: Date): Promise<number>
}

const APPEND_ROWS = 1_000
const READ_ROWS = 10_000
const PRUNE_ROWS = 10_000

export function createTelemetry({ db }: { db: Kysely<Database> }): Telemetry {
  return {
    async append(rows) {
      if (rows.length === 0) return
      if (rows.length > APPEND_ROWS) throw new RangeError(`at most ${APPEND_ROWS} scrapes are stored at a time, not ${rows.length}`)
      await sql`
        insert into telemetry (at, target, service, instance, version, samples)
        select at, target, service, instance, version, samples
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as row (at timestamptz, target text, service text, instance text, version text, samples jsonb)`.execute(db)
    },
    async read({ service, target = null, from, to, limit }) {
      const { rows } = await sql<Scrape>`
        select at, target, service, instance, version, samples from telemetry
        where service = ${service} and at between ${from} and ${to} and (${target}::text is null or target = ${target})
        order by at desc, id desc limit ${Math.min(limit, READ_ROWS)}`.execute(db)
      return rows.reverse()
    },
    async prune(olderThan) {
      const result = await sql`
        delete from telemetry where id in (select id from telemetry where at < ${olderThan} order by at limit ${PRUNE_ROWS})`.execute(db)
      return Number(result.numAffectedRows)
    },
  }
}
