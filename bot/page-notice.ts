import { createHash } from 'node:crypto'

/** A page as a notice for the outbox, before everything else. The same words are told once an hour at most, however often they are found true. */
export function pageNotice(
  words: string,
  at: Date,
): {
  dedupe: string
  topic: 'page'
  incidentId: null
  body: { text: string }
  priority: number
} {
  const hash = createHash('sha256').update(words).digest('hex').slice(0, 32)
  return { dedupe: `page:${hash}:${at.toISOString().slice(0, 13)}`, topic: 'page', incidentId: null, body: { text: words }, priority: 1 }
}
