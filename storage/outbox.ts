import { type Kysely, sql } from 'kysely'
import type { Database, Executor } from './schema.ts'

/** A notice to send, written in the transaction of what it tells. */
export interface NewNotice {
  /** The same notice is queued once: 'approval:<request>:asked'. */
  dedupe: string
  topic: string
  /** Notices of one incident are sent one after another, in the order in which they were written. */
  incidentId: string | null
  body: Readonly<Record<string, unknown>>
  /** 1 is sent first, 9 last; 5 unless given. */
  priority?: number
  notBefore?: Date
}

export interface Notice {
  id: number
  dedupe: string
  topic: string
  incidentId: string | null
  body: Record<string, unknown>
  priority: number
  at: Date
  /** This one included. */
  attempts: number
}

export interface DeadNotice extends Notice {
  deadAt: Date
  lastError: string | null
}

/**
 * Notices wait here until they were sent, or given up after twelve attempts. What people have to be told is tried until it was told: only what no
 * surface could ever show is given up.
 */
export interface Outbox {
  /** Returns the notice's id, or null when it was queued before. */
  enqueue(tx: Executor, notice: NewNotice): Promise<number | null>
  /** Takes due notices, most urgent first, for so long that nobody else takes them; of one incident at most one at a time. */
  claimBatch(options: { limit: number; leaseSeconds: number }): Promise<Notice[]>
  /**
   * Ends later notices of the same topic, incident and body that nobody has claimed: they point at the same thing, so they are told with this
   * one. To be called before the thing is read; if telling fails, this one is tried again and stands for them. Returns how many.
   */
  absorbLater(id: number): Promise<number>
  done(id: number): Promise<void>
  /** Sets it back after a failed attempt; the twelfth makes it a dead letter, unless people have to be told. */
  retry(id: number, error: string, notBefore: Date): Promise<'waiting' | 'dead'>
  /** Gives up at once: the other side will never take it. */
  bury(id: number, error: string): Promise<void>
  /** How long the oldest notice has waited, in seconds, and how many wait. */
  oldestUnsent(): Promise<{ id: number; topic: string; waitedSeconds: number; waiting: number } | null>
  deadLetters(limit: number): Promise<DeadNotice[]>
  countDead(): Promise<number>
  /** Makes a dead letter wait again, with all its attempts. Returns whether there was one. */
  replay(id: number): Promise<boolean>
  /** Removes notices sent before the moment, at most 10,000 at a time, and keeps that they were told; returns how many. */
  prune(sentBefore: Date): Promise<number>
}

/** The channel on which the database tells of new notices. */
export const OUTBOX_CHANNEL = 'steadyhand_outbox'

export const OUTBOX_ATTEMPTS = 12
/** Topics that people have to be told, however long the chat is away; the others redraw what the next one redraws as well. */
const LASTING = sql`('notice', 'page')`
const ERROR_LENGTH = 2_000
const PRUNE_ROWS = 10_000

const COLUMNS = sql`id, dedupe, topic, incident_id as "incidentId", body, priority, at, attempts`

export function createOutbox({ db }: { db: Kysely<Database> }): Outbox {
  return {
    enqueue,
    claimBatch: (options) => claimBatch(db, options),
    async absorbLater(id) {
      const result = await sql`
        update outbox later set done_at = clk()
        from outbox held
        where held.id = ${id} and held.done_at is null and held.incident_id is not null
          and later.incident_id = held.incident_id and later.topic = held.topic and later.body = held.body and later.id > held.id
          and later.done_at is null and later.dead_at is null and later.claimed_until is null`.execute(db)
      return Number(result.numAffectedRows)
    },
    async done(id) {
      await sql`update outbox set done_at = clk(), claimed_until = null where id = ${id} and done_at is null and dead_at is null`.execute(
        db,
      )
    },
    retry: (id, error, notBefore) => retry(db, id, error, notBefore),
    async bury(id, error) {
      await sql`
        update outbox set dead_at = clk(), claimed_until = null, last_error = ${error.slice(0, ERROR_LENGTH)}
        where id = ${id} and done_at is null and dead_at is null`.execute(db)
    },
    oldestUnsent: () => oldestUnsent(db),
    async deadLetters(limit) {
      const { rows } = await sql<DeadNotice>`
        select ${COLUMNS}, dead_at as "deadAt", last_error as "lastError" from outbox
        where dead_at is not null order by dead_at desc, id desc limit ${limit}`.execute(db)
      return rows
    },
    async countDead() {
      const { rows } = await sql<{ count: number }>`select count(*) as count from outbox where dead_at is not null`.execute(db)
      return rows[0]?.count ?? 0
    },
    async replay(id) {
      const result = await sql`
        update outbox set dead_at = null, attempts = 0, claimed_until = null, not_before = clk() where id = ${id} and dead_at is not null`.execute(
        db,
      )
      return result.numAffectedRows === 1n
    },
    async prune(sentBefore) {
      const { rows } = await sql<{ gone: number }>`
        with gone as (
          delete from outbox where id in (select id from outbox where done_at < ${sentBefore} order by done_at limit ${PRUNE_ROWS})
          returning dedupe, topic, done_at
        ), kept as (
          insert into told_notice (dedupe, told_at) select dedupe, done_at from gone where topic = 'notice' on conflict do nothing
        )
        select count(*) as gone from gone`.execute(db)
      return rows[0]?.gone ?? 0
    },
  }
}

