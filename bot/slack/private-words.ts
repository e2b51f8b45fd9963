import { answer } from '../commands/command.ts'
import type { Card } from '../messages/card.ts'
import { text } from '../messages/card.ts'
import { say } from '../messages/span.ts'
import { renderBlocks } from './render.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'

/** Says something to one person alone. */
export interface PrivateWords {
  /** In the channel, visible to this person only; directly where that cannot be. */
  tell(to: { userId: string; channel: string | null; thread?: string | null }, card: Card | string): Promise<void>
  /** The same after something was done: what fails is logged and never thrown, because the work would be done a second time. */
  tellAfter(to: Parameters<PrivateWords['tell']>[0], card: Card | string): Promise<void>
}

const TRIES = 3
/** Between two, in milliseconds, where Slack does not say how long. */
const PAUSE_MS = 500
const LONGEST_PAUSE_MS = 3_000

export interface PrivateWordsDeps {
  web: Pick<SlackWeb, 'whisper' | 'post'>
  log: { error(object: object, message: string): void }
}

export function createPrivateWords({ web, log }: PrivateWordsDeps): PrivateWords {
  const tell: PrivateWords['tell'] = async (to, said) => await patiently(async () => await tellOnce(to, said))
  const tellOnce: PrivateWords['tell'] = async ({ userId, channel, thread = null }, said) => {
    const message = renderBlocks(typeof said === 'string' ? plainCard(said) : said)
    if (channel !== null) {
      try {
        return await web.whisper({ ...message, channel, user: userId, thread })
      } catch (error) {
        // Whoever asked from a place where the bot is not is told all the same.
        if (!(error instanceof SlackFailure) || error.kind === 'busy' || error.kind === 'away') throw error
      }
    }
    await web.post({ ...message, channel: userId, thread: null, broadcast: false, name: 'private' })
  }
  return {
    tell,
    async tellAfter(to, said) {
      try {
        await tell(to, said)
      } catch (error) {
        log.error({ err: error, userId: to.userId, channel: to.channel }, 'somebody was not told what came of it')
      }
    },
  }
}

/** What Slack does not take at the moment is tried again a few times: the answer to `stop` is worth it. @throws SlackFailure */
async function patiently(act: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof SlackFailure) || (error.kind !== 'busy' && error.kind !== 'away') || tried >= TRIES) throw error
      const wait = error.retryAfter === null ? PAUSE_MS * 2 ** tried : error.retryAfter * 1_000
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait, LONGEST_PAUSE_MS)).unref())
    }
  }
}

export function plainCard(words: string): Card {
  return answer(text(say`${words}`))
}
