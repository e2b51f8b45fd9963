import { setTimeout as pause } from 'node:timers/promises'
import type { Break } from './broken.ts'
import type { Counts } from './oracle.ts'
import { createRandom, type Random } from './random.ts'
import type { OpenPlace, Places } from './stores.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

export interface KillReport {
  kills: number
  /** Kills that hit a worker while it was still recovering from the one before. */
  whileRecovering: number
  /** Restarts of the cloud between two rounds. */
  cloudKills: number
  counts: Counts
  milliseconds: number
  /** Every broken promise, with the seed and the folder that shows it. */
  broken: string[]
}

/** Databases grow, and the proof reads all of it: a new one after this many kills. */
const KILLS_A_PLACE = 40
/** The product's own checkers read all of history, which nothing takes back: what one kill broke they still find some kills later. */
const PROOF_EVERY = 4
/** A kill falls within this share of the time that the worker took to open, so that a slow machine is given more: a few cards' worth. */
const LOAD_SHARE = 0.5
const LEAST_LOAD_MS = 60
const RECOVERY_MS = 600

const NOTHING: Counts = { requests: 0, votes: 0, executions: 0, calls: 0, effects: 0, undos: 0, aborted: 0, unknown: 0, notices: 0 }

/** Kills a worker at random moments, again and again, on databases that live on. After each kill all is settled and judged. */
export async function killAtRandom(options: { places: Places; kills: number; seed: number; broken?: Break }): Promise<KillReport> {
  const { places, kills, seed } = options
  const random = createRandom(seed)
  const began = performance.now()
  const report: KillReport = { kills: 0, whileRecovering: 0, cloudKills: 0, counts: { ...NOTHING }, milliseconds: 0, broken: [] }
  while (report.kills < kills && report.broken.length === 0) {
    const opened = await places.open()
    try {
      const place = { opened, random, report, broken: options.broken ?? null }
      await killInOnePlace(place, Math.min(KILLS_A_PLACE, kills - report.kills))
    } catch (error) {
      report.broken.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      if (report.broken.length > 0)
        report.broken.unshift(`${places.kind}, seed ${seed}, after ${report.kills} kills; kept in ${opened.directory}`)
      await opened.close(report.broken.length > 0)
    }
  }
  return { ...report, milliseconds: performance.now() - began }
}

interface OnePlace {
  opened: OpenPlace
  random: Random
  report: KillReport
  broken: Break | null
}

async function killInOnePlace(one: OnePlace, kills: number): Promise<void> {
  const { opened, random, report, broken } = one
  let worker = startWorker()
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      worker.tell({ order: 'open', place: opened.place, broken })
      const next = startWorker()
      const early = random.chance(0.12)
      if (early) await dieRecovering(worker, random)
      else await dieWorking(one, worker)
      worker = next
      report.kills += 1
      report.whileRecovering += early ? 1 : 0
      if (report.broken.length > 0) return
      if (random.chance(0.05)) {
        await opened.restartCloud()
        report.cloudKills += 1
      }
    }
    worker.tell({ order: 'open', place: opened.place, broken })
    addCounts(report.counts, await settleAndJudge(one, worker, true))
  } finally {
    await worker.kill()
  }
}

/** Killed while it opens the database, or settles what the last kill left. */
async function dieRecovering(worker: WorkerProcess, random: Random): Promise<void> {
  worker.tell({ order: 'settle', proof: false })
  await pause(random.below(RECOVERY_MS))
  await worker.kill()
}

async function dieWorking(one: OnePlace, worker: WorkerProcess): Promise<void> {
  try {
    const began = performance.now()
    await settleAndJudge(one, worker, one.report.kills % PROOF_EVERY === 0)
    const window = LEAST_LOAD_MS + LOAD_SHARE * (performance.now() - began)
    worker.tell({ order: 'load', seed: one.random.below(2 ** 31) })
    await worker.hear('working')
    await Promise.race([pause(one.random.fraction() * window), worker.ended])
    const failure = worker.failure() ?? (worker.isAlive() ? null : 'the worker ended by itself')
    if (failure) one.report.broken.push(failure)
  } finally {
    await worker.kill()
  }
}

async function settleAndJudge({ report }: OnePlace, worker: WorkerProcess, proof: boolean): Promise<Counts> {
  await worker.hear('open')
  worker.tell({ order: 'settle', proof })
  const { violations, counts, complaints } = await worker.hear('settled')
  if (violations.length > 0) report.broken.push(...violations, ...complaints)
  return counts
}

function addCounts(sum: Counts, more: Counts): void {
  for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += more[key]
}
