import type { PostingRows } from './deliverer.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'

export interface CardLinksDeps {
  postings: Pick<PostingRows, 'find'>
  web: Pick<SlackWeb, 'permalink'>
  log: { warn(object: object, message: string): void }
}

/** Remembered at most; an address never changes. */
const MOST_KNOWN = 500

/** The address of an incident's card in this workspace; null while it stands nowhere, or when Slack does not say. A card is shown without it. */
export function createCardLinks({ postings, web, log }: CardLinksDeps): (incidentId: string) => Promise<string | null> {
  const known = new Map<string, string>()
  return async (incidentId) => {
    const card = await postings.find('slack', 'incident', incidentId)
    if (card === null || card.message === null) return null
    const at = `${card.place} ${card.message}`
    try {
      const link = known.get(at) ?? (await web.permalink(card.place, card.message))
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(at, link)
      return link
    } catch (error) {
      if (!(error instanceof SlackFailure)) throw error
      log.warn({ err: error, incidentId }, 'Slack does not say where a card stands')
      return null
    }
  }
}