async function enqueue(tx: Executor, notice: NewNotice): Promise<number | null> {
  const { dedupe, topic, incidentId, body, priority = 5, notBefore = null } = notice
  const { rows } = await sql<{ id: number }>`
    insert into outbox (dedupe, topic, incident_id, body, priority, not_before)
    values (${dedupe}, ${topic}, ${incidentId}, ${JSON.stringify(body)}, ${priority}, coalesce(${notBefore}::timestamptz, clk()))
    on conflict (dedupe) do nothing returning id`.execute(tx)
  return rows[0]?.id ?? null
}

/**
 * An earlier notice of the same incident that is neither sent nor given up keeps the later ones waiting, also while another claimer holds it:
 * its row then still reads as unsent. Who was killed twelve times while sending gives up like who failed twelve times, and on the same topics.
 */
async function claimBatch(db: Kysely<Database>, { limit, leaseSeconds }: { limit: number; leaseSeconds: number }): Promise<Notice[]> {
  const { rows } = await sql<Notice>`
    with buried as (
      update outbox set dead_at = clk(), claimed_until = null, last_error = coalesce(last_error, 'no attempt came to an end')
      where done_at is null and dead_at is null and attempts >= ${OUTBOX_ATTEMPTS} and topic not in ${LASTING} and claimed_until <= (select clk())
    ), due as materialized (
      select id from outbox waiting
      where done_at is null and dead_at is null and (attempts < ${OUTBOX_ATTEMPTS} or topic in ${LASTING})
        and not_before <= (select clk()) and (claimed_until is null or claimed_until <= (select clk()))
        and (incident_id is null or not exists (
          select from outbox earlier
          where earlier.incident_id = waiting.incident_id and earlier.id < waiting.id and earlier.done_at is null and earlier.dead_at is null
        ))
      order by priority, id limit ${limit} for update skip locked
    ), claimed as (
      update outbox set claimed_until = clk() + make_interval(secs => ${leaseSeconds}), attempts = attempts + 1
      from due where outbox.id = due.id returning outbox.*
    )
    select ${COLUMNS} from claimed order by priority, id`.execute(db)
  return rows
}

async function retry(db: Kysely<Database>, id: number, error: string, notBefore: Date): Promise<'waiting' | 'dead'> {
  const { rows } = await sql<{ dead: boolean }>`
    update outbox set claimed_until = null, last_error = ${error.slice(0, ERROR_LENGTH)}, not_before = ${notBefore},
      dead_at = case when attempts >= ${OUTBOX_ATTEMPTS} and topic not in ${LASTING} then clk() end
    where id = ${id} and done_at is null and dead_at is null
    returning dead_at is not null as dead`.execute(db)
  return rows[0]?.dead ? 'dead' : 'waiting'
}

async function oldestUnsent(db: Kysely<Database>): ReturnType<Outbox['oldestUnsent']> {
  const { rows } = await sql<{ id: number; topic: string; waitedSeconds: number; waiting: number }>`
    select id, topic, extract(epoch from clk() - at)::float8 as "waitedSeconds", count(*) over () as waiting
    from outbox where done_at is null and dead_at is null order by at, id limit 1`.execute(db)
  return rows[0] ?? null
}
