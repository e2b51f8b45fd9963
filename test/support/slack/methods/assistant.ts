import { z } from 'zod'
import { isJson, type Json, jsons, textOf } from '../json.ts'
import { embedded, type MethodContext, method, ts } from '../method.ts'
import { messageJson } from '../shapes.ts'
import { SlackError, shapeError } from '../slack-error.ts'
import { problemsOfBlocks } from '../validate.ts'
import { addMessage, conversationOf, messageOf, type SlackMessage, type World } from '../world.ts'
import { writableConversation } from './chat.ts'

const LONGEST_STREAM = 12_000
const MOST_PROMPTS = 4

const setStatus = method({
  tier: 'special',
  scopes: ['assistant:write', 'chat:write'],
  args: {
    channel_id: z.string().min(1),
    thread_ts: ts,
    status: z.string().max(3_000),
    loading_messages: embedded.optional(),
    icon_emoji: z.string().optional(),
    icon_url: z.string().optional(),
    username: z.string().optional(),
  },
  run: (args, { world }) => {
    conversationOf(world, args.channel_id)
    world.statuses.set(`${args.channel_id} ${args.thread_ts}`, args.status)
    return {}
  },
})

const setTitle = method({
  tier: 'special',
  scopes: ['assistant:write'],
  args: { channel_id: z.string().min(1), thread_ts: ts, title: z.string().min(1).max(255) },
  run: (args, { world }) => {
    conversationOf(world, args.channel_id)
    world.titles.set(`${args.channel_id} ${args.thread_ts}`, args.title)
    return {}
  },
})

const setSuggestedPrompts = method({
  tier: 'special',
  scopes: ['assistant:write'],
  args: { channel_id: z.string().min(1), thread_ts: ts.optional(), title: z.string().optional(), prompts: embedded },
  run: (args, { world }) => {
    const prompts = jsons(args.prompts)
    const isWhole = prompts.every(({ title, message }) => textOf(title) !== '' && textOf(message) !== '')
    if (prompts.length === 0 || prompts.length > MOST_PROMPTS || !isWhole) throw new SlackError('invalid_arguments')
    conversationOf(world, args.channel_id)
    world.prompts.set(`${args.channel_id} ${args.thread_ts ?? ''}`, prompts)
    return {}
  },
})

const piece = { markdown_text: z.string().max(LONGEST_STREAM).optional(), chunks: embedded.optional() }

const startStream = method({
  tier: 'tier2',
  scopes: ['chat:write'],
  args: {
    channel: z.string().min(1),
    thread_ts: ts,
    recipient_team_id: z.string().optional(),
    recipient_user_id: z.string().optional(),
    task_display_mode: z.enum(['timeline', 'plan', 'dense']).optional(),
    icon_emoji: z.string().optional(),
    icon_url: z.string().optional(),
    username: z.string().optional(),
    ...piece,
  },
  run: (args, context) => {
    const { world } = context
    const channel = writableConversation(context, args.channel)
    if (channel.kind !== 'im' && args.recipient_team_id === undefined) throw new SlackError('missing_recipient_team_id')
    if (channel.kind !== 'im' && args.recipient_user_id === undefined) throw new SlackError('missing_recipient_user_id')
    if (!channel.messages.some((one) => one.ts === args.thread_ts)) throw new SlackError('thread_not_found')
    const said = {
      channel: channel.id,
      user: world.app.botUser,
      botId: world.app.botId,
      text: '',
      threadTs: args.thread_ts,
      streaming: true,
    }
    const message = addMessage(world, said)
    append(message, args)
    return { channel: channel.id, ts: message.ts }
  },
})

const appendStream = method({
  tier: 'tier4',
  scopes: ['chat:write'],
  args: { channel: z.string().min(1), ts, ...piece },
  run: (args, { world }) => {
    if (args.markdown_text === undefined && args.chunks === undefined) throw new SlackError('no_text')
    append(streamed(world, args), args)
    return { channel: args.channel, ts: args.ts }
  },
})

const stopStream = method({
  tier: 'tier2',
  scopes: ['chat:write'],
  args: { channel: z.string().min(1), ts, ...piece, blocks: embedded.optional(), metadata: embedded.optional() },
  run: (args, context) => {
    const message = streamed(context.world, args)
    append(message, args)
    if (args.blocks !== undefined) message.blocks = [...message.blocks, ...checked(args.blocks)]
    if (isJson(args.metadata)) message.metadata = args.metadata
    message.streaming = false
    objectToLength(message, context)
    return { channel: args.channel, ts: args.ts, message: messageJson(context.world, message, true) }
  },
})

function objectToLength({ text }: SlackMessage, { object }: MethodContext): void {
  if (text.length > LONGEST_STREAM) object(`the streamed text has ${text.length} characters, more than ${LONGEST_STREAM}`)
}

function streamed(world: World, { channel, ts: at }: { channel: string; ts: string }): SlackMessage {
  const message = messageOf(world, channel, at)
  if (message.botId !== world.app.botId) throw new SlackError('message_not_owned_by_app')
  if (!message.streaming) throw new SlackError('message_not_in_streaming_state')
  return message
}

function checked(blocks: unknown): Json[] {
  const problems = problemsOfBlocks(blocks)
  if (problems.length > 0) throw shapeError('invalid_blocks', problems)
  return jsons(blocks)
}

const chunk = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('markdown_text'), text: z.string().max(LONGEST_STREAM) }),
  z.strictObject({ type: z.literal('plan_update'), title: z.string().min(1) }),
  z.strictObject({
    type: z.literal('task_update'),
    id: z.string().min(1),
    title: z.string().min(1),
    status: z.enum(['pending', 'in_progress', 'complete', 'error']),
    details: z.string().optional(),
    output: z.string().optional(),
    sources: z.array(z.unknown()).optional(),
  }),
  z.strictObject({ type: z.literal('blocks'), blocks: z.unknown() }),
])

/** Chunks become what a reader sees of them: text, a plan's title, and one task card for each task. */
function append(message: SlackMessage, { markdown_text, chunks }: { markdown_text?: string | undefined; chunks?: unknown }): void {
  const read = z.array(chunk).safeParse(chunks ?? [])
  if (!read.success)
    throw shapeError(
      'invalid_chunks',
      read.error.issues.map(({ message: problem, path }) => `${problem} [json-pointer:/chunks/${path.join('/')}]`),
    )
  if (message.text.length + (markdown_text ?? '').length > LONGEST_STREAM) throw new SlackError('msg_too_long')
  message.text += markdown_text ?? ''
  for (const one of read.data) {
    if (one.type === 'markdown_text') message.text += one.text
    else if (one.type === 'blocks') message.blocks.push(...checked(one.blocks))
    else if (one.type === 'plan_update') setBlock(message, { type: 'plan', block_id: 'plan', title: one.title })
    else setBlock(message, { type: 'task_card', block_id: one.id, task_id: one.id, title: one.title, status: one.status })
  }
  if (message.text.length > LONGEST_STREAM) throw new SlackError('msg_too_long')
}

function setBlock(message: SlackMessage, block: Json): void {
  const at = message.blocks.findIndex((one) => one['block_id'] === block['block_id'] && one['type'] === block['type'])
  if (at === -1) message.blocks.push(block)
  else message.blocks[at] = block
}

export const assistantMethods = {
  'assistant.threads.setStatus': setStatus,
  'assistant.threads.setTitle': setTitle,
  'assistant.threads.setSuggestedPrompts': setSuggestedPrompts,
  'chat.startStream': startStream,
  'chat.appendStream': appendStream,
  'chat.stopStream': stopStream,
}
