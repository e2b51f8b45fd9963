import { sql, type Transaction } from 'kysely'
import type { Alert } from '../agent/domain/alert.ts'
import type { Database } from './schema.ts'

/** Rows that are shown of one alert; those before them are looked up where they matter. */
export const MAX_REMEMBERED = 50

/** Whoever sent it, and what it is called there. */
export interface AlertName {
  source: string
  key: string
}

export interface RememberedRow {
  id: number
  status: Alert['status']
  occurrence: string
  receivedAt: Date
  startsAt: string | null
  incidentId: string | null
  /** The delivery that it came in. */
  inboxId: number | null
}

/** What is stored of an alert, in whichever occurrence: its newest rows, the newest first, and how often it was delivered in all. */
export interface Remembered {
  rows: readonly RememberedRow[]
  deliveries: number
}

/** What is stored of alerts, as one transaction of intake sees it. A flood repeats few alerts often: they are read together, and counted together. */
export interface AlertMemory {
  of(name: AlertName): Promise<Remembered>
  /** One more delivery of what a row stands for. */
  countAgain(name: AlertName, id: number): void
  /** A row of this alert was written. */
  forget(name: AlertName): void
  /** Writes what was counted. */
  keep(now: Date): Promise<void>
}

/** @param expected the alerts that will be asked for, however often */
export function createAlertMemory(tx: Transaction<Database>, expected: readonly AlertName[]): AlertMemory {
  const known = new Map<string, Remembered>()
  const again = new Map<number, number>()
  let unread: readonly AlertName[] = expected
  const read = async (names: readonly AlertName[]): Promise<void> => {
    const distinct = [...new Map(names.map((name) => [wordsOf(name), name])).values()]
    const found = await readTogether(tx, distinct)
    for (const name of distinct) {
      const { rows, deliveries } = found.get(wordsOf(name)) ?? { rows: [], deliveries: 0 }
      const uncounted = rows.reduce((sum, { id }) => sum + (again.get(id) ?? 0), 0)
      known.set(wordsOf(name), { rows, deliveries: deliveries + uncounted })
    }
  }
  return {
    async of(name) {
      const words = wordsOf(name)
      if (!known.has(words)) await read([name, ...unread])
      unread = []
      return known.get(words) ?? { rows: [], deliveries: 0 }
    },
    countAgain(name, id) {
      again.set(id, (again.get(id) ?? 0) + 1)
      const words = wordsOf(name)
      const { rows, deliveries } = known.get(words) ?? { rows: [], deliveries: 0 }
      known.set(words, { rows, deliveries: deliveries + 1 })
    },
    forget: (name) => void known.delete(wordsOf(name)),
    async keep(now) {
      if (again.size === 0) return
      const [ids, counts] = [[...again.keys()], [...again.values()]]
      again.clear()
      await sql`
        update alert set deliveries = deliveries + more.count, last_received_at = ${now}
        from unnest(${ids}::bigint[], ${counts}::int[]) as more (id, count) where alert.id = more.id`.execute(tx)
    },
  }
}

type ReadRow = RememberedRow & AlertName & { deliveries: number | string }

async function readTogether(tx: Transaction<Database>, names: readonly AlertName[]): Promise<Map<string, Remembered>> {
  const [sources, keys] = [names.map(({ source }) => source), names.map(({ key }) => key)]
  const { rows } = await sql<ReadRow>`
    select asked.source, asked.key, total.deliveries, heard.id, heard.status, heard.occurrence, heard.received_at as "receivedAt",
      heard.starts_at as "startsAt", heard.belongs_to as "incidentId", heard.inbox_id as "inboxId"
    from unnest(${sources}::text[], ${keys}::text[]) as asked (source, key)
    cross join lateral (select sum(each.deliveries) as deliveries from alert each where each.source = asked.source and each.key = asked.key) total
    cross join lateral (
      select row.id, row.status, row.occurrence, row.received_at, row.body ->> 'startsAt' as starts_at, row.belongs_to, row.inbox_id
      from placed_alert row where row.source = asked.source and row.key = asked.key order by row.id desc limit ${MAX_REMEMBERED}
    ) heard
    order by heard.id desc`.execute(tx)
  const byName = Map.groupBy(rows, wordsOf)
  return new Map(
    [...byName].map(([words, found]) => [
      words,
      {
        rows: found.map(({ source: _source, key: _key, deliveries: _deliveries, ...row }) => row),
        deliveries: Number(found[0]?.deliveries ?? 0),
      },
    ]),
  )
}

function wordsOf({ source, key }: AlertName): string {
  return JSON.stringify([source, key])
}
