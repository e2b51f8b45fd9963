import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { CrashpointName } from '../../../agent/crashpoint.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { openDatabase } from '../../../storage/database.ts'
import { createLeases } from '../../../storage/leases.ts'
import { KINDS } from '../../support/fake-cloud/actions/provider.ts'
import { readLedger } from '../../support/fake-cloud/ledger.ts'
import { openAcks } from './acks.ts'
import type { Break } from './broken.ts'
import { approve } from './click.ts'
import { collectFacts } from './facts.ts'
import { judge } from './oracle.ts'
import { createRandom, type Random } from './random.ts'
import { settle } from './settle.ts'
import type { OpenPlace, Places } from './stores.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'
import { createWorld, type World } from './world.ts'

/** Where the leader is paused: from its claim to the moment its call is under way. */
export const PAUSES = ['C9', 'C10', 'C11', 'C12', 'C13'] as const satisfies CrashpointName[]

export interface TakeoverReport {
  takeovers: number
  /** Seconds on the clock from the pause to the standby's epoch, the longest and the mean. */
  slowestSeconds: number
  meanSeconds: number
  /** How executions ended, by the point at which their leader was paused: 'C9 aborted'. */
  ends: Record<string, number>
  milliseconds: number
  broken: string[]
}

const TAKEOVERS_A_PLACE = 50
const JUDGED_EVERY = 10
const WATCH_MS = 6
const DEADLINE_MS = 120_000

/** Two executors on one PostgreSQL database: the leader is stopped by SIGSTOP, the standby takes over, the old one wakes up. */
export async function takeOver(options: { places: Places; takeovers: number; seed: number; broken?: Break }): Promise<TakeoverReport> {
  const { places, takeovers, seed } = options
  const random = createRandom(seed)
  const began = performance.now()
  const report: TakeoverReport = { takeovers: 0, slowestSeconds: 0, meanSeconds: 0, ends: {}, milliseconds: 0, broken: [] }
  while (report.takeovers < takeovers && report.broken.length === 0) {
    const opened = await places.open()
    const pair = await openPair(opened, options.broken ?? null)
    try {
      const count = Math.min(TAKEOVERS_A_PLACE, takeovers - report.takeovers)
      for (let done = 1; done <= count && report.broken.length === 0; done += 1) {
        await oneTakeover(pair, random, report)
        if (done % JUDGED_EVERY === 0 || done === count) report.broken.push(...judge(await collectFacts(pair.world, opened.place)))
      }
    } catch (error) {
      report.broken.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      await pair.close()
      if (report.broken.length > 0) report.broken.unshift(`seed ${seed}, after ${report.takeovers} takeovers; kept in ${opened.directory}`)
      await opened.close(report.broken.length > 0)
    }
  }
  return { ...report, milliseconds: performance.now() - began }
}

/** A leader and its standby, and the people around them. */
interface Pair {
  world: World
  ledger: string
  workers: readonly WorkerProcess[]
  acknowledge: ReturnType<typeof openAcks>
  close(): Promise<void>
}

async function openPair({ place }: OpenPlace, broken: Break | null, watchMs: number | null = WATCH_MS): Promise<Pair> {
  const database = await openDatabase({ dataDir: ':memory:', databaseUrl: place.databaseUrl ?? '', now: () => new Date() })
  const world = await createWorld({ database, cloudUrl: place.cloudUrl, journalDir: place.journalDir, crashpoint: () => {} })
  const workers: WorkerProcess[] = []
  for (const worker of [startWorker(), startWorker()]) {
    workers.push(worker)
    worker.tell({ order: 'open', place, broken })
    await worker.hear('open')
    if (watchMs === null) continue
    worker.tell({ order: 'watch', everyMs: watchMs })
    await worker.hear('obeyed')
  }
  const { jump } = world.clock
  world.clock.jump = async (seconds) => {
    await jump(seconds)
    for (const worker of workers) worker.tell({ order: 'clock', offset: world.clock.offset() })
  }
  return {
    world,
    ledger: place.ledger,
    workers,
    acknowledge: openAcks(place.acks),
    async close() {
      await Promise.all(workers.map(async (worker) => await worker.kill()))
      await database.close()
    },
  }
}

