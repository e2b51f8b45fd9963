import { z } from 'zod'
import { cutText } from './messages/visible-text.ts'
import type { Page } from './page-notice.ts'

export interface DeadJobsDeps {
  page: Page
  inbox: { markFailed(id: number, error: string): Promise<void> }
  /** Where people did what was given up: each tells them, when it came from there. */
  chats: readonly { gaveUp(inboxId: number): Promise<void> }[]
  log: { error(object: object, message: string): void }
}

interface DeadJob {
  id: number
  kind: string
  payload: Record<string, unknown>
  attempt: number
}

const deliveryPayload = z.object({ inboxId: z.int() })
const incidentPayload = z.object({ incidentId: z.string() })
const ERROR_LENGTH = 300

/**
 * What becomes of a job that is given up: somebody is paged, and a delivery that was not dealt with is marked, so that it is found among the
 * failed ones. The operator replays alerts (`steadyhand replay`); a click is told to whoever made it, who looks again.
 */
export function createDeadJobs({ page, inbox, chats, log }: DeadJobsDeps): (job: DeadJob, error: string) => void {
  const tell = async (job: DeadJob, error: string): Promise<void> => {
    const delivery = deliveryPayload.safeParse(job.payload)
    const inboxId = delivery.success ? delivery.data.inboxId : null
    const attempts = job.attempt === 1 ? 'one attempt' : `${job.attempt} attempts`
    const about = incidentPayload.safeParse(job.payload)
    const words = `After ${attempts} ${whatOf(job.kind, inboxId)} (job ${job.id}): ${cutText(error, ERROR_LENGTH)}`
    await page(words, about.success ? about.data.incidentId : null)
    if (inboxId === null) return
    await inbox.markFailed(inboxId, error)
    if (job.kind !== INTAKE) for (const chat of chats) await chat.gaveUp(inboxId)
  }
  return (job, error) => {
    tell(job, error).catch((cause: unknown) => log.error({ jobId: job.id, error: String(cause) }, 'a job that was given up was not told'))
  }
}

const INTAKE = 'intake'

function whatOf(kind: string, inboxId: number | null): string {
  if (inboxId === null) return `work of the kind "${kind}" was given up`
  return kind === INTAKE ? `delivery ${inboxId} was not taken in` : `what somebody did in a chat (delivery ${inboxId}) came to nothing`
}
