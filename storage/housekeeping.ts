import type { JobQueue } from './job-queue.ts'
import type { Outbox } from './outbox.ts'
import { RETENTION, type Retained, type Retention, type RetentionSettings } from './retention.ts'
import type { Telemetry } from './telemetry.ts'

/** As many rounds as a process that was away for a while needs to catch up; what is left is for the next time. */
const ROUNDS = 20
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface HousekeepingDeps {
  telemetry: Pick<Telemetry, 'prune'>
  queue: Pick<JobQueue, 'prune'>
  outbox: Pick<Outbox, 'prune'>
  retained: Retained
  retention?: RetentionSettings | undefined
  now: () => Date
}

/** Drops what has no more use, class by class and in batches, and nothing that the approval protocol or its proof stands on. */
export function createHousekeeping({ telemetry, queue, outbox, retained, retention, now }: HousekeepingDeps): () => Promise<void> {
  const keep = (what: keyof Retention): number => retention?.[what] ?? RETENTION[what]
  const daysAgo = (what: keyof Retention): Date => before(keep(what) * DAY_MS)
  const before = (milliseconds: number): Date => new Date(now().getTime() - milliseconds)
  const steps = [
    () => telemetry.prune(before(keep('telemetryHours') * HOUR_MS)),
    () => queue.prune(daysAgo('jobsDays')),
    () => outbox.prune(daysAgo('noticesDays')),
    () => retained.deliveries(daysAgo('deliveriesDays')),
    () => retained.evidence(daysAgo('evidenceDays')),
    () => retained.modelSteps(daysAgo('evidenceDays')),
    () => retained.messages(daysAgo('messagesDays')),
    () => retained.postings(daysAgo('messagesDays')),
    () => retained.sessions(),
  ]
  return async () => {
    for (const step of steps) {
      for (let round = 0; round < ROUNDS; round += 1) if ((await step()) === 0) break
    }
  }
}
