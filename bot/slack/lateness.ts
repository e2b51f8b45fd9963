import { isStop } from './work-kinds.ts'

/** What somebody did counts for so long, in milliseconds: later it would be done in a situation that they did not see. */
const COUNTS_FOR_MS = 120_000

/** Said to whoever did it. */
export const TOO_LATE =
  'This came too late, so it was left alone. Look at how things stand now, and press or type it again if it is still right.'

/**
 * Whether this is a click, form, shortcut or command that waited too long. An event only brings words, which are answered late as well; and to stop
 * is right in every situation: one that comes late is still meant.
 */
export function isTooLate(body: Readonly<Record<string, unknown>>, receivedAt: Date, at: Date): boolean {
  return body['event'] === undefined && !isStop(body) && at.getTime() - receivedAt.getTime() > COUNTS_FOR_MS
}
