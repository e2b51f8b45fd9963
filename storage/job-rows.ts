import { type Kysely, sql } from 'kysely'
import type { Database, Executor } from './schema.ts'

/** Work to do later, elsewhere, or again until it succeeds. */
export interface NewJob {
  kind: string
  /** JSON; its handler checks it. */
  payload: Readonly<Record<string, unknown>>
  /** While a job with this key waits or runs, the same is not enqueued again. */
  dedupe?: string
  queue?: string
  /** Not before this moment; now unless given. */
  runAt?: Date
  /** 1–100, 12 unless given; then it is a dead letter. */
  maxAttempts?: number
}

export interface ClaimedJob {
  id: number
  kind: string
  payload: Record<string, unknown>
  /** 1 for the first. */
  attempt: number
}

export interface DeadJob {
  id: number
  queue: string
  kind: string
  payload: Record<string, unknown>
  attempts: number
  deadAt: Date
  lastError: string | null
}

/** The channel on which the database tells of new jobs. */
export const JOB_CHANNEL = 'steadyhand_job'

const ERROR_LENGTH = 2_000
const PRUNE_ROWS = 10_000

/** Enqueues in the caller's transaction. `duplicate`: the same is waiting or running already, and `id` is its. */
export async function enqueueJob(tx: Executor, job: NewJob): Promise<{ id: number; duplicate: boolean }> {
  const { kind, payload, dedupe = null, queue = 'default', runAt = null, maxAttempts = 12 } = job
  // The one that stood in the way may end between the two statements; then there is room.
  for (;;) {
    const { rows } = await sql<{ id: number }>`
      insert into job (queue, kind, payload, dedupe, run_at, max_attempts)
      values (${queue}, ${kind}, ${JSON.stringify(payload)}, ${dedupe}, coalesce(${runAt}::timestamptz, clk()), ${maxAttempts})
      on conflict (dedupe) where finished_at is null and dead_at is null do nothing returning id`.execute(tx)
    if (rows[0]) return { id: rows[0].id, duplicate: false }
    const known = await sql<{ id: number }>`
      select id from job where dedupe = ${dedupe} and finished_at is null and dead_at is null`.execute(tx)
    if (known.rows[0]) return { id: known.rows[0].id, duplicate: true }
  }
}

/**
 * Claims due jobs, oldest first, at most `free` of each kind. A job whose worker died is due again when its claim ends, and dead when that was
 * its last attempt.
 */
export async function claimJobs(
  db: Kysely<Database>,
  { workerId, free, leaseSeconds }: { workerId: string; free: ReadonlyMap<string, number>; leaseSeconds: number },
): Promise<{ claimed: ClaimedJob[]; buried: (ClaimedJob & { error: string })[] }> {
  const slots = JSON.stringify([...free].map(([kind, count]) => ({ kind, count })))
  const { rows } = await sql<ClaimedJob & { buried: boolean; error: string }>`
    with buried as (
      update job set dead_at = clk(), claimed_by = null, claimed_until = null, last_error = coalesce(last_error, 'no attempt came to an end')
      where finished_at is null and dead_at is null and attempts >= max_attempts
        and (claimed_until is null or claimed_until <= (select clk()))
      returning *
    ), due as materialized (
      select job.id from jsonb_to_recordset(${slots}::jsonb) as slot (kind text, count int)
      cross join lateral (
        select id from job
        where job.kind = slot.kind and finished_at is null and dead_at is null and attempts < max_attempts
          and run_at <= (select clk()) and (claimed_until is null or claimed_until <= (select clk()))
        order by run_at, id limit slot.count for update skip locked
      ) job
    ), claimed as (
      update job set claimed_by = ${workerId}, claimed_until = clk() + make_interval(secs => ${leaseSeconds}), attempts = attempts + 1
      from due where job.id = due.id returning job.*
    )
    select id, kind, payload, attempts as attempt, false as buried, '' as error, run_at from claimed
    union all select id, kind, payload, attempts, true, last_error, run_at from buried order by run_at, id`.execute(db)
  const jobs = rows.map(({ id, kind, payload, attempt, buried, error }) => ({ buried, error, job: { id, kind, payload, attempt } }))
  return {
    claimed: jobs.flatMap(({ buried, job }) => (buried ? [] : [job])),
    buried: jobs.flatMap(({ buried, job, error }) => (buried ? [{ ...job, error }] : [])),
  }
}

/** A claim, as the worker that holds it names it; whoever lost it writes nothing. */
export interface Claim {
  id: number
  attempt: number
  workerId: string
}