async function oneTakeover(pair: Pair, random: Random, report: TakeoverReport): Promise<void> {
  const point = random.pick(PAUSES)
  const leader = await findLeader(pair)
  const approval = await pauseAt(pair, leader, point, random.pick(KINDS))
  const seconds = await untilTakenOver(pair)
  report.takeovers += 1
  report.slowestSeconds = Math.max(report.slowestSeconds, seconds)
  report.meanSeconds += (seconds - report.meanSeconds) / report.takeovers
  // A call that is under way is bounded by its own time-out, in real time; the others may sleep past everything.
  if (point !== 'C13' && random.chance(0.5)) await settle(pair.world, () => {})
  leader.signal('SIGCONT')
  // Real time, which the clock does not shorten.
  if (point === 'C13') await until(async () => await hasArrived(pair, approval), 'the call that was under way never arrived')
  await settle(pair.world, () => {})
  const state = (await pair.world.kernel.approval(approval.id))?.execution?.state ?? 'none'
  report.ends[`${point} ${state}`] = (report.ends[`${point} ${state}`] ?? 0) + 1
}

async function hasArrived({ world, ledger }: Pair, { id }: Approval): Promise<boolean> {
  const execution = (await world.kernel.approval(id))?.execution
  const isThere = readLedger(ledger).some(({ call }) => call.witness.executionId === execution?.id)
  return isThere && (await world.cloud.underWay()) === 0
}

async function findLeader({ world, workers }: Pair): Promise<WorkerProcess> {
  const leases = createLeases({ db: world.database.db })
  let leader: WorkerProcess | undefined
  await until(async () => {
    const holder = (await leases.current('executor'))?.holder ?? ''
    leader = workers.find(({ pid }) => holder.startsWith(`${pid} `))
    return leader !== undefined
  }, 'nobody leads')
  if (!leader) throw new Error('nobody leads')
  return leader
}

async function pauseAt({ world, acknowledge }: Pair, leader: WorkerProcess, point: CrashpointName, kind: string): Promise<Approval> {
  leader.tell({ order: 'stop-at', armed: `${point}:1` })
  await leader.hear('obeyed')
  const name = `takeover-${randomUUID()}`
  const approval = await world.ask(kind, name)
  if (!approval) throw new Error(`${kind} could not be asked for`)
  await approve({ world, crashpoint: () => {}, acknowledge }, approval)
  await until(() => leader.isStopped(), `the leader was not paused at ${point}`)
  return approval
}

/** Puts the clock on, half a second at a time, until another epoch holds the lease. Returns the seconds it took. */
async function untilTakenOver({ world }: Pair): Promise<number> {
  const leases = createLeases({ db: world.database.db })
  const { rows } = await sql<{ epoch: number }>`select epoch from lease where name = 'executor'`.execute(world.database.db)
  const began = world.clock.now().getTime()
  await until(async () => {
    const current = await leases.current('executor')
    if (current && current.epoch > (rows[0]?.epoch ?? 0)) return true
    await world.clock.jump(0.5)
    await pause(2 * WATCH_MS)
    return false
  }, 'nobody took over')
  return (world.clock.now().getTime() - began) / 1_000
}

/**
 * The same by the clock on the wall, with the product's own pace: seconds from the pause of a leader that was about to claim an authorised plan to
 * the moment at which the standby has sent it.
 */
export async function measureFailover(places: Places): Promise<number> {
  const opened = await places.open()
  const pair = await openPair(opened, null, null)
  try {
    await pauseAt(pair, await findLeader(pair), 'C8', 'k8s.restart')
    const began = performance.now()
    await until(async () => (await pair.world.executor.kernel.sentExecutions()).length > 0, 'nobody sent it')
    return (performance.now() - began) / 1_000
  } finally {
    await pair.close()
    await opened.close()
  }
}

/**
 * By the clock on the wall: a leader sleeps from the moment of its call until the standby has told that nothing was applied, and wakes up. What was
 * broken by that; the call has to be given up.
 */
export async function sleepThroughCall(places: Places): Promise<string[]> {
  const opened = await places.open()
  const pair = await openPair(opened, null, null)
  try {
    const leader = await findLeader(pair)
    const { id } = await pauseAt(pair, leader, 'C13', 'k8s.restart')
    const state = async (): Promise<string | undefined> => (await pair.world.kernel.approval(id))?.execution?.state
    await until(async () => (await state()) === 'failed', 'nobody told that nothing was applied', 150_000)
    leader.signal('SIGCONT')
    await pause(2_000)
    return judge(await collectFacts(pair.world, opened.place))
  } finally {
    await pair.close()
    await opened.close()
  }
}

async function until(isSo: () => boolean | Promise<boolean>, words: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(words)
    await pause(2)
  }
}
