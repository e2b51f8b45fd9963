import { z } from 'zod'
import { jsons, textOf } from '../json.ts'
import { count, embedded, method, ts } from '../method.ts'
import { fileJson } from '../shapes.ts'
import { SlackError } from '../slack-error.ts'
import { addMessage, newId } from '../world.ts'
import { messageEvent, writableConversation } from './chat.ts'

const LARGEST_FILE = 1_000_000_000
const MIME_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  svg: 'image/svg+xml',
  md: 'text/markdown',
  txt: 'text/plain',
  json: 'application/json',
}

const altText = z.string().max(1_000).optional()

const getUploadUrl = method({
  tier: 'tier4',
  scopes: ['files:write'],
  args: {
    filename: z.string().min(1),
    length: count(LARGEST_FILE),
    alt_txt: altText,
    // The SDK's own upload says so; Slack does not listen to it.
    alt_text: altText,
    snippet_type: z.string().optional(),
  },
  run: (args, { world, origin }) => {
    if (!args.length) throw new SlackError('invalid_arguments')
    const mimeType = MIME_TYPES[args.filename.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
    const file = {
      id: newId('F'),
      name: args.filename,
      title: args.filename,
      altText: args.alt_txt ?? '',
      mimeType,
      content: Buffer.alloc(0),
      complete: false,
    }
    world.files.set(file.id, file)
    return { upload_url: `${origin}/upload/v1/${file.id}`, file_id: file.id }
  },
})

const completeUpload = method({
  tier: 'tier4',
  scopes: ['files:write'],
  args: {
    files: embedded,
    channel_id: z.string().optional(),
    channels: z.string().optional(),
    initial_comment: z.string().optional(),
    thread_ts: ts.optional(),
    blocks: embedded.optional(),
  },
  run: (args, context) => {
    const { world, object } = context
    const files = jsons(args.files).map((asked) => {
      const file = world.files.get(textOf(asked['id']))
      if (file === undefined || file.content.length === 0) throw new SlackError('file_not_found')
      file.title = textOf(asked['title']) || file.name
      file.complete = true
      if (file.mimeType.startsWith('image/') && file.altText === '') object(`the image ${file.name} has no alternative text`)
      return file
    })
    if (files.length === 0) throw new SlackError('invalid_arguments')
    const where = args.channel_id ?? args.channels
    if (where !== undefined) {
      const channel = writableConversation(context, where)
      const text = args.initial_comment ?? ''
      const said = { channel: channel.id, user: world.app.botUser, botId: world.app.botId, text, files, threadTs: args.thread_ts ?? null }
      context.tellApp({ ...messageEvent(world, addMessage(world, said)), subtype: 'file_share' })
    }
    return { files: files.map((file) => fileJson(world, file)) }
  },
})

const info = method({
  tier: 'tier4',
  scopes: ['files:read'],
  args: { file: z.string().min(1) },
  run: (args, { world }) => {
    const file = world.files.get(args.file)
    if (file === undefined) throw new SlackError('file_not_found')
    return { file: fileJson(world, file) }
  },
})

export const fileMethods = {
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': completeUpload,
  'files.info': info,
}
