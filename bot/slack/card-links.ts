import type { PostingRows } from './postings.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'

export interface CardLinksDeps {
  postings: Pick<PostingRows, 'find'>
  web: Pick<SlackWeb, 'permalink'>
  now: () => Date
  log: { warn(object: object, message: string): void }
}

/** Remembered at most; an address never changes. */
const MOST_KNOWN = 500
/** What Slack does not say is not asked for again for so long. */
const UNKNOWN_FOR_MS = 60_000

/** The address of an incident's card in this workspace; null while it stands nowhere, or when Slack does not say. A card is shown without it. */
export function createCardLinks({ postings, web, now, log }: CardLinksDeps): (incidentId: string) => Promise<string | null> {
  const known = new Map<string, { link: string | null; until: number }>()
  const remember = (at: string, link: string | null, until: number): string | null => {
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(at, { link, until })
    return link
  }
  return async (incidentId) => {
    const card = await postings.find('slack', 'incident', incidentId)
    if (card === null || card.message === null) return null
    const at = `${card.place} ${card.message}`
    const found = known.get(at)
    if (found !== undefined && found.until > now().getTime()) return found.link
    try {
      return remember(at, await web.permalink(card.place, card.message), Number.POSITIVE_INFINITY)
    } catch (error) {
      if (!(error instanceof SlackFailure)) throw error
      log.warn({ err: error, incidentId }, 'Slack does not say where a card stands')
      return remember(at, null, now().getTime() + UNKNOWN_FOR_MS)
    }
  }
}
