import { z } from 'zod'
import { isJson, type Json, jsons } from '../json.ts'
import { embedded, flag, type MethodContext, method, ts } from '../method.ts'
import { messageJson, permalinkOf } from '../shapes.ts'
import { SlackError, shapeError } from '../slack-error.ts'
import { problemsOfBlocks, visibleLength } from '../validate.ts'
import {
  addMessage,
  type Conversation,
  conversationOf,
  directMessages,
  messageOf,
  nextTs,
  type SlackMessage,
  type World,
  withBlockIds,
} from '../world.ts'

/** Longer texts are cut when posted and refused when edited (https://docs.slack.dev/reference/methods/chat.update). */
const LONGEST_POST = 40_000
const LONGEST_EDIT = 4_000
/** What the product promises for all texts of a message together. */
const PROMISED = 12_000
/** https://docs.slack.dev/messaging/message-metadata */
const LARGEST_METADATA = 8_000

const contents = {
  text: z.string().optional(),
  blocks: embedded.optional(),
  attachments: embedded.optional(),
  markdown_text: z.string().max(12_000).optional(),
  parse: z.enum(['full', 'none']).optional(),
  link_names: flag,
  username: z.string().optional(),
  icon_emoji: z.string().optional(),
  icon_url: z.string().optional(),
  as_user: flag,
}
type Contents = {
  text?: string | undefined
  blocks?: unknown
  attachments?: unknown
  markdown_text?: string | undefined
  metadata?: unknown
}

/** Where the app may write. @throws SlackError channel_not_found, not_in_channel, is_archived */
export function writableConversation({ world, scopes }: Pick<MethodContext, 'world' | 'scopes'>, channel: string): Conversation {
  const conversation = world.users.has(channel) ? directMessages(world, channel) : namedConversation(world, channel)
  const isMember = conversation.members.has(world.app.botUser)
  if (!isMember && conversation.kind !== 'public') throw new SlackError('channel_not_found')
  if (conversation.archived) throw new SlackError('is_archived')
  if (!isMember && !scopes.has('chat:write.public')) throw new SlackError('not_in_channel')
  return conversation
}

