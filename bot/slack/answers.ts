import type { Card } from '../messages/card.ts'
import type { Deliverer, PostingRows } from './deliverer.ts'
import { overflowOf } from './overflow.ts'
import { plainCard } from './private-words.ts'
import { renderBlocks } from './render.ts'
import { PRIORITY } from './surface.ts'

/** Where an answer belongs. The same ref is answered once. */
export interface AnswerPlace {
  ref: string
  channel: string
  thread: string | null
  incident: string | null
}

export interface AnswersDeps {
  postings: Pick<PostingRows, 'say' | 'finish'>
  deliverer: Pick<Deliverer, 'wake'>
  /** An answer that takes longer than this, in milliseconds, is announced. */
  slowMs: number
  log: { warn(object: object, message: string): void }
}

/** Answers that everybody reads who reads along. */
export interface Answers {
  /** Posts what comes of it. One that is slow is announced first, in the message that then becomes the answer. */
  give(place: AnswerPlace, work: () => Promise<Card>): Promise<void>
  /** It is not worked on any more: what was announced says that no answer comes. Nothing where nothing was announced, or the answer stands there. */
  giveUp(ref: string): Promise<void>
}

const LOOKING = 'Looking at what is stored … The answer will stand here.'
const NO_ANSWER = 'This was not answered: something went wrong here. Ask again; the console answers the same questions.'

/**
 * An answer is one row and one message: an announcement is replaced by the answer, and neither ever by anything else, also when the work is done again
 * after a crash. Nothing is written piece by piece: what is said was checked as a whole before.
 */
export function createAnswers({ postings, deliverer, slowMs, log }: AnswersDeps): Answers {
  const say = async (
    { ref, channel: place, thread, incident: incidentId }: AnswerPlace,
    card: Card,
    unfinished: boolean,
  ): Promise<void> => {
    const where = { ref, incidentId, place, thread }
    const body = bodyOf(card, unfinished)
    const isNew = await postings.say('slack', { ...where, kind: 'answer', priority: PRIORITY.answer, body })
    if (!isNew && !unfinished) await postings.finish('slack', { kind: 'answer', ref, body })
    const whole = unfinished ? null : overflowOf(card, ref)
    if (whole !== null) await postings.say('slack', { ...where, kind: 'file', priority: PRIORITY.file, body: { ...whole } })
    deliverer.wake()
  }
  return {
    async give(place, work) {
      const announce = (): void => {
        say(place, plainCard(LOOKING), true).catch((err: unknown) => log.warn({ err, ref: place.ref }, 'a slow answer was not announced'))
      }
      const timer = setTimeout(announce, slowMs)
      try {
        await say(place, await work(), false)
      } finally {
        clearTimeout(timer)
      }
    },
    async giveUp(ref) {
      await postings.finish('slack', { kind: 'answer', ref, body: bodyOf(plainCard(NO_ANSWER), false) })
      deliverer.wake()
    },
  }
}

function bodyOf(card: Card, unfinished: boolean): Record<string, unknown> {
  return { ...renderBlocks(card), broadcast: false, ...(unfinished ? { unfinished } : {}) }
}
