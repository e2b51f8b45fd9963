import { z } from 'zod'
import { cutText } from './messages/visible-text.ts'

export interface DeadJobsDeps {
  page(words: string): Promise<void>
  inbox: { markFailed(id: number, error: string): Promise<void> }
  log: { error(object: object, message: string): void }
}

const intakePayload = z.object({ inboxId: z.int() })
const ERROR_LENGTH = 300

/**
 * What becomes of a job that is given up: somebody is paged, and a delivery whose alerts were not taken is marked, so that it is found among the
 * failed ones and can be replayed.
 */
export function createDeadJobs({
  page,
  inbox,
  log,
}: DeadJobsDeps): (job: { id: number; kind: string; payload: Record<string, unknown>; attempt: number }, error: string) => void {
  const tell = async (
    job: { id: number; kind: string; payload: Record<string, unknown>; attempt: number },
    error: string,
  ): Promise<void> => {
    const delivery = job.kind === 'intake' ? intakePayload.safeParse(job.payload) : null
    const what = delivery?.success ? `delivery ${delivery.data.inboxId} was not taken in` : `work of the kind "${job.kind}" was given up`
    const attempts = job.attempt === 1 ? 'one attempt' : `${job.attempt} attempts`
    await page(`After ${attempts} ${what} (job ${job.id}): ${cutText(error, ERROR_LENGTH)}`)
    if (delivery?.success) await inbox.markFailed(delivery.data.inboxId, error)
  }
  return (job, error) => {
    tell(job, error).catch((cause: unknown) => log.error({ jobId: job.id, error: String(cause) }, 'a job that was given up was not told'))
  }
}
