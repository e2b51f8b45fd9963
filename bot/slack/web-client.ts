import { webApi } from '@slack/bolt'
import type { KnownBlock } from '@slack/types'
import { z } from 'zod'
import { escapeNotification } from './escape.ts'
import { LIMITS } from './limits.ts'
import { type SdkLog, sdkLogger } from './sdk-logger.ts'
import { type OpenSocket, SlackFailure, type SlackWeb, type StreamStep } from './slack-api.ts'
import { takeText } from './spans.ts'
import { uploadFile } from './upload.ts'

/** How long one call may take, in milliseconds; what came of it is then not known. */
const TIMEOUT_MS = 10_000
/** Messages of a page when one is searched, and pages: more were not written in the minutes that a crash lasts. */
const SEARCHED = 200
const MOST_PAGES = 10
const METADATA = 'steadyhand_posting'

/** What the SDK's own types leave out of a thread. */
const replySchema = z.object({
  ts: z.string().max(100),
  bot_id: z.string().nullish(),
  streaming_state: z.string().nullish(),
  blocks: z.array(z.object({ type: z.string() })).nullish(),
  metadata: z.unknown().optional(),
})
const threadSchema = z.object({ messages: z.array(replySchema).max(1_000) })

/** What somebody who runs Steadyhand has to change before any call is taken again. */
const SET_UP = new Set([
  ...[
    'invalid_auth',
    'not_authed',
    'account_inactive',
    'token_revoked',
    'token_expired',
    'missing_scope',
    'no_permission',
    'org_login_required',
  ],
  ...['ekm_access_denied', 'access_denied', 'not_allowed_token_type'],
])
/** What is wrong with the channel as a whole; a thread that is locked, say, is a matter of one message. */
const PLACE = new Set([
  ...['channel_not_found', 'not_in_channel', 'is_archived'],
  ...['restricted_action', 'restricted_action_read_only_channel', 'restricted_action_thread_only_channel'],
])
/** Slack's own trouble, said as an answer. */
const AWAY = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'accesslimited', 'team_added_to_org'])

