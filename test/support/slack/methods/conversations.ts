import { z } from 'zod'
import type { Json } from '../json.ts'
import { count, flag, method, ts } from '../method.ts'
import { conversationJson, messageJson, repliesTo } from '../shapes.ts'
import { SlackError } from '../slack-error.ts'
import { type Conversation, conversationOf, directMessages, messageOf, type SlackMessage, type World } from '../world.ts'

const MOST_HISTORY = 999
const USUAL_HISTORY = 100
const MOST_LISTED = 1_000

/** Which scope reading needs depends on the kind of conversation. */
const scopesFor =
  (what: 'read' | 'history') =>
  ({ channel }: { channel: string }, world: World): readonly string[] => {
    const kind = world.conversations.get(channel)?.kind ?? 'public'
    return [`${{ public: 'channels', private: 'groups', im: 'im' }[kind]}:${what}`]
  }

/** Private conversations exist for their members only. */
function visibleConversation(world: World, id: string): Conversation {
  const conversation = conversationOf(world, id)
  if (conversation.kind !== 'public' && !conversation.members.has(world.app.botUser)) throw new SlackError('channel_not_found')
  return conversation
}

function readableConversation(world: World, id: string): Conversation {
  const conversation = visibleConversation(world, id)
  if (!conversation.members.has(world.app.botUser)) throw new SlackError('not_in_channel')
  return conversation
}

const timeline = {
  channel: z.string().min(1),
  cursor: z.string().optional(),
  inclusive: flag,
  latest: z.string().optional(),
  oldest: z.string().optional(),
  limit: count(MOST_HISTORY),
  include_all_metadata: flag,
}
type Timeline = { [K in keyof typeof timeline]?: z.output<(typeof timeline)[K]> | undefined }

function within(messages: readonly SlackMessage[], { oldest, latest, inclusive = false }: Timeline): SlackMessage[] {
  const [from, to] = [Number(oldest ?? 0), Number(latest ?? Number.POSITIVE_INFINITY)]
  return messages.filter(({ ts: at }) => {
    const time = Number(at)
    return inclusive ? time >= from && time <= to : time > from && time < to
  })
}

function page(world: World, messages: readonly SlackMessage[], { cursor, limit = USUAL_HISTORY, include_all_metadata }: Timeline): Json {
  const start = cursor === undefined || cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString())
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor')
  const end = start + (limit || USUAL_HISTORY)
  const hasMore = end < messages.length
  return {
    messages: messages.slice(start, end).map((message) => messageJson(world, message, include_all_metadata)),
    has_more: hasMore,
    response_metadata: { next_cursor: hasMore ? Buffer.from(String(end)).toString('base64') : '' },
  }
}

const isPublished = ({ deleted, ephemeralFor }: SlackMessage): boolean => !deleted && ephemeralFor === null

const history = method({
  tier: 'tier3',
  scopes: scopesFor('history'),
  args: timeline,
  run: (args, { world }) => {
    const { messages } = readableConversation(world, args.channel)
    const top = messages.filter((message) => isPublished(message) && (message.threadTs === null || message.broadcast))
    return page(world, within(top, args).reverse(), args)
  },
})

const replies = method({
  tier: 'tier3',
  scopes: scopesFor('history'),
  args: { ...timeline, ts },
  run: (args, { world }) => {
    readableConversation(world, args.channel)
    const found = world.conversations.get(args.channel)?.messages.find((message) => message.ts === args.ts)
    if (found === undefined) throw new SlackError('thread_not_found')
    const parent = found.threadTs === null ? found : messageOf(world, args.channel, found.threadTs)
    // The parent always comes, whatever stretch of time is asked for.
    return page(world, [...(parent.deleted ? [] : [parent]), ...within(repliesTo(world, parent), args)], args)
  },
})

const info = method({
  tier: 'tier3',
  scopes: scopesFor('read'),
  args: { channel: z.string().min(1), include_num_members: flag, include_locale: flag },
  run: (args, { world }) => ({ channel: conversationJson(world, visibleConversation(world, args.channel)) }),
})

const members = method({
  tier: 'tier4',
  scopes: scopesFor('read'),
  args: { channel: z.string().min(1), cursor: z.string().optional(), limit: count(MOST_LISTED) },
  run: (args, { world }) => ({
    members: [...visibleConversation(world, args.channel).members],
    response_metadata: { next_cursor: '' },
  }),
})

const list = method({
  tier: 'tier2',
  scopes: ['channels:read', 'groups:read', 'im:read', 'mpim:read'],
  args: {
    cursor: z.string().optional(),
    exclude_archived: flag,
    limit: count(MOST_LISTED),
    types: z.string().optional(),
  },
  run: (args, { world }) => {
    const types = (args.types ?? 'public_channel').split(',')
    const asked = [...world.conversations.values()].filter(({ kind, members: inside, archived }) => {
      const type = { public: 'public_channel', private: 'private_channel', im: 'im' }[kind]
      return types.includes(type) && (kind === 'public' || inside.has(world.app.botUser)) && !(args.exclude_archived === true && archived)
    })
    return { channels: asked.map((conversation) => conversationJson(world, conversation)), response_metadata: { next_cursor: '' } }
  },
})

const open = method({
  tier: 'tier3',
  scopes: ['im:write', 'mpim:write'],
  args: { users: z.string().optional(), channel: z.string().optional(), return_im: flag, prevent_creation: flag },
  run: (args, { world }) => {
    const user = args.users ?? ''
    if (args.channel !== undefined) return { channel: conversationJson(world, conversationOf(world, args.channel)) }
    if (!world.users.has(user)) throw new SlackError('user_not_found')
    const channel = directMessages(world, user)
    return { channel: args.return_im === true ? conversationJson(world, channel) : { id: channel.id } }
  },
})

const join = method({
  tier: 'tier3',
  scopes: ['channels:join'],
  args: { channel: z.string().min(1) },
  run: (args, { world }) => {
    const channel = visibleConversation(world, args.channel)
    if (channel.archived) throw new SlackError('is_archived')
    if (channel.kind !== 'public') throw new SlackError('method_not_supported_for_channel_type')
    channel.members.add(world.app.botUser)
    return { channel: conversationJson(world, channel) }
  },
})

export const conversationMethods = {
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.list': list,
  'conversations.open': open,
  'conversations.join': join,
}
