import { createHash } from 'node:crypto'

/** Tells people, before everything else. `incidentId`: the one it is about, where it is about one: then only who sees that is told. */
export type Page = (words: string, incidentId?: string | null) => Promise<void>

/** A page as a notice for the outbox. The same words are told once an hour at most, however often they are found true. */
export function pageNotice(
  words: string,
  at: Date,
  about: string | null,
): {
  dedupe: string
  topic: 'page'
  /** None, so that it waits for nothing else that is told of the incident. */
  incidentId: null
  body: { text: string; incidentId: string | null }
  priority: number
} {
  const hash = createHash('sha256').update(words).digest('hex').slice(0, 32)
  const dedupe = `page:${hash}:${at.toISOString().slice(0, 13)}`
  return { dedupe, topic: 'page', incidentId: null, body: { text: words, incidentId: about }, priority: 1 }
}