function namedConversation(world: World, channel: string): Conversation {
  const named = [...world.conversations.values()].find(({ name, kind }) => kind === 'public' && name === channel.replace(/^#/, ''))
  return named ?? conversationOf(world, channel)
}

function checkedBlocks(blocks: unknown): Json[] | null {
  if (blocks === undefined || blocks === null) return null
  if (!Array.isArray(blocks)) throw new SlackError('invalid_blocks_format')
  const problems = problemsOfBlocks(blocks)
  if (problems.length > 0) throw shapeError('invalid_blocks', problems)
  // Slack fetches a picture before it takes the message, and from here it fetches nothing.
  if (JSON.stringify(blocks).includes('"image_url"')) throw shapeError('invalid_blocks', ['downloading image failed'])
  return jsons(blocks)
}

export function checkedMetadata(metadata: unknown): Json | null {
  if (metadata === undefined || metadata === null) return null
  if (!isJson(metadata)) throw new SlackError('invalid_metadata_format')
  if (Object.keys(metadata).length === 0) return metadata
  const isEvent =
    typeof metadata['event_type'] === 'string' && /^\w{1,255}$/.test(metadata['event_type']) && isJson(metadata['event_payload'])
  if (!isEvent) throw new SlackError('invalid_metadata_schema')
  if (JSON.stringify(metadata).length > LARGEST_METADATA) throw new SlackError('metadata_too_large')
  return metadata
}

/** What is to be shown. @throws SlackError for everything Slack refuses */
function checkedContents(args: Contents, { object }: MethodContext): { text: string; blocks: Json[] | null; attachments: Json[] | null } {
  const blocks = checkedBlocks(args.blocks)
  const attachments = args.attachments === undefined ? null : jsons(args.attachments)
  if (args.markdown_text !== undefined && (args.text !== undefined || blocks !== null)) throw new SlackError('markdown_text_conflict')
  const says = (args.text ?? args.markdown_text ?? '') !== ''
  if (!says && (blocks ?? []).length === 0 && (attachments ?? []).length === 0) throw new SlackError('no_text')
  if (!says) object('there is no text for the notification')
  const length = visibleLength(blocks ?? []) || (args.text ?? args.markdown_text ?? '').length
  if (length > PROMISED) object(`the message shows ${length} characters, more than ${PROMISED}`)
  const markdown = args.markdown_text === undefined ? null : [{ type: 'markdown', text: args.markdown_text }]
  return { text: args.text ?? args.markdown_text ?? '', blocks: blocks ?? markdown, attachments }
}

function parentOf(world: World, channel: string, threadTs: string | undefined, { object }: MethodContext): string | null {
  if (threadTs === undefined) return null
  const parent = conversationOf(world, channel).messages.find((message) => message.ts === threadTs)
  if (parent === undefined) throw new SlackError('thread_not_found')
  if (parent.threadTs !== null) object('thread_ts is that of a reply; give the one of its parent')
  return parent.threadTs ?? parent.ts
}

function post(
  channel: Conversation,
  args: Contents & { thread_ts?: string | undefined },
  context: MethodContext,
  more: Partial<SlackMessage>,
): SlackMessage {
  const { world, object } = context
  const { text, blocks, attachments } = checkedContents(args, context)
  if (text.length > LONGEST_POST) object(`the text is cut at ${LONGEST_POST} characters`)
  const metadata = checkedMetadata(args.metadata)
  const threadTs = parentOf(world, channel.id, args.thread_ts, context)
  return addMessage(world, {
    channel: channel.id,
    user: world.app.botUser,
    botId: world.app.botId,
    text: text.slice(0, LONGEST_POST),
    blocks: blocks ?? [],
    attachments: attachments ?? [],
    metadata,
    threadTs,
    ...more,
  })
}

export function messageEvent(world: World, message: SlackMessage): Json {
  const conversation = conversationOf(world, message.channel)
  const channelType = { public: 'channel', private: 'group', im: 'im' }[conversation.kind]
  return { ...messageJson(world, message), channel: message.channel, event_ts: message.ts, channel_type: channelType }
}

const postMessage = method({
  tier: 'posting',
  scopes: ['chat:write'],
  args: {
    channel: z.string().min(1),
    ...contents,
    thread_ts: ts.optional(),
    reply_broadcast: flag,
    metadata: embedded.optional(),
    unfurl_links: flag,
    unfurl_media: flag,
    mrkdwn: flag,
  },
  run: (args, context) => {
    const { world } = context
    const channel = writableConversation(context, args.channel)
    const unfurls = { links: args.unfurl_links ?? false, media: args.unfurl_media ?? true }
    const message = post(channel, args, context, { broadcast: args.thread_ts !== undefined && args.reply_broadcast === true, unfurls })
    context.tellApp(messageEvent(world, message))
    return { channel: channel.id, ts: message.ts, message: messageJson(world, message, true) }
  },
})

const update = method({
  tier: 'tier3',
  scopes: ['chat:write'],
  args: {
    channel: z.string().min(1),
    ts,
    ...contents,
    metadata: embedded.optional(),
    reply_broadcast: flag,
    file_ids: embedded.optional(),
  },
  run: (args, context) => {
    const { world } = context
    const message = ownMessage(world, args.channel, args.ts, 'cant_update_message')
    if (message.stream?.open === true) throw new SlackError('streaming_state_conflict')
    const { text, blocks, attachments } = checkedContents(args, context)
    if (text.length > LONGEST_EDIT) throw new SlackError('msg_too_long')
    const metadata = checkedMetadata(args.metadata)
    // What is not given stays as it was; an empty list or object takes it away.
    message.text = text
    if (blocks !== null) message.blocks = withBlockIds(blocks)
    if (attachments !== null) message.attachments = attachments
    if (metadata !== null) message.metadata = Object.keys(metadata).length === 0 ? null : metadata
    message.edits += 1
    message.editedTs = nextTs(world)
    context.tellApp({ ...messageEvent(world, message), subtype: 'message_changed', message: messageJson(world, message), hidden: true })
    return { channel: args.channel, ts: args.ts, text, message: messageJson(world, message, true) }
  },
})

function ownMessage(world: World, channel: string, at: string, refusal: string): SlackMessage {
  const conversation = conversationOf(world, channel)
  if (conversation.archived) throw new SlackError('is_archived')
  const message = messageOf(world, channel, at)
  if (message.botId !== world.app.botId) throw new SlackError(refusal)
  return message
}

const remove = method({
  tier: 'tier3',
  scopes: ['chat:write'],
  args: { channel: z.string().min(1), ts, as_user: flag },
  run: (args, { world }) => {
    const message = ownMessage(world, args.channel, args.ts, 'cant_delete_message')
    if (message.stream?.open === true) throw new SlackError('cant_delete_message')
    message.deleted = true
    return { channel: args.channel, ts: args.ts }
  },
})

const postEphemeral = method({
  tier: 'tier4',
  scopes: ['chat:write'],
  args: { channel: z.string().min(1), user: z.string().min(1), ...contents, thread_ts: ts.optional() },
  run: (args, context) => {
    const channel = writableConversation(context, args.channel)
    if (!channel.members.has(args.user)) throw new SlackError('user_not_in_channel')
    return { message_ts: post(channel, args, context, { ephemeralFor: args.user }).ts }
  },
})

const getPermalink = method({
  tier: 'special',
  args: { channel: z.string().min(1), message_ts: ts },
  run: (args, { world }) => {
    const message = messageOf(world, args.channel, args.message_ts)
    const thread = message.threadTs === null ? '' : `?thread_ts=${message.threadTs}&cid=${message.channel}`
    return {
      channel: args.channel,
      permalink: `${permalinkOf(world, 'archives', args.channel, `p${args.message_ts.replace('.', '')}`)}${thread}`,
    }
  },
})

/** What a reply made through a response_url or an acknowledgement holds. */
export const responseSchema = z.object({
  text: z.string().optional(),
  blocks: z.unknown().optional(),
  attachments: z.unknown().optional(),
  response_type: z.enum(['ephemeral', 'in_channel']).optional(),
  replace_original: flag,
  delete_original: flag,
  thread_ts: z.string().optional(),
  metadata: z.unknown().optional(),
  mrkdwn: flag,
  unfurl_links: flag,
  unfurl_media: flag,
})

/** Posts what was answered to somebody's command or click. @throws SlackError */
export function respond(
  to: { channel: string; user: string; message: SlackMessage | null },
  answer: z.output<typeof responseSchema>,
  context: MethodContext,
): SlackMessage | null {
  const { world } = context
  const replaces = answer.replace_original ?? false
  if (to.message !== null && answer.delete_original === true) to.message.deleted = true
  if (answer.delete_original === true && answer.text === undefined && answer.blocks === undefined) return null
  if (to.message !== null && replaces) {
    const { text, blocks } = checkedContents(answer, context)
    to.message.text = text
    to.message.blocks = withBlockIds(blocks ?? [])
    to.message.edits += 1
    to.message.editedTs = nextTs(world)
    return to.message
  }
  const ephemeralFor = answer.response_type === 'in_channel' ? null : to.user
  return post(conversationOf(world, to.channel), answer, context, { ephemeralFor })
}

export const chatMethods = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
}
