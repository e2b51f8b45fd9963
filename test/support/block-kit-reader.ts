/** What a reader's client would make of rendered text: the live things in it. */
export interface LiveParts {
  links: string[]
  mentions: string[]
  emoji: string[]
  /** Stretches set in bold, italic, struck or quoted. */
  formatted: string[]
  buttons: { action: string; value: string | undefined; url: string | undefined }[]
}

const MARKUP = /<([^<>]*)>/g
/** Slack knows two names made of digits; a time of day holds none. */
const EMOJI = /:(?:(?!\d+:)[\w+'-]+|100|1234):/g
const FORMATS = [
  /(?<![\p{L}\p{N}])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\p{L}\p{N}])/gu,
  /(?<![\p{L}\p{N}])_([^\s_](?:[^_\n]*[^\s_])?)_(?![\p{L}\p{N}])/gu,
  /(?<![\p{L}\p{N}])~([^\s~](?:[^~\n]*[^\s~])?)~(?![\p{L}\p{N}])/gu,
  /^&gt;(.*)$/gm,
]

/** Reads a rendered message back the way Slack's documentation says that clients parse it. */
export function readLiveParts(message: { text: string; blocks: readonly object[] }): LiveParts {
  const live: LiveParts = { links: [], mentions: [], emoji: [], formatted: [], buttons: [] }
  readMrkdwn(message.text, false, live)
  for (const block of message.blocks) read(block, live)
  return live
}

function read(value: unknown, live: LiveParts): void {
  if (Array.isArray(value)) for (const item of value) read(item, live)
  if (!isRecord(value) || Array.isArray(value)) return
  const { type, text, url, action_id: action } = value
  if (type === 'mrkdwn' && typeof text === 'string') readMrkdwn(text, value['verbatim'] === true, live)
  if (type === 'plain_text' && value['emoji'] === true && typeof text === 'string') live.emoji.push(...(text.match(EMOJI) ?? []))
  if (type === 'link') live.links.push(String(url))
  if (['user', 'usergroup', 'channel', 'broadcast', 'team'].includes(String(type))) live.mentions.push(String(type))
  if (type === 'emoji') live.emoji.push(String(value['name']))
  if (type === 'text' && isRecord(value['style']) && value['style']['bold']) live.formatted.push(String(text))
  if (type === 'rich_text_quote') live.formatted.push('(quote)')
  if (type === 'button') live.buttons.push({ action: String(action), value: asText(value['value']), url: asText(url) })
  if (type === 'button' && url !== undefined) live.links.push(String(url))
  for (const item of Object.values(value)) if (typeof item === 'object') read(item, live)
}

function readMrkdwn(text: string, verbatim: boolean, live: LiveParts): void {
  for (const [, inside = ''] of text.matchAll(MARKUP)) {
    if (/^[@#!]/.test(inside)) live.mentions.push(inside)
    else live.links.push((inside.split('|')[0] ?? '').replaceAll('&amp;', '&'))
  }
  const rest = text.replace(MARKUP, ' ').replace(/`[^`\n]*`/g, ' ')
  if (!verbatim) {
    live.links.push(...(rest.match(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi) ?? []))
    live.mentions.push(...(rest.match(/(?<![\p{L}\p{N}])[@#][\p{L}\p{N}]+/gu) ?? []))
  }
  live.emoji.push(...(rest.match(EMOJI) ?? []))
  for (const format of FORMATS) for (const [, inside = ''] of rest.matchAll(format)) live.formatted.push(inside)
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
