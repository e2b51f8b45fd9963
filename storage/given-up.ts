import { type Kysely, sql } from 'kysely'
import type { Inbox } from './inbox.ts'
import type { JobQueue } from './job-queue.ts'
import type { Outbox } from './outbox.ts'
import { AGENT_JOBS, INTAKE } from './process-roles.ts'
import { notTheOwner } from './refusals.ts'
import type { Database } from './schema.ts'

/** What can be given up: something that was sent to us, work of our own, something to tell. */
export type GivenUpWhat = 'delivery' | 'job' | 'notice'

/** One thing that was tried until it was given up. */
export interface GivenUp {
  what: GivenUpWhat
  id: number
  /** Its sender, the kind of work, or the topic of the notice. */
  kind: string
  at: Date
  /** As it was thrown, at most 2,000 characters; it may hold text from outside. */
  why: string | null
  /** Whether it may be taken up again. Never what a person said or pressed in a chat: that may be a vote, and its moment is over. */
  again: boolean
}

/** waits: it is tried again · over: nothing is left to do, the same work waits already · never: it may only be dismissed · unknown: not given up. */
export type TakenUp = 'waits' | 'over' | 'never' | 'unknown'

/** What was given up, for the operator on the host. Approvals, votes and executions are no such thing: they are settled, never repeated. */
export interface GivenUpStore {
  /** First what may be taken up again, of that the oldest first. */
  list(limit: number): Promise<GivenUp[]>
  /** @throws Refusal not-authorised in a process that may not write all of it */
  takeUp(what: GivenUpWhat, id: number): Promise<TakenUp>
  /** Ends a job that is never taken up again, so that it counts as given up no more. @returns whether there was one @throws Refusal not-authorised */
  dismiss(jobId: number): Promise<boolean>
}

export interface GivenUpDeps {
  db: Kysely<Database>
  inbox: Pick<Inbox, 'replay'>
  outbox: Pick<Outbox, 'replay'>
  queue: Pick<JobQueue, 'replay'>
}

const OF_AGENT = sql`kind = any(${[...AGENT_JOBS]}::text[])`

export function createGivenUp({ db, inbox, outbox, queue }: GivenUpDeps): GivenUpStore {
  const takeUpDelivery = async (id: number): Promise<TakenUp> => {
    const { rows } = await sql`select from inbox where id = ${id} and state = 'failed' and job_kind = ${INTAKE}`.execute(db)
    if (rows.length === 0) return 'unknown'
    return (await inbox.replay({ id })).length > 0 ? 'waits' : 'unknown'
  }
  const takeUpJob = async (id: number): Promise<TakenUp> => {
    const { rows } = await sql<{ again: boolean }>`select ${OF_AGENT} as again from job where id = ${id} and dead_at is not null`.execute(
      db,
    )
    if (!rows[0]) return 'unknown'
    if (!rows[0].again) return 'never'
    if (await queue.replay(id)) return 'waits'
    return (await endJob(db, sql`id = ${id}`)) ? 'over' : 'unknown'
  }
  return {
    list: (limit) => list(db, limit),
    async takeUp(what, id) {
      await demandAllRows(db)
      if (what === 'delivery') return await takeUpDelivery(id)
      if (what === 'job') return await takeUpJob(id)
      return (await outbox.replay(id)) ? 'waits' : 'unknown'
    },
    async dismiss(jobId) {
      await demandAllRows(db)
      return await endJob(db, sql`id = ${jobId} and not ${OF_AGENT}`)
    },
  }
}

/** A delivery stands for the job that was to take it in. */
async function list(db: Kysely<Database>, limit: number): Promise<GivenUp[]> {
  const { rows } = await sql<GivenUp>`
    with failed as (select id, source, processed_at, error from inbox where state = 'failed' and job_kind = ${INTAKE})
    select * from (
      select 'delivery' as what, id, source as kind, processed_at as at, error as why, true as again from failed
      union all
      select 'job', id, kind, dead_at, last_error, ${OF_AGENT} from job
      where dead_at is not null and not exists (select from failed where job.dedupe = 'inbox:' || failed.id)
      union all
      select 'notice', id, topic, dead_at, last_error, true from outbox where dead_at is not null
    ) given_up order by again desc, at, what, id limit ${limit}`.execute(db)
  return rows
}

async function endJob(db: Kysely<Database>, which: ReturnType<typeof sql>): Promise<boolean> {
  const result = await sql`update job set finished_at = clk(), dead_at = null where ${which} and dead_at is not null`.execute(db)
  return result.numAffectedRows === 1n
}

/** One of several processes writes its own jobs only, and the others' would look as if they were not there. */
async function demandAllRows(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ some: boolean }>`select row_security_active('job') as some`.execute(db)
  if (rows[0]?.some) throw notTheOwner()
}
