import { z } from 'zod'
import type { PrivateWords } from './private-words.ts'

/** What somebody did counts for so long, in milliseconds: later it would be done in a situation that they did not see. */
const COUNTS_FOR_MS = 120_000
const WORDS = 'This came too late, so it was left alone. Look at how things stand now, and press or type it again if it is still right.'

const id = z.string().min(1).max(100)
const place = z.object({ id }).nullish()
/** Who did it and where, in a command, and in a click, form or shortcut. */
const doingSchema = z.union([
  z.object({ user_id: id, channel_id: id }).transform(({ user_id: userId, channel_id: channel }) => ({ userId, channel })),
  z
    .object({ user: z.object({ id }), channel: place })
    .transform(({ user, channel }) => ({ userId: user.id, channel: channel?.id ?? null })),
])

/** Whether this is a click, form, shortcut or command that waited too long. An event only brings words, which are answered late as well. */
export function isTooLate(body: Readonly<Record<string, unknown>>, receivedAt: Date, at: Date): boolean {
  return body['event'] === undefined && at.getTime() - receivedAt.getTime() > COUNTS_FOR_MS
}

/** Tells whoever did it, where the body says who that is. */
export async function tellTooLate(body: unknown, words: Pick<PrivateWords, 'tellAfter'>): Promise<void> {
  const doing = doingSchema.safeParse(body)
  if (doing.success) await words.tellAfter(doing.data, WORDS)
}
