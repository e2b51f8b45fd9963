import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'
import { together } from './together.ts'

/** One thing that was sent to us, as it came. */
export interface Delivery {
  /** Who sent it: 'alertmanager', 'slack' … */
  source: string
  /** The sender's own id of the delivery, or a hash of the body; at most 512 characters. The same key is taken once. */
  deliveryKey: string
  /** At most 16 MiB. */
  body: Uint8Array
  headers: Readonly<Record<string, string>>
  /** A job of this kind, with `{ inboxId }` as payload, is enqueued in the same commit. */
  jobKind?: string
  /** Somebody waits for the acknowledgement: it is stored before what programs have sent, and in a line of its own. */
  urgent?: boolean
}

export interface InboxItem extends Required<Omit<Delivery, 'jobKind' | 'urgent'>> {
  id: number
  bodySha: string
  receivedAt: Date
  state: 'received' | 'processed' | 'failed' | 'rejected'
  error: string | null
  attempts: number
}

export interface Accepted {
  id: number
  /** True when this delivery was known already; `id` is then that of the first. */
  duplicate: boolean
}

/** The newest deliveries of a source that could be read: with the body that is asked about, and with any other. */
export interface Newest {
  same: { id: number; receivedAt: Date } | null
  other: number | null
}

/** Everything from outside passes through here before it is acknowledged. */
export interface Inbox {
  /**
   * Durable when it resolves. Deliveries that wait at the same time share a commit.
   *
   * @throws InboxFull when more than 1,000 deliveries wait in its line: answer 503, the sender tries again.
   */
  accept(delivery: Delivery): Promise<Accepted>
  get(id: number): Promise<InboxItem | null>
  /** The first of these, the oldest first: as many as fit into 4 MiB, and at least one. Those that are not stored are left out. */
  some(ids: readonly number[]): Promise<InboxItem[]>
  newest(source: string, bodySha: string): Promise<Newest>
  /** Items not processed yet, oldest first. */
  waiting(limit: number): Promise<InboxItem[]>
  markProcessed(...ids: readonly number[]): Promise<void>
  markFailed(id: number, error: string): Promise<void>
  /** What was stored but never will be processed: not signed, not readable. */
  markRejected(id: number, error: string): Promise<void>
  /** Makes an item, or all failed items of a source, wait again, and enqueues their jobs again in the place of those given up. Returns their ids. */
  replay(which: { id: number } | { source: string }): Promise<number[]>
  counts(): Promise<Record<InboxItem['state'], number>>
}

/** Too many deliveries wait to be stored. */
export class InboxFull extends Error {
  override readonly name = 'InboxFull'
  readonly code = 'inbox-full'
}

const MOST_WAITING = 1_000
const BATCH_ROWS = 50
const BATCH_BYTES = 4 * 1024 * 1024
const ERROR_LENGTH = 2_000

interface Pending {
  delivery: Delivery
  settle: PromiseWithResolvers<Accepted>
}

/** `urgent` is the same database, for what somebody waits for. */
export function createInbox({ db, urgent = db }: { db: Kysely<Database>; urgent?: Kysely<Database> }): Inbox {
  const lines = { urgent: createLine(urgent), usual: createLine(db) }
  const newestOf = together(BATCH_ROWS, (asked: readonly { source: string; bodySha: string }[]) => newest(db, asked))
  return {
    accept: (delivery) => (delivery.urgent ? lines.urgent : lines.usual)(delivery),
    get: async (id) => (await readItems(db, sql`where id = ${id}`))[0] ?? null,
    newest: (source, bodySha) => newestOf({ source, bodySha }),
    waiting: (limit) => readItems(db, sql`where state = 'received' order by received_at, id limit ${limit}`),
    some: (ids) => readItems(db, fitting(ids)),
    markProcessed: (...ids) => end(db, ids, 'processed', null),
    markFailed: (id, error) => end(db, [id], 'failed', error),
    markRejected: (id, error) => end(db, [id], 'rejected', error),
    replay: (which) => replay(db, which),
    counts: () => counts(db),
  }
}

/** Deliveries that wait while others are being stored go into the next commit together. */
function createLine(db: Kysely<Database>): Inbox['accept'] {
  const pending: Pending[] = []
  let flushing = false

  const flush = async (): Promise<void> => {
    flushing = true
    while (pending.length > 0) await store(db, takeBatch(pending))
    flushing = false
  }

  return (delivery) => {
    if (pending.length >= MOST_WAITING)
      return Promise.reject(new InboxFull(`${MOST_WAITING} deliveries wait to be stored; try again later`))
    const settle = Promise.withResolvers<Accepted>()
    pending.push({ delivery, settle })
    if (!flushing) void flush()
    return settle.promise
  }
}

function takeBatch(pending: Pending[]): Pending[] {
  let bytes = 0
  const size = pending.findIndex(({ delivery }, index) => {
    bytes += delivery.body.byteLength
    return index === BATCH_ROWS || (index > 0 && bytes > BATCH_BYTES)
  })
  return pending.splice(0, size === -1 ? pending.length : size)
}

/** Stores a batch in one statement. A delivery that the database refuses must not take its neighbours with it: they are then stored one by one. */
async function store(db: Kysely<Database>, batch: Pending[]): Promise<void> {
  try {
    const results = await insert(
      db,
      batch.map(({ delivery }) => delivery),
    )
    batch.forEach(({ settle }, index) => {
      const result = results[index]
      if (result) settle.resolve(result)
      else settle.reject(new Error('the database did not say where a delivery was stored'))
    })
  } catch (error) {
    const [first, ...others] = batch
    if (others.length === 0) return first?.settle.reject(error)
    for (const one of batch) await store(db, [one])
  }
}

