import { z } from 'zod'

/** What Slack sends, as far as anything here reads it. Bounds are generous for Slack and small for us. */
const id = z.string().min(1).max(100)
const text = (max: number) => z.string().max(max)
const team = z.looseObject({ id }).nullish()
const user = z.looseObject({ id, team_id: id.nullish() })
const trigger = text(500).default('')
const responseUrl = text(1_000).nullish()

/** A button or a choice of a menu was pressed. */
export const clickSchema = z.looseObject({
  type: z.literal('block_actions'),
  team,
  user,
  trigger_id: trigger,
  container: z.looseObject({ channel_id: id.nullish(), message_ts: id.nullish() }).default({}),
  channel: z.looseObject({ id }).nullish(),
  message: z.looseObject({ thread_ts: id.nullish() }).nullish(),
  actions: z
    .array(
      z.looseObject({
        action_id: text(255),
        value: text(2_000).nullish(),
        selected_option: z.looseObject({ value: text(200) }).nullish(),
        action_ts: text(100).default(''),
      }),
    )
    .min(1)
    .max(10),
})
export type ClickPayload = z.infer<typeof clickSchema>

/** A form was sent. */
export const formSchema = z.looseObject({
  type: z.literal('view_submission'),
  team,
  user,
  view: z.looseObject({
    id,
    callback_id: text(255),
    private_metadata: text(3_000).default(''),
    state: z.looseObject({
      values: z.record(
        z.string(),
        z.record(
          z.string(),
          z.looseObject({ value: text(3_000).nullish(), selected_option: z.looseObject({ value: text(200) }).nullish() }),
        ),
      ),
    }),
  }),
})
export type FormPayload = z.infer<typeof formSchema>

/** `/sre …` was typed. */
export const commandSchema = z.looseObject({
  command: text(100),
  text: text(4_000).default(''),
  team_id: id,
  user_id: id,
  channel_id: id,
  trigger_id: trigger,
  response_url: responseUrl,
})
export type CommandPayload = z.infer<typeof commandSchema>

export const shortcutSchema = z.looseObject({
  type: z.enum(['shortcut', 'message_action']),
  callback_id: text(255),
  team,
  user,
  trigger_id: trigger,
  response_url: responseUrl,
  channel: z.looseObject({ id }).nullish(),
  message: z
    .looseObject({
      ts: id,
      thread_ts: id.nullish(),
      text: text(40_000).default(''),
      blocks: z.array(z.unknown()).max(100).default([]),
      attachments: z.array(z.unknown()).max(100).default([]),
    })
    .nullish(),
})
export type ShortcutPayload = z.infer<typeof shortcutSchema>

/** Somebody spoke to the bot, in a channel or directly. */
export const messageSchema = z.looseObject({
  team_id: id,
  event_id: id,
  event: z.looseObject({
    type: z.enum(['app_mention', 'message']),
    user: id.nullish(),
    team: id.nullish(),
    user_team: id.nullish(),
    bot_id: id.nullish(),
    subtype: text(100).nullish(),
    channel: id,
    channel_type: text(50).nullish(),
    text: text(40_000).default(''),
    ts: id,
    thread_ts: id.nullish(),
  }),
})
export type MessagePayload = z.infer<typeof messageSchema>

export const homeSchema = z.looseObject({
  team_id: id,
  event: z.looseObject({ type: z.literal('app_home_opened'), user: id, tab: text(50).default('home') }),
})
export type HomePayload = z.infer<typeof homeSchema>

/** The assistant's panel was opened, or another channel is looked at beside it. */
export const assistantSchema = z.looseObject({
  team_id: id,
  event: z.looseObject({
    type: z.enum(['assistant_thread_started', 'assistant_thread_context_changed']),
    assistant_thread: z.looseObject({
      user_id: id,
      channel_id: id,
      thread_ts: id,
      context: z.looseObject({ channel_id: id.nullish() }).default({}),
    }),
  }),
})
export type AssistantPayload = z.infer<typeof assistantSchema>

/** The workspace of an account: its own, where Slack names it, else that of the place it acts in. */
export function teamOf({ team: place, user: who }: Pick<ClickPayload, 'team' | 'user'>): string | null {
  return who.team_id ?? place?.id ?? null
}
