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

export interface PrivateWordsDeps {
  web: Pick<SlackWeb, 'whisper' | 'post'>
  log: { error(object: object, message: string): void }
}

export function createPrivateWords({ web, log }: PrivateWordsDeps): PrivateWords {
  const tell: PrivateWords['tell'] = async ({ userId, channel, thread = null }, said) => {
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

export function plainCard(words: string): Card {
  return answer(text(say`${words}`))
}
