import { z } from 'zod'
import { jsons, textOf } from '../json.ts'
import { embedded, method, ts } from '../method.ts'
import { SlackError } from '../slack-error.ts'
import { conversationOf } from '../world.ts'

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

export const assistantMethods = {
  'assistant.threads.setStatus': setStatus,
  'assistant.threads.setTitle': setTitle,
  'assistant.threads.setSuggestedPrompts': setSuggestedPrompts,
}