function clientOf({ token, apiUrl, log }: { token: string; apiUrl: string | null; log: SdkLog }): webApi.WebClient {
  return new webApi.WebClient(token, {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    logger: sdkLogger(log),
    timeout: TIMEOUT_MS,
    // Whoever calls decides when it is tried again: what is most urgent then may be something else.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  })
}

export function createSlackWeb(how: { token: string; apiUrl: string | null; log: SdkLog }): SlackWeb {
  const client = clientOf(how)
  return {
    whoAmI: calling(async () => {
      const { team_id = '', team = '', user_id = '', bot_id = '', response_metadata } = await client.auth.test()
      return { teamId: team_id, team, botUserId: user_id, botId: bot_id, scopes: response_metadata?.scopes ?? [] }
    }),
    channel: calling(async (id) => {
      const { channel } = await client.conversations.info({ channel: id })
      return {
        name: channel?.name ?? id,
        member: channel?.is_member ?? false,
        archived: channel?.is_archived ?? false,
        external: channel?.is_ext_shared ?? false,
      }
    }),
    post: calling(async ({ channel, thread, broadcast, name, text, blocks }) => {
      const inThread = thread === null ? {} : { thread_ts: thread, reply_broadcast: broadcast }
      const said = { channel, text, blocks: fetchable(blocks), ...QUIET, metadata: metadataOf(name) }
      const { ts } = await client.chat.postMessage({ ...said, ...inThread } as webApi.ChatPostMessageArguments)
      if (ts === undefined) throw new SlackFailure('away', 'a message without a name')
      return ts
    }),
    edit: calling(async ({ channel, message, name, text, blocks }) => {
      await client.chat.update({ channel, ts: message, text, blocks: fetchable(blocks), metadata: metadataOf(name) })
    }),
    startStream: calling(async ({ channel, thread, userId, teamId, title, steps }) => {
      const to = { channel, thread_ts: thread, recipient_user_id: userId, recipient_team_id: teamId }
      const chunks = [titleOf(title), ...steps.map(chunkOf)]
      const { ts } = await client.chat.startStream({ ...to, task_display_mode: 'plan', chunks })
      if (ts === undefined) throw new SlackFailure('away', 'a stream without a name')
      return ts
    }),
    growStream: calling(async ({ channel, message, steps }) => {
      await client.chat.appendStream({ channel, ts: message, chunks: steps.map(chunkOf) })
    }),
    endStream: calling(async ({ channel, message, steps, last }) => {
      const chunks = steps.map(chunkOf)
      const end = last && { chunks: [titleOf(last.title), ...chunks], blocks: fetchable(last.blocks), metadata: metadataOf(last.name) }
      await client.chat.stopStream({ channel, ts: message, ...end })
    }),
    nameless: calling(async ({ channel, thread, since }) => {
      const { bot_id: own } = await client.auth.test()
      const asked = { channel, ts: thread, oldest: String(since.getTime() / 1_000), limit: SEARCHED, include_all_metadata: true }
      const { messages } = threadSchema.parse(await client.conversations.replies(asked))
      const isOwn = (bot: string | null | undefined): boolean => own !== undefined && bot === own
      return messages.filter((each) => isOwn(each.bot_id) && wasStreamed(each) && nameIn(each.metadata) === null).map(({ ts }) => ts)
    }),
    direct: calling(async (user) => {
      const { channel } = await client.conversations.open({ users: user })
      if (channel?.id === undefined) throw new SlackFailure('away', 'direct messages without a channel')
      return channel.id
    }),
    permalink: calling(async (channel, message) => {
      const { permalink } = await client.chat.getPermalink({ channel, message_ts: message })
      if (permalink === undefined) throw new SlackFailure('away', 'a message without an address')
      return permalink
    }),
    search: calling(async ({ channel, thread, name, since }) => {
      const asked = { channel, oldest: String(since.getTime() / 1_000), limit: SEARCHED, include_all_metadata: true }
      let cursor: string | undefined
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const from = cursor === undefined ? asked : { ...asked, cursor }
        const { messages = [], response_metadata } =
          thread === null ? await client.conversations.history(from) : await client.conversations.replies({ ...from, ts: thread })
        const found = messages.find(({ metadata, files = [] }) => nameIn(metadata) === name || files.some((file) => file.name === name))
        if (found?.ts !== undefined) return found.ts
        cursor = response_metadata?.next_cursor || undefined
        if (cursor === undefined) return null
      }
      // Nobody knows, so it is not posted a second time: people are told that it could not be shown.
      throw new SlackFailure('refused', 'too many messages to find one among them')
    }),
    whisper: calling(async ({ channel, user, thread, text, blocks }) => {
      await client.chat.postEphemeral({ channel, user, text, blocks: fetchable(blocks), ...(thread === null ? {} : { thread_ts: thread }) })
    }),
    openForm: calling(async (trigger, view) => {
      await client.views.open({ trigger_id: trigger, view })
    }),
    showHome: calling(async (user, view) => {
      await client.views.publish({ user_id: user, view })
    }),
    suggest: calling(async ({ channel, thread, title, prompts }) => {
      await client.assistant.threads.setSuggestedPrompts({ channel_id: channel, thread_ts: thread, title, prompts })
    }),
    setStatus: calling(async ({ channel, thread, status }) => {
      await client.assistant.threads.setStatus({ channel_id: channel, thread_ts: thread, status })
    }),
    setTitle: calling(async ({ channel, thread, title }) => {
      await client.assistant.threads.setTitle({ channel_id: channel, thread_ts: thread, title })
    }),
    account: calling(async (id) => {
      const { user } = await client.users.info({ user: id })
      return {
        teamId: user?.team_id ?? null,
        deleted: user?.deleted ?? true,
        bot: (user?.is_bot ?? true) || id === 'USLACKBOT',
        guest: Boolean(user?.is_restricted || user?.is_ultra_restricted),
        stranger: user?.is_stranger ?? false,
      }
    }),
    upload: calling(async (file) => await uploadFile(client, file, TIMEOUT_MS)),
  }
}

/** Asks for a connection, and uses none: one that nobody takes up ends by itself. */
export function socketCheck({ appToken, apiUrl, log }: { appToken: string; apiUrl: string | null; log: SdkLog }): OpenSocket {
  const client = clientOf({ token: appToken, apiUrl, log })
  return calling(async () => void (await client.apps.connections.open()))
}

/** No previews of addresses: what stands in a message is what we wrote. */
const QUIET = { unfurl_links: false, unfurl_media: false } as const

/** Slack fetches a picture by its address, and ours are for people who are signed in: what is to be seen is uploaded. */
function fetchable(blocks: KnownBlock[]): KnownBlock[] {
  return blocks.filter(({ type }) => type !== 'image')
}

function chunkOf({ id, title, status }: StreamStep): { type: 'task_update' } & StreamStep {
  return { type: 'task_update', id, title: harmless(title) || id, status }
}

function titleOf(title: string): { type: 'plan_update'; title: string } {
  return { type: 'plan_update', title: harmless(title) }
}

/** A step's words are ours, and go through what makes text harmless all the same: whoever changes them need not think of it. */
function harmless(words: string): string {
  return takeText(words, { left: LIMITS.taskTitle, cut: false }, escapeNotification)
}

/** Slack says so, or shows the plan that each of them begins with. */
function wasStreamed({ streaming_state: state, blocks }: z.output<typeof replySchema>): boolean {
  return typeof state === 'string' || (blocks ?? []).some(({ type }) => type === 'plan')
}

function metadataOf(name: string): { event_type: string; event_payload: { name: string } } {
  return { event_type: METADATA, event_payload: { name } }
}

function nameIn(metadata: unknown): string | null {
  if (typeof metadata !== 'object' || metadata === null) return null
  const { event_type, event_payload } = metadata as { event_type?: unknown; event_payload?: { name?: unknown } }
  return event_type === METADATA && typeof event_payload?.name === 'string' ? event_payload.name : null
}

function calling<Args extends unknown[], T>(call: (...args: Args) => Promise<T>): (...args: Args) => Promise<T> {
  return async (...args) => {
    try {
      return await call(...args)
    } catch (error) {
      throw error instanceof SlackFailure ? error : failureOf(error)
    }
  }
}

function failureOf(cause: unknown): SlackFailure {
  if (cause instanceof webApi.WebAPIRateLimitedError)
    return new SlackFailure('busy', 'ratelimited', { retryAfter: cause.retryAfter, cause })
  if (!(cause instanceof webApi.WebAPIPlatformError)) return new SlackFailure('away', wordsOf(cause), { cause })
  const code = cause.data.error
  if (code === 'ratelimited' || code === 'rate_limited') return new SlackFailure('busy', code, { retryAfter: 30, cause })
  return new SlackFailure(kindOf(code), code, { cause })
}

function kindOf(code: string): SlackFailure['kind'] {
  if (PLACE.has(code)) return 'place'
  if (SET_UP.has(code)) return 'set-up'
  return AWAY.has(code) ? 'away' : 'refused'
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
