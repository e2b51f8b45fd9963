import { z } from 'zod'
import { refOf } from './answer-ref.ts'
import type { Answers } from './answers.ts'
import { doerOf } from './doer.ts'
import { isTooLate, TOO_LATE } from './lateness.ts'
import type { PrivateWords } from './private-words.ts'
import { SLACK_SOURCE } from './work-kinds.ts'

export interface WorkDeps {
  inbox: {
    get(id: number): Promise<{ source: string; state: string; receivedAt: Date; body: Uint8Array } | null>
    markProcessed(id: number): Promise<void>
  }
  handle(body: Record<string, unknown>): Promise<void>
  words: Pick<PrivateWords, 'tellAfter'>
  answers: Pick<Answers, 'giveUp'>
  now: () => Date
  log: { warn(object: object, message: string): void }
}

/** What becomes of each thing that Slack sent and that was stored. */
export interface Work {
  /** May come twice, after a crash. */
  run(payload: Record<string, unknown>): Promise<void>
  /** After the last attempt: tells whoever did it, as far as the delivery says who. */
  gaveUp(inboxId: number): Promise<void>
}

const GAVE_UP =
  'Something went wrong here, and what you just did may have come to nothing. Look at how things stand before you do it again; the console shows the same cards.'
const workSchema = z.object({ inboxId: z.int() })

export function createWork({ inbox, handle, words, answers, now, log }: WorkDeps): Work {
  /** It comes to nothing: what was announced before says so, and whoever did it is told why. */
  const leave = async (body: unknown, said: string): Promise<void> => {
    const ref = refOf(body)
    if (ref !== null) await answers.giveUp(ref)
    const doer = doerOf(body)
    if (doer !== null) await words.tellAfter(doer, said)
  }
  return {
    async run(payload) {
      const { inboxId } = workSchema.parse(payload)
      const item = await inbox.get(inboxId)
      if (item?.state !== 'received') return
      // A job only names a row. What Slack did not sign is never taken for its word.
      if (item.source !== SLACK_SOURCE) return log.warn({ inboxId, source: item.source }, 'work for Slack names what Slack did not send')
      const body = read(item.body)
      if (isTooLate(body, item.receivedAt, now())) await leave(body, TOO_LATE)
      else await handle(body)
      await inbox.markProcessed(inboxId)
    },
    async gaveUp(inboxId) {
      const item = await inbox.get(inboxId)
      if (item?.source !== SLACK_SOURCE) return
      await leave(read(item.body), GAVE_UP)
    },
  }
}

function read(body: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(body))
}