function held({ id, attempt, workerId }: Claim): ReturnType<typeof sql> {
  return sql`id = ${id} and claimed_by = ${workerId} and attempts = ${attempt} and finished_at is null and dead_at is null`
}

/** Returns how many of the claims still held; the others were lost. */
export async function finishJobs(db: Kysely<Database>, claims: readonly Claim[]): Promise<number> {
  const result = await sql`
    update job set finished_at = clk(), claimed_by = null, claimed_until = null, last_error = null
    where ${sql.join(
      claims.map((claim) => sql`(${held(claim)})`),
      sql` or `,
    )}`.execute(db)
  return Number(result.numAffectedRows)
}

/** Sets the job back for another attempt, or buries it after the last one or when `permanent`. */
export async function failJob(
  db: Kysely<Database>,
  claim: Claim,
  { error, delaySeconds, permanent }: { error: string; delaySeconds: number; permanent: boolean },
): Promise<'waiting' | 'dead' | 'lost'> {
  const { rows } = await sql<{ dead: boolean }>`
    update job set claimed_by = null, claimed_until = null, last_error = ${error.slice(0, ERROR_LENGTH)},
      run_at = clk() + make_interval(secs => ${delaySeconds}),
      dead_at = case when ${permanent}::boolean or attempts >= max_attempts then clk() end
    where ${held(claim)} returning dead_at is not null as dead`.execute(db)
  if (!rows[0]) return 'lost'
  return rows[0].dead ? 'dead' : 'waiting'
}

/** Gives a job back that was begun and stopped by a shutdown; the attempt does not count. */
export async function giveJobBack(db: Kysely<Database>, claim: Claim): Promise<void> {
  await sql`
    update job set claimed_by = null, claimed_until = null, attempts = attempts - 1, run_at = clk() where ${held(claim)}`.execute(db)
}

/** Prolongs the claims of a worker; returns the ids that it still holds. */
export async function renewClaims(
  db: Kysely<Database>,
  workerId: string,
  ids: readonly number[],
  leaseSeconds: number,
): Promise<Set<number>> {
  const { rows } = await sql<{ id: number }>`
    update job set claimed_until = clk() + make_interval(secs => ${leaseSeconds})
    where claimed_by = ${workerId} and id = any(${[...ids]}::bigint[]) and finished_at is null and dead_at is null returning id`.execute(db)
  return new Set(rows.map(({ id }) => id))
}

/** Ends every claim. Only for the one process of a database that nobody else can have open: all claims are of a process that died. */
export async function dropAllClaims(db: Kysely<Database>): Promise<void> {
  await sql`update job set claimed_by = null, claimed_until = null where claimed_by is not null`.execute(db)
}

export async function deadJobs(db: Kysely<Database>, limit: number): Promise<DeadJob[]> {
  const { rows } = await sql<DeadJob>`
    select id, queue, kind, payload, attempts, dead_at as "deadAt", last_error as "lastError" from job
    where dead_at is not null order by dead_at desc, id desc limit ${limit}`.execute(db)
  return rows
}

/** Makes a dead letter wait again, with all its attempts. False when there is none, or the same work waits already. */
export async function replayJob(db: Kysely<Database>, id: number): Promise<boolean> {
  const result = await sql`
    update job set dead_at = null, attempts = 0, run_at = clk()
    where id = ${id} and dead_at is not null and not exists (
      select from job same where same.dedupe = job.dedupe and same.finished_at is null and same.dead_at is null
    )`.execute(db)
  return result.numAffectedRows === 1n
}

export async function countJobs(db: Kysely<Database>): Promise<{ waiting: number; running: number; dead: number }> {
  const { rows } = await sql<{ waiting: number; running: number; dead: number }>`
    select count(*) filter (where dead_at is null and claimed_by is null) as waiting,
      count(*) filter (where dead_at is null and claimed_by is not null) as running,
      count(*) filter (where dead_at is not null) as dead
    from job where finished_at is null`.execute(db)
  return rows[0] ?? { waiting: 0, running: 0, dead: 0 }
}

/** Removes jobs finished before the moment, at most 10,000 at a time; returns how many. */
export async function pruneJobs(db: Kysely<Database>, finishedBefore: Date): Promise<number> {
  const result = await sql`
    delete from job where id in (select id from job where finished_at < ${finishedBefore} order by finished_at limit ${PRUNE_ROWS})`.execute(
    db,
  )
  return Number(result.numAffectedRows)
}
