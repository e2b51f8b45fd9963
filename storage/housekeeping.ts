import type { JobQueue } from './job-queue.ts'
import type { Telemetry } from './telemetry.ts'

/** Hours of telemetry that investigations, verifications and people look back on. */
const TELEMETRY_HOURS = 2
/** Finished jobs are kept for a day, for whoever asks what happened last night. */
const JOB_HOURS = 24
/** As many rounds as a process that was away for a while needs to catch up. */
const ROUNDS = 20

/** Drops what has no more use: old telemetry, jobs that are over. Votes, plans, executions, the audit log and notices are never dropped here. */
export function createHousekeeping(deps: { telemetry: Telemetry; queue: Pick<JobQueue, 'prune'>; now: () => Date }): () => Promise<void> {
  const hoursAgo = (hours: number): Date => new Date(deps.now().getTime() - hours * 3_600_000)
  return async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      if ((await deps.telemetry.prune(hoursAgo(TELEMETRY_HOURS))) === 0) break
    }
    await deps.queue.prune(hoursAgo(JOB_HOURS))
  }
}
