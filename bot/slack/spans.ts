import type { RichTextElement } from '@slack/types'
import type { Span } from '../messages/span.ts'
import { withoutUnseen } from '../messages/visible-text.ts'
import { escapeCode, escapeMrkdwn, safeUrl } from './escape.ts'
import { LIMITS } from './limits.ts'

/** Counts what is left of a limit, and remembers whether anything had to be left out. */
export interface Room {
  left: number
  cut: boolean
}

const MORE = '…'

/** Spans as elements of rich text, where text is never parsed: nothing has to be changed to be safe. */
export function richElements(spans: readonly Span[], room: Room): RichTextElement[] {
  return spans.flatMap((span): RichTextElement[] => {
    if (isFull(room)) return []
    const element = richElement(span, room)
    return element ? [element] : []
  })
}

function richElement(span: Span, room: Room): RichTextElement | null {
  if (span.type === 'moment') return dateElement(span, room)
  const text = takeText(withoutUnseen(span.text), room, (plain) => plain)
  if (text === '') return null
  if (span.type === 'link') {
    const url = safeUrl(span.url, LIMITS.url)
    return url ? { type: 'link', url, text } : { type: 'text', text }
  }
  return span.type === 'text' ? { type: 'text', text } : { type: 'text', text, style: { [span.type]: true } }
}

/** Slack shows the moment in each reader's own time zone. */
function dateElement(span: Extract<Span, { type: 'moment' }>, room: Room): RichTextElement {
  room.left -= span.words.length
  const format = span.words.replace(/\d{2}:\d{2}:\d{2} UTC/, '{time_secs}').replace(/\d{4}-\d{2}-\d{2}/, '{date_short_pretty}')
  return { type: 'date', timestamp: Math.floor(Date.parse(span.at) / 1_000), format, fallback: span.words }
}

/** Spans as mrkdwn, for the places that know no rich text: fields and small print. */
export function mrkdwn(spans: readonly Span[], room: Room): string {
  return spans.map((span) => (isFull(room) ? '' : mrkdwnSpan(span, room))).join('')
}

function mrkdwnSpan(span: Span, room: Room): string {
  if (span.type !== 'moment' && withoutUnseen(span.text) === '') return ''
  switch (span.type) {
    case 'moment':
      return takeText(span.words, room, escapeMrkdwn)
    case 'text':
      return takeText(span.text, room, escapeMrkdwn)
    case 'bold':
      return takeText(span.text, room, (text) => `*${escapeMrkdwn(text)}*`)
    case 'code':
      return takeText(span.text, room, (text) => `\`${escapeCode(text)}\``)
    case 'link': {
      const url = safeUrl(span.url, LIMITS.url)
      return takeText(span.text, room, (text) => (url ? `<${url.replaceAll('&', '&amp;')}|${escapeMrkdwn(text)}>` : escapeMrkdwn(text)))
    }
  }
}

/** Asked before each further stretch: when there is no room for it, something is left out. */
function isFull(room: Room): boolean {
  if (room.left <= 0) room.cut = true
  return room.left <= 0
}

/** The longest beginning of `text` that fits once it is written as the platform wants it. */
export function takeText(text: string, room: Room, write: (text: string) => string): string {
  let kept = text
  let written = write(kept)
  while (written.length > room.left && kept !== '') {
    room.cut = true
    kept = shorter(kept, Math.min(kept.length - 1, Math.floor((kept.length * room.left) / written.length) - MORE.length))
    written = kept === '' ? '' : write(kept + MORE)
  }
  room.left -= written.length
  return written
}

/** Never half of a character. */
function shorter(text: string, length: number): string {
  return text.slice(0, Math.max(0, length)).replace(/[\ud800-\udbff]$/, '')
}
