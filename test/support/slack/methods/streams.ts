import { z } from 'zod'
import { isJson, type Json, jsons } from '../json.ts'
import { embedded, type MethodContext, method, ts } from '../method.ts'
import { messageJson } from '../shapes.ts'
import { SlackError, shapeError } from '../slack-error.ts'
import { problemsOfBlocks } from '../validate.ts'
import { addMessage, messageOf, type SlackMessage, type World, withBlockIds } from '../world.ts'
import { checkedMetadata, writableConversation } from './chat.ts'

/** https://docs.slack.dev/reference/methods/chat.startStream; the limits of a step are those that Slack answers with beyond. */
const LONGEST_STREAM = 12_000
const LONGEST_STEP = 256
const MOST_BLOCKS = 50

const piece = { markdown_text: z.string().max(LONGEST_STREAM).optional(), chunks: embedded.optional() }
type Piece = { markdown_text?: string | undefined; chunks?: unknown }

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
    const { world, object } = context
    const channel = writableConversation(context, args.channel)
    if (channel.kind !== 'im' && args.recipient_team_id === undefined) throw new SlackError('missing_recipient_team_id')
    if (channel.kind !== 'im' && args.recipient_user_id === undefined) throw new SlackError('missing_recipient_user_id')
    const reader = args.recipient_user_id === undefined ? null : world.users.get(args.recipient_user_id)
    if (reader === undefined) throw new SlackError('user_not_found')
    if (reader && reader.teamId !== args.recipient_team_id) object('the recipient is of another workspace than is named')
    const parent = channel.messages.find((one) => one.ts === args.thread_ts && !one.deleted)
    if (parent === undefined) throw new SlackError('thread_not_found')
    if (parent.threadTs !== null) object('thread_ts is that of a reply; give the one of its parent')
    chunksOf(args)
    const message = addMessage(world, {
      channel: channel.id,
      user: world.app.botUser,
      botId: world.app.botId,
      text: '',
      threadTs: parent.threadTs ?? parent.ts,
      stream: { open: true, display: args.task_display_mode === 'plan' ? 'plan' : 'timeline' },
    })
    append(message, args)
    return { channel: channel.id, ts: message.ts }
  },
})

const appendStream = method({
  tier: 'tier4',
  scopes: ['chat:write'],
  args: { channel: z.string().min(1), ts, ...piece },
  run: (args, { world }) => {
    const message = openStream(world, args)
    if (args.markdown_text === undefined && args.chunks === undefined) throw new SlackError('no_text')
    append(message, args)
    return { channel: args.channel, ts: args.ts }
  },
})

const stopStream = method({
  tier: 'tier2',
  scopes: ['chat:write'],
  args: {
    channel: z.string().min(1),
    ts,
    ...piece,
    blocks: embedded.optional(),
    metadata: embedded.optional(),
    session_status: z.string().optional(),
  },
  run: (args, context) => {
    const message = openStream(context.world, args)
    const last = args.blocks === undefined ? [] : checkedBlocks(args.blocks)
    const metadata = checkedMetadata(args.metadata)
    append(message, args)
    message.blocks = [...message.blocks, ...withBlockIds(last)]
    message.metadata = metadata
    message.stream = { display: 'timeline', ...message.stream, open: false }
    objectTo(message, last, context)
    return { channel: args.channel, ts: args.ts, message: messageJson(context.world, message, true) }
  },
})

/** What no reader should be left with. */
function objectTo({ text, blocks }: SlackMessage, last: readonly Json[], { object }: MethodContext): void {
  if (text.length > LONGEST_STREAM) object(`the streamed text has ${text.length} characters, more than ${LONGEST_STREAM}`)
  if (text === '' && blocks.length === 0) object('the stream ends and says nothing')
  const going = tasksOf(blocks).filter(({ status }) => status === 'in_progress' || status === 'pending')
  // One that is ended with nothing more is about to be edited.
  if (last.length > 0 && going.length > 0) object(`the stream ends while ${going.length} of its steps are still under way`)
}

/** @throws SlackError when it is nobody else's, or was ended */
function openStream(world: World, { channel, ts: at }: { channel: string; ts: string }): SlackMessage {
  const message = messageOf(world, channel, at)
  if (message.botId !== world.app.botId) throw new SlackError('message_not_owned_by_app')
  if (message.stream?.open !== true) throw new SlackError('message_not_in_streaming_state')
  return message
}

