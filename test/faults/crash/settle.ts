import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { STILL_TO_CLAIM } from './facts.ts'
import type { World } from './world.ts'

type OpenWork = { claimable: number; moving: number; verifying: number; unknown: number; undo: number }

/** In the first looks the clock outruns the lease of the one executor there is, as it does for a process that was paused. */
const HASTY_LOOKS = 300
/** In those after them it waits for the executor, which then has its lease for as long as it takes on however busy a machine. */
const LOOKS = 3_000
const KEPT_OF_LEASE_SECONDS = 4

/** What is not over yet, by what it waits for. */
async function openWork({ database: { db } }: Pick<World, 'database'>): Promise<OpenWork> {
  const { rows } = await sql<OpenWork>`select
    (select count(*)::int from authorisation a where ${sql.raw(STILL_TO_CLAIM)}) as claimable,
    (select count(*)::int from execution where state in ('claimed', 'intent', 'sent')) as moving,
    (select count(*)::int from execution where state = 'succeeded') as verifying,
    (select count(*)::int from execution where state = 'unknown') as unknown,
    (select count(*)::int from execution x join plan p on p.id = x.plan_id
      where x.state = 'failed' and p.undo_plan_id is not null and undo_window_opened_at(x.id) is not null
        and not exists (select 1 from undo_waived w where w.execution_id = x.id)
        and not exists (select 1 from authorisation a where a.parent_execution_id = x.id and not exists (
          select 1 from execution u where u.authorisation_id = a.id and u.state = 'verified'))
        and not exists (select 1 from authorisation a join execution u on u.authorisation_id = a.id where a.parent_execution_id = x.id
          and u.state in ('failed', 'undetermined', 'aborted'))) as undo`.execute(db)
  const [found] = rows
  if (!found) throw new Error('no counts')
  return found
}

/** By how many seconds the clock is put on so that what is open goes on. */
function step({ claimable, moving, verifying, unknown, undo }: OpenWork, look: number): number {
  // What is authorised may wait for the same resource to be known again, which only time brings.
  if (claimable > 0 && moving === 0 && unknown > 0) return look % 20 === 19 ? 30 : 0
  if (claimable + moving > 0) return look % 20 === 19 ? 2 : 0
  if (verifying > 0) return 1.2
  if (unknown > 0) return 30
  return undo > 0 ? 21 : 0
}

/** How long the executor still has its lease; less than nothing where nobody has it. */
async function leftOfLease({ database: { db } }: Pick<World, 'database'>): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`select extract(epoch from expires_at - clk())::float8 as seconds from lease
    where name = 'executor'`.execute(db)
  return rows[0]?.seconds ?? -1
}

async function allowed(world: Pick<World, 'database'>, seconds: number, look: number): Promise<number> {
  if (seconds === 0 || look < HASTY_LOOKS) return seconds
  const left = await leftOfLease(world)
  return left < 0 ? seconds : Math.max(0, Math.min(seconds, left - KEPT_OF_LEASE_SECONDS))
}

/**
 * Lets everything that is under way come to its end, with nobody asking for more; `wake` has executors look for work. Returns what never ended.
 */
export async function settle(world: Pick<World, 'control' | 'cloud' | 'clock' | 'database'>, wake: () => void): Promise<OpenWork | null> {
  for (const { scope } of await world.control.stopped()) await world.control.start(scope, 'host', 'host')
  while ((await world.cloud.underWay()) > 0) await pause(2)
  let open = await openWork(world)
  for (let look = 0; look < LOOKS; look += 1) {
    if (Object.values(open).every((count) => count === 0)) return null
    const seconds = await allowed(world, step(open, look), look)
    if (seconds > 0) await world.clock.jump(seconds)
    wake()
    await pause(4)
    open = await openWork(world)
  }
  return open
}
