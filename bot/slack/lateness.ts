import { z } from 'zod'
import { parseCommand } from '../command-parser.ts'
import { COMMANDS } from '../commands.ts'
import { isStop } from './work-kinds.ts'

/** What somebody did counts for so long, in milliseconds: later it would be done in a situation that they did not see. */
const COUNTS_FOR_MS = 120_000

/** Said to whoever did it. */
export const TOO_LATE =
  'This came too late, so it was left alone. Look at how things stand now, and press or type it again if it is still right.'

/** Slack sends an event that was not taken again for an hour, and names the moment at which it was said. */
const eventSchema = z.looseObject({ event: z.looseObject({ text: z.string().default(''), ts: z.string().optional() }) })

/**
 * Whether this is a click, form, shortcut or command that waited too long. What only asks is answered late as well; and to stop is right in every
 * situation: one that comes late is still meant.
 */
export function isTooLate(body: Readonly<Record<string, unknown>>, receivedAt: Date, at: Date): boolean {
  if (isStop(body)) return false
  const event = eventSchema.safeParse(body)
  if (!event.success) return body['event'] === undefined && isOld(receivedAt.getTime(), at)
  const { text, ts } = event.data.event
  const saidAt = Number(ts) * 1_000
  return changesSomething(text) && isOld(Math.min(receivedAt.getTime(), saidAt || Number.POSITIVE_INFINITY), at)
}

function isOld(since: number, at: Date): boolean {
  return at.getTime() - since > COUNTS_FOR_MS
}

/** Words that are no command are a question, or ask for an action: that ends on a card of its own, made of how things stand then. */
function changesSomething(text: string): boolean {
  const { name } = parseCommand(text)
  const command = COMMANDS.find((known) => known.name === name)
  return command !== undefined && command.needs !== 'read'
}
