import { type Kysely, sql } from 'kysely'
import type { RunbookChunk, RunbookQuery } from '../agent/domain/runbook.ts'
import type { RunbookStore } from '../agent/ports.ts'
import { storableText } from './content-json.ts'
import type { Database } from './schema.ts'

const MAX_NAME = 200
const MAX_BODY = 4_000
const MAX_LIST = 50
const MAX_CHUNKS = 5_000
const ROWS_AT_ONCE = 200
const MAX_WORDS = 40
const MAX_LIMIT = 20
/** What a part is for counts more than which words it uses; below the least score nothing is suggested. */
const WEIGHT = { classes: 4, alerts: 3, services: 0.5, words: 2 }
const LEAST_SCORE = 0.6
/** A runbook that fits much worse than the best one is not shown beside it. */
const NEAR_THE_BEST = 0.7

/** Runbooks in the database, searched by what they are for and by their words (full text, English). */
export function createRunbookStore({ db }: { db: Kysely<Database> }): RunbookStore {
  return {
    async replace(chunks) {
      const places = new Map<string, number>()
      const rows = chunks.slice(0, MAX_CHUNKS).map((chunk) => {
        const ordinal = places.get(chunk.file) ?? 0
        places.set(chunk.file, ordinal + 1)
        return rowOf(chunk, ordinal)
      })
      await db.transaction().execute(async (tx) => {
        // Two processes that start at once wait for each other, and write the same.
        await sql`lock table runbook_chunk in share row exclusive mode`.execute(tx)
        await tx.deleteFrom('runbook_chunk').execute()
        for (let i = 0; i < rows.length; i += ROWS_AT_ONCE)
          await tx
            .insertInto('runbook_chunk')
            .values(rows.slice(i, i + ROWS_AT_ONCE))
            .execute()
      })
    },
    search: (query) => search(db, query),
  }
}

async function search(db: Kysely<Database>, query: RunbookQuery): Promise<RunbookChunk[]> {
  const { classes, alerts, services } = { classes: texts(query.classes), alerts: texts(query.alerts), services: texts(query.services) }
  const limit = Math.min(Math.max(1, Math.floor(query.limit)), MAX_LIMIT)
  const { rows } = await sql<RunbookChunk>`
    with scored as (
      select chunk.*,
        ${WEIGHT.classes}::float8 * (classes && ${classes}::text[])::int
        + ${WEIGHT.alerts}::float8 * (alerts && ${alerts}::text[])::int
        + ${WEIGHT.services}::float8 * (services && ${services}::text[])::int
        + ${WEIGHT.words}::float8 * ts_rank(search, words) as score
      from runbook_chunk chunk, websearch_to_tsquery('english', ${anyOf(query.words)}) words
    ), best as (select distinct on (file) * from scored order by file, score desc, ordinal)
    select file, anchor, title, heading, body, services, alerts, classes from best
    where score >= greatest(${LEAST_SCORE}::float8, ${NEAR_THE_BEST}::float8 * (select max(score) from best))
    order by score desc, file collate "C"
    limit ${limit}`.execute(db)
  return rows
}

/** A query that every one of the words satisfies alone. Only letters and digits are left of them, so none is an operator. */
function anyOf(words: readonly string[]): string {
  const plain = words.flatMap(
    (word) =>
      word
        .toWellFormed()
        .slice(0, MAX_NAME)
        .match(/[\p{L}\p{N}]+/gu) ?? [],
  )
  return plain.slice(0, MAX_WORDS).join(' or ')
}

function rowOf({ file, anchor, title, heading, body, services, alerts, classes }: RunbookChunk, ordinal: number) {
  return {
    file: storableText(file, MAX_NAME),
    ordinal,
    anchor: storableText(anchor, MAX_NAME),
    title: storableText(title, MAX_NAME),
    heading: storableText(heading, MAX_NAME),
    body: storableText(body, MAX_BODY),
    services: texts(services),
    alerts: texts(alerts),
    classes: texts(classes),
  }
}

function texts(names: readonly string[]): string[] {
  return names.slice(0, MAX_LIST).map((name) => storableText(name, MAX_NAME))
}
