import type { CrashpointName } from '../../../agent/crashpoint.ts'
import { KINDS, rowOf } from '../../support/fake-cloud/actions/provider.ts'
import type { Break } from './broken.ts'
import type { OpenPlace, Places } from './stores.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** The points between a click and the end of an undo, in the order in which they are passed. */
export const POINTS = [
  'C6',
  'C7',
  'C8',
  'C9',
  'C10',
  'C11',
  'C12',
  'C13',
  'C14',
  'C16',
  'C17',
  'C19',
  'C20',
] as const satisfies CrashpointName[]

export interface CrashRun {
  kind: string
  point: (typeof POINTS)[number]
  visit: 1 | 2
}

export interface CrashReport {
  crashes: number
  milliseconds: number
  /** Broken promises, with the run after which they were found. */
  broken: string[]
}

const RUNS_A_PLACE = 26

/** Every point, at its first and second visit, for every action; the undo's only where the action has one. */
export function crashRuns(kinds: readonly string[] = KINDS, visits: readonly (1 | 2)[] = [1, 2]): CrashRun[] {
  return kinds.flatMap((kind) =>
    POINTS.filter((point) => point !== 'C20' || rowOf(kind).undo !== null).flatMap((point) =>
      visits.map((visit) => ({ kind, point, visit })),
    ),
  )
}

/** Dies at one point after the other. After each the next process settles what it finds, and all is judged. */
export async function crashAtPoints(places: Places, runs: readonly CrashRun[], broken: Break | null = null): Promise<CrashReport> {
  const began = performance.now()
  const report: CrashReport = { crashes: 0, milliseconds: 0, broken: [] }
  for (let first = 0; first < runs.length && report.broken.length === 0; first += RUNS_A_PLACE) {
    const opened = await places.open()
    try {
      await crashInOnePlace(opened, runs.slice(first, first + RUNS_A_PLACE), report, broken)
    } catch (error) {
      report.broken.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      if (report.broken.length > 0) report.broken.unshift(`${places.kind}; kept in ${opened.directory}`)
      await opened.close(report.broken.length > 0)
    }
  }
  return { ...report, milliseconds: performance.now() - began }
}

async function crashInOnePlace({ place }: OpenPlace, runs: readonly CrashRun[], report: CrashReport, broken: Break | null): Promise<void> {
  let worker = startWorker()
  let before = 'the start'
  try {
    for (const run of runs) {
      const { kind, point, visit } = run
      worker.tell({ order: 'open', place, broken })
      const next = startWorker()
      try {
        if (!(await isSound(worker, before, report))) return
        worker.tell({ order: 'reach', kind, armed: `${point}:${visit}`, useless: point === 'C20' })
        before = `${kind} at ${point}:${visit}`
        if (!(await diesThere(worker))) return void report.broken.push(`${before} was not reached`)
      } finally {
        await worker.kill()
        worker = next
      }
      report.crashes += 1
    }
    worker.tell({ order: 'open', place, broken })
    await isSound(worker, before, report)
  } finally {
    await worker.kill()
  }
}

async function diesThere(worker: WorkerProcess): Promise<boolean> {
  const signal = await Promise.race([worker.ended, worker.hear('not-reached').catch(() => worker.ended)])
  const failure = worker.failure()
  if (failure) throw new Error(failure)
  return signal === 'SIGKILL'
}

async function isSound(worker: WorkerProcess, before: string, report: CrashReport): Promise<boolean> {
  await worker.hear('open')
  worker.tell({ order: 'settle', proof: true })
  const { violations, complaints } = await worker.hear('settled')
  if (violations.length > 0) report.broken.push(`after ${before}`, ...violations, ...complaints)
  return violations.length === 0
}
