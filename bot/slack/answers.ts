import type { Card } from '../messages/card.ts'
import type { Deliverer } from './deliverer.ts'
import { type LookingStep, withStep } from './looking-steps.ts'
import { withMentions } from './mentions.ts'
import { overflowOf } from './overflow.ts'
import { pictureOf } from './picture.ts'
import type { PostingRows } from './postings.ts'
import { plainCard } from './private-words.ts'
import { type RenderedMessage, renderBlocks } from './render.ts'
import type { StreamStep } from './slack-api.ts'
import type { Live } from './streams.ts'
import { PRIORITY } from './surface.ts'

/** Where an answer belongs. The same ref is answered once. */
export interface AnswerPlace {
  ref: string
  channel: string
  thread: string | null
  /** The message that asks, where the answer has no thread: a slow one stands below it, because Slack shows how it comes about nowhere else. */
  question?: string
  incident: string | null
  /** What it is about, where it has no place at an incident: a question below it is about the same. */
  subject?: string | null
  /** Whoever asked elsewhere than they are answered: they are told. */
  rings?: string | null
  /** Who sees how it comes about, where Slack can show that; null for nobody. */
  asker: Live['asker'] | null
}

/** Told of each step towards an answer. */
export type Report = (step: LookingStep) => void

export interface AnswersDeps {
  postings: Pick<PostingRows, 'say' | 'finish' | 'find'>
  deliverer: Pick<Deliverer, 'wake'>
  /** An answer that takes longer than this, in milliseconds, is announced. */
  slowMs: number
  log: { warn(object: object, message: string): void }
}

/** Answers that everybody reads who reads along. */
export interface Answers {
  /** Posts what comes of it. One that is slow is announced first, with its steps, in the message that then becomes the answer. */
  give(place: AnswerPlace, work: (report: Report) => Promise<Card>): Promise<void>
  /** It is not worked on any more: what was announced says that no answer comes. Nothing where nothing was announced, or the answer stands there. */
  giveUp(ref: string): Promise<void>
}

const LOOKING = 'Looking at what is stored … The answer will stand here.'
const NO_ANSWER = 'This was not answered: something went wrong here. Ask again; the console answers the same questions.'
const FIRST_STEP = 'Look at what is stored'

/**
 * An answer is one row and one message: an announcement is replaced by the answer, and neither ever by anything else, also when the work is done again
 * after a crash. What is shown meanwhile are steps, in our words: an answer is checked as a whole before any of it is said.
 */
export function createAnswers({ postings, deliverer, slowMs, log }: AnswersDeps): Answers {
  const say = async (to: AnswerPlace, card: Card): Promise<void> => {
    const { ref, channel: place, thread, incident: incidentId, rings = null, subject = null } = to
    const where = { ref, incidentId, place, thread }
    const plain = bodyOf(card)
    const body = {
      ...plain,
      blocks: withMentions(plain.blocks, rings === null ? [] : [rings]),
      subject: incidentId ?? subject ?? card.judges ?? null,
    }
    const isNew = await postings.say('slack', { ...where, kind: 'answer', priority: PRIORITY.answer, body })
    if (!isNew) await postings.finish('slack', { kind: 'answer', ref, body })
    const [whole, picture] = [overflowOf(card, ref), pictureOf(card.chart, ref)]
    if (whole !== null || picture !== null) {
      const said = await postings.find('slack', 'answer', ref)
      const below = { ...where, thread: said?.thread ?? thread }
      if (whole !== null) await postings.say('slack', { ...below, kind: 'file', priority: PRIORITY.file, body: { ...whole } })
      if (picture !== null) await postings.say('slack', { ...below, kind: 'picture', priority: PRIORITY.picture, body: { ...picture } })
    }
    deliverer.wake()
  }
  return {
    async give(place, work) {
      const looking = createLooking(place, { postings, deliverer, log })
      const timer = setTimeout(looking.announce, slowMs)
      try {
        await say(place, await work(looking.report))
      } finally {
        clearTimeout(timer)
      }
    },
    async giveUp(ref) {
      await postings.finish('slack', { kind: 'answer', ref, body: bodyOf(plainCard(NO_ANSWER)) })
      deliverer.wake()
    },
  }
}

/** What is shown of an answer until it is there. It is a courtesy: the answer does not wait for it, and comes without it. */
function createLooking(
  { ref, channel: place, thread: own, question, incident: incidentId, asker }: AnswerPlace,
  { postings, deliverer, log }: Omit<AnswersDeps, 'slowMs'>,
): { announce(): void; report: Report } {
  let steps: StreamStep[] = [{ id: 'stored', title: FIRST_STEP, status: 'in_progress' }]
  let announced: Promise<unknown> | null = null
  const body = (): Record<string, unknown> => ({
    ...bodyOf(plainCard(LOOKING)),
    unfinished: true,
    ...(asker === null ? {} : { live: { steps, asker } }),
  })
  const write = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act()
      deliverer.wake()
    } catch (err) {
      log.warn({ err, ref }, 'a slow answer was not announced')
    }
  }
  return {
    announce() {
      const said = { kind: 'answer', ref, incidentId, place, thread: own ?? question ?? null, priority: PRIORITY.answer, body: body() }
      announced = write(async () => await postings.say('slack', said))
    },
    report(step) {
      steps = withStep(steps, step)
      // One after another: what was reported last is what stands there.
      if (announced !== null && asker !== null)
        announced = announced.then(
          async () => await write(async () => await postings.finish('slack', { kind: 'answer', ref, body: body() })),
        )
    },
  }
}

function bodyOf(card: Card): RenderedMessage & Record<string, unknown> {
  return { ...renderBlocks(card), broadcast: false, ...(card.judges === undefined ? {} : { about: card.judges }) }
}
