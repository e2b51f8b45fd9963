import type { IncidentView } from '../../agent/agent.ts'
import { type CardBlock, type Fact, fact, text } from './card.ts'
import { bold, joinSpans, link, type Span, say, shortCode } from './span.ts'
import { sinceMoment } from './time-words.ts'

/** Where another incident is shown; null when this reader has no such place. */
export type LinkTo = (incidentId: string) => string | null

/** More are only counted. */
export const MOST_PARTS = 10

/** How often it was there before, and what became a part of it. */
export function relationFacts({ relations: { recurrence, parts } }: IncidentView, now: Date, linkTo: LinkTo): Fact[] {
  const shown = parts.slice(0, MOST_PARTS).map((id) => named(id, linkTo))
  const more = parts.length > shown.length ? say` and ${parts.length - shown.length} more` : []
  const again = recurrence && [
    ...say`${ordinal(recurrence.count)} time since ${sinceMoment(recurrence.since, now)}; the last was `,
    ...named(recurrence.of, linkTo),
  ]
  return [
    ...(again ? [fact('It came back', again)] : []),
    ...(shown.length > 0 ? [fact('Merged into it', [...joinSpans(shown), ...more])] : []),
  ]
}

/** For who reads the card of an incident that is over: it is not, it goes on elsewhere. */
export function backBlocks({ relations: { backAs } }: IncidentView, linkTo: LinkTo): CardBlock[] {
  return backAs === null ? [] : [text([...say`${bold('It came back')} as `, ...named(backAs, linkTo), ...say`: what follows is there.`])]
}

/** An incident by its id, as a link where there is somewhere to go. */
export function named(incidentId: string, linkTo: LinkTo): Span[] {
  const url = linkTo(incidentId)
  return url === null ? say`${shortCode(incidentId)}` : [link(incidentId, url)]
}

/** '1st', '2nd', '3rd', '4th', '11th', '21st'. */
export function ordinal(count: number): string {
  const isTeen = count % 100 >= 11 && count % 100 <= 13
  const ending = isTeen ? undefined : ['st', 'nd', 'rd'][(count % 10) - 1]
  return `${count}${ending ?? 'th'}`
}
