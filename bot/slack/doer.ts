import { z } from 'zod'

/** Who did something on Slack and where, so that they can be told what came of it. */
export interface Doer {
  userId: string
  channel: string | null
  thread: string | null
}

const id = z.string().min(1).max(100)
const place = z.object({ id }).nullish()

const doingSchema = z.union([
  z
    .object({ user_id: id, channel_id: id })
    .transform(({ user_id: userId, channel_id: channel }): Doer => ({ userId, channel, thread: null })),
  z
    .object({ user: z.object({ id }), channel: place })
    .transform(({ user, channel }): Doer => ({ userId: user.id, channel: channel?.id ?? null, thread: null })),
  // What another program wrote, an edit or a visit of the home page waits for no answer.
  z
    .object({
      event: z.object({
        type: z.enum(['app_mention', 'message']),
        user: id,
        channel: id,
        thread_ts: id.nullish(),
        bot_id: z.undefined().optional(),
        subtype: z.enum(['file_share', 'thread_broadcast']).optional(),
      }),
    })
    .transform(({ event: { user, channel, thread_ts: thread = null } }): Doer => ({ userId: user, channel, thread })),
])

/** Of a command, click, form, shortcut, mention or message; null where the body does not say. */
export function doerOf(body: unknown): Doer | null {
  const doing = doingSchema.safeParse(body)
  return doing.success ? doing.data : null
}
