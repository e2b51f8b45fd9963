import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { createExecutor, type Executor, type ExecutorDeps } from '../../../agent/actions/executor.ts'
import { type CrashpointName, createCrashpoint } from '../../../agent/crashpoint.ts'
import { openDatabase } from '../../../storage/database.ts'
import { openAcks } from './acks.ts'
import { type Break, breakDatabase, breakExecutor, resend } from './broken.ts'
import { approve, type Clicker } from './click.ts'
import { collectFacts } from './facts.ts'
import { load } from './load.ts'
import type { Order, Said, WorkerPlace } from './messages.ts'
import { countsOf, judge } from './oracle.ts'
import { createRandom } from './random.ts'
import { settle } from './settle.ts'
import { createWorld, type World } from './world.ts'

/*
 * The process that is killed: the product's kernel, executor and journal on a real database, over the fake cloud, with people of its own who ask and
 * click. It does as it is told over the channel of its parent, and ends when the parent does.
 */

interface Running extends Clicker {
  world: World
  executor: Executor
  place: WorkerPlace
}

let running: Running | null = null
/** The armed point can be changed while the process lives. */
let point = createCrashpoint(null, () => {})
const crashpoint = (name: CrashpointName): void => point(name)
const REACH_MS = 120_000
const OVER: readonly string[] = ['verified', 'undone', 'aborted', 'undetermined']
/** The process before this one held the lease when it died. */
const LEASE_LAPSES_SECONDS = 11

function say(message: Said): void {
  process.send?.(message)
}

function sayOnce(message: Said): () => void {
  let isSaid = false
  return () => {
    if (!isSaid) say(message)
    isSaid = true
  }
}

async function open(place: WorkerPlace, broken: Break | null): Promise<void> {
  const { dataDir, databaseUrl, cloudUrl, journalDir } = place
  const database = await openDatabase({ dataDir, databaseUrl: databaseUrl ?? undefined, now: () => new Date(), limits: { connections: 6 } })
  if (broken) await breakDatabase(database.db, broken)
  const world = await createWorld({ database, cloudUrl, journalDir, crashpoint })
  const deps: ExecutorDeps = broken ? breakExecutor(world.executor, broken, database.db) : world.executor
  if (broken === 'resends') await resend(deps)
  const executor = createExecutor(deps)
  executor.start()
  running = { world, executor, place, crashpoint, acknowledge: openAcks(place.acks) }
  say({ said: 'open' })
}

async function settleAndJudge({ world, executor, place }: Running, proof: boolean): Promise<void> {
  await world.clock.jump(LEASE_LAPSES_SECONDS)
  await settle(world, executor.wake)
  const facts = await collectFacts(world, place, proof)
  say({ said: 'settled', violations: judge(facts), counts: countsOf(facts), complaints: world.complaints.slice(-10) })
}

async function reach(clicker: Running, kind: string, useless: boolean): Promise<void> {
  const { world, executor, acknowledge } = clicker
  const end = Date.now() + REACH_MS
  for (let plan = 1; Date.now() < end; plan += 1) {
    const name = `point-${process.pid}-${plan}`
    if (useless) await world.cloud.expect(kind, name, ['useless'])
    const approval = await world.ask(kind, name)
    if (!approval) throw new Error(`${kind} ${name} could not be asked for`)
    acknowledge({ ack: 'asked', requestId: approval.id })
    await approve(clicker, approval)
    for (let look = 0; look < 60; look += 1) {
      const state = (await world.kernel.approval(approval.id))?.execution?.state
      if (state && OVER.includes(state)) break
      executor.wake()
      await pause(3)
      // Steps in which telemetry can be read while it is judged; longer ones through the wait before an undo.
      await world.clock.jump(useless && state === 'failed' ? 4 : 0.6)
    }
  }
  say({ said: 'not-reached' })
}

async function obey(order: Order): Promise<void> {
  if (order.order === 'open') return await open(order.place, order.broken)
  if (!running) throw new Error('nothing is open')
  switch (order.order) {
    case 'settle':
      return await settleAndJudge(running, order.proof)
    case 'load':
      return await load({ ...running, random: createRandom(order.seed), decided: sayOnce({ said: 'working' }) })
    case 'reach':
      point = createCrashpoint(order.armed, () => process.kill(process.pid, 'SIGKILL'))
      return await reach(running, order.kind, order.useless)
    case 'watch':
      setInterval(running.executor.wake, order.everyMs)
      return say({ said: 'obeyed' })
    case 'stop-at':
      point = createCrashpoint(order.armed, () => process.kill(process.pid, 'SIGSTOP'))
      return say({ said: 'obeyed' })
    case 'clock':
      return running.world.clock.follow(order.offset)
  }
}

/** One order after the other. */
let line: Promise<void> = Promise.resolve()
process.on('message', (order: Order) => {
  line = line
    .then(async () => await obey(order))
    .catch((error: unknown) => say({ said: 'failed', words: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
})
process.on('disconnect', () => process.exit(0))
say({ said: 'loaded' })
// Otherwise kept only when a process ends by itself, which this one does not.
flushCompileCache()