function checkedBlocks(blocks: unknown): Json[] {
  const problems = problemsOfBlocks(blocks)
  if (problems.length > 0) throw shapeError('invalid_blocks', problems)
  return jsons(blocks)
}

const words = z.string().min(1).max(LONGEST_STEP)
const source = z.strictObject({ type: z.literal('url'), url: z.url(), text: words })
const chunk = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('markdown_text'), text: z.string().max(LONGEST_STREAM) }),
  z.strictObject({ type: z.literal('plan_update'), title: words }),
  z.strictObject({
    type: z.literal('task_update'),
    id: z.string().min(1).max(255),
    title: words,
    status: z.enum(['pending', 'in_progress', 'complete', 'error']),
    details: words.optional(),
    output: words.optional(),
    sources: z.array(source).optional(),
  }),
  z.strictObject({ type: z.literal('blocks'), blocks: z.unknown() }),
])

/** @throws SlackError invalid_chunks */
function chunksOf({ chunks }: Piece): z.output<typeof chunk>[] {
  const read = z.array(chunk).safeParse(chunks ?? [])
  if (read.success) return read.data
  throw shapeError(
    'invalid_chunks',
    read.error.issues.map(({ message, path }) => `${message} [json-pointer:/chunks/${path.join('/')}]`),
  )
}

/** Chunks become what a reader sees of them: text, a plan's title, and one task for each step, in a plan where the stream shows them so. */
function append(message: SlackMessage, { markdown_text, chunks }: Piece): void {
  const read = chunksOf({ chunks })
  const text = [markdown_text ?? '', ...read.map((one) => (one.type === 'markdown_text' ? one.text : ''))].join('')
  if (message.text.length + text.length > LONGEST_STREAM) throw new SlackError('msg_too_long')
  const added = read.flatMap((one) => (one.type === 'blocks' ? checkedBlocks(one.blocks) : []))
  if (message.blocks.length + added.length > MOST_BLOCKS)
    throw shapeError('invalid_blocks', [`no more than ${MOST_BLOCKS} items allowed [json-pointer:/chunks]`])
  message.text += text
  message.blocks.push(...withBlockIds(added))
  for (const one of read) {
    if (one.type === 'plan_update') planOf(message)['title'] = one.title
    if (one.type === 'task_update') setTask(message, one)
  }
}

/** What is said of a task again replaces its title and state, and goes on from what was said of it. */
function setTask(
  message: SlackMessage,
  { id, title, status, details, output }: Extract<z.output<typeof chunk>, { type: 'task_update' }>,
): void {
  const tasks = message.stream?.display === 'plan' ? planOf(message)['tasks'] : message.blocks
  if (!Array.isArray(tasks)) return
  const at = tasks.findIndex((one) => isJson(one) && one['task_id'] === id)
  const before: Json = isJson(tasks[at]) ? tasks[at] : {}
  const said = (field: string, more: string | undefined): Json =>
    more === undefined ? {} : { [field]: richWords(`${plainWords(before[field])}${more}`) }
  const task = {
    ...before,
    type: 'task_card',
    block_id: id,
    task_id: id,
    title,
    status,
    ...said('details', details),
    ...said('output', output),
  }
  if (at === -1) tasks.push(task)
  else tasks[at] = task
}

function planOf(message: SlackMessage): Record<string, unknown> {
  const found = message.blocks.find(({ type, block_id: id }) => type === 'plan' && id === 'plan')
  if (found !== undefined) return found
  const plan: Record<string, unknown> = { type: 'plan', block_id: 'plan', title: 'Working on it', tasks: [] }
  message.blocks.unshift(plan)
  return plan
}

function tasksOf(blocks: readonly Json[]): Json[] {
  return blocks.flatMap((block) => (block['type'] === 'plan' ? jsons(block['tasks']) : block['type'] === 'task_card' ? [block] : []))
}

function richWords(text: string): Json {
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }] }
}

function plainWords(value: unknown): string {
  const [part] = isJson(value) ? jsons(value['elements']) : []
  const [element] = part === undefined ? [] : jsons(part['elements'])
  return String(element?.['text'] ?? '')
}

export const streamMethods = {
  'chat.startStream': startStream,
  'chat.appendStream': appendStream,
  'chat.stopStream': stopStream,
}