async function insert(db: Kysely<Database>, deliveries: Delivery[]): Promise<(Accepted | undefined)[]> {
  const rows = deliveries.map(
    ({ source, deliveryKey, body, headers, jobKind = null }) =>
      sql`(${source}::text, ${deliveryKey}::text, ${body}::bytea, ${JSON.stringify(headers)}::jsonb, ${jobKind}::text)`,
  )
  const inserted = await sql<KeyedRow>`
    with stored as (
      insert into inbox (source, delivery_key, body, headers, job_kind) values ${sql.join(rows)}
      on conflict (source, delivery_key) do nothing
      returning id, source, delivery_key, job_kind
    ), queued as (
      insert into job (kind, payload, dedupe)
      select job_kind, jsonb_build_object('inboxId', id), 'inbox:' || id from stored where job_kind is not null
    )
    select id, source, delivery_key from stored`.execute(db)
  const fresh = byKey(inserted.rows)
  const known = await readKnown(
    db,
    deliveries.filter((delivery) => !fresh.has(keyOf(delivery.source, delivery.deliveryKey))),
  )
  return deliveries.map(({ source, deliveryKey }) => {
    const key = keyOf(source, deliveryKey)
    const id = fresh.get(key)
    // The same delivery twice in one batch: the first of them was stored.
    if (id !== undefined && fresh.delete(key)) {
      known.set(key, id)
      return { id, duplicate: false }
    }
    const first = known.get(key)
    return first === undefined ? undefined : { id: first, duplicate: true }
  })
}

interface KeyedRow {
  id: number
  source: string
  delivery_key: string
}

const keyOf = (source: string, deliveryKey: string): string => JSON.stringify([source, deliveryKey])

function byKey(rows: readonly KeyedRow[]): Map<string, number> {
  return new Map(rows.map(({ id, source, delivery_key }) => [keyOf(source, delivery_key), id]))
}

async function readKnown(db: Kysely<Database>, deliveries: readonly Delivery[]): Promise<Map<string, number>> {
  if (deliveries.length === 0) return new Map()
  const keys = deliveries.map(({ source, deliveryKey }) => sql`(${source}::text, ${deliveryKey}::text)`)
  const { rows } = await sql<KeyedRow>`
    select id, source, delivery_key from inbox where (source, delivery_key) in (${sql.join(keys)})`.execute(db)
  return byKey(rows)
}

async function readItems(db: Kysely<Database>, where: ReturnType<typeof sql>): Promise<InboxItem[]> {
  const { rows } = await sql<InboxItem>`
    select id, source, delivery_key as "deliveryKey", body, body_sha as "bodySha", headers, received_at as "receivedAt", state, error, attempts
    from inbox ${where}`.execute(db)
  return rows
}

async function newest(db: Kysely<Database>, asked: readonly { source: string; bodySha: string }[]): Promise<Newest[]> {
  const last = (how: '=' | '<>') => sql`
    select id, received_at from inbox
    where source = asked.source and state <> 'rejected' and body_sha ${sql.raw(how)} asked.sha order by id desc limit 1`
  const [sources, shas] = [asked.map(({ source }) => source), asked.map(({ bodySha }) => bodySha)]
  const { rows } = await sql<{ same: number | null; receivedAt: Date | null; other: number | null }>`
    select same.id as same, same.received_at as "receivedAt", other.id as other
    from unnest(${sources}::text[], ${shas}::text[]) with ordinality as asked (source, sha, place)
    left join lateral (${last('=')}) same on true left join lateral (${last('<>')}) other on true order by asked.place`.execute(db)
  return rows.map(({ same, receivedAt, other }) => ({
    same: same !== null && receivedAt !== null ? { id: same, receivedAt } : null,
    other,
  }))
}

/** Bodies are summed in the order of their ids; what begins within the bound is read. */
function fitting(ids: readonly number[]): ReturnType<typeof sql> {
  return sql`where id in (
    select id from (
      select id, sum(octet_length(body)) over (order by id) - octet_length(body) as before from inbox where id = any(${[...ids]}::bigint[])
    ) sized where before < ${BATCH_BYTES}
  ) order by id`
}

async function end(db: Kysely<Database>, ids: readonly number[], state: InboxItem['state'], error: string | null): Promise<void> {
  await sql`
    update inbox set state = ${state}, error = ${error?.slice(0, ERROR_LENGTH) ?? null}, attempts = attempts + 1, processed_at = clk()
    where id = any(${[...ids]}::bigint[])`.execute(db)
}

async function replay(db: Kysely<Database>, which: { id: number } | { source: string }): Promise<number[]> {
  const where = 'id' in which ? sql`id = ${which.id}` : sql`source = ${which.source} and state = 'failed'`
  const { rows } = await sql<{ id: number }>`
    with again as (
      update inbox set state = 'received', error = null, processed_at = null where ${where} returning id, job_kind
    ), replaced as (
      update job set finished_at = clk(), dead_at = null from again where job.dedupe = 'inbox:' || again.id and job.dead_at is not null
    ), queued as (
      insert into job (kind, payload, dedupe)
      select job_kind, jsonb_build_object('inboxId', id), 'inbox:' || id from again where job_kind is not null
      on conflict (dedupe) where finished_at is null and dead_at is null do nothing
    )
    select id from again order by id`.execute(db)
  return rows.map(({ id }) => id)
}

async function counts(db: Kysely<Database>): Promise<Record<InboxItem['state'], number>> {
  const { rows } = await sql<{
    state: InboxItem['state']
    count: number
  }>`select state, count(*) as count from inbox group by state`.execute(db)
  return { received: 0, processed: 0, failed: 0, rejected: 0, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) }
}
