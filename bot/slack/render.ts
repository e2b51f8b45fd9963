import type { ActionsBlock, KnownBlock, MrkdwnElement, PlainTextElement, RichTextBlockElement } from '@slack/types'
import type { ActionButton, Card, CardBlock, Fact } from '../messages/card.ts'
import type { Span } from '../messages/span.ts'
import { withoutUnseen } from '../messages/visible-text.ts'
import { escapeNotification, safeUrl } from './escape.ts'
import { LIMITS } from './limits.ts'
import { mrkdwn, type Room, richElements, takeText } from './spans.ts'

/** A message as Slack takes it: blocks, and the text of the notification. */
export interface RenderedMessage {
  text: string
  blocks: KnownBlock[]
}

/** Kept free for buttons, so that a long card never loses them to its length. */
const RESERVE = { characters: 1_500, blocks: 4 }
const SHORTENED = 'Shortened to fit here. What cannot be read in full cannot be approved here.'

/**
 * A card as Block Kit within Slack's published limits, whatever is in it. Text from outside never becomes a link, mention, emoji or form. When
 * anything had to be left out, the buttons that need the whole card are left out too, and the card says so.
 */
export function renderBlocks(card: Card): RenderedMessage {
  const whole = fitBlocks(card.blocks)
  const blocks = whole.cut ? [...fitBlocks(card.blocks.map(withoutWholeOnly)).blocks, smallPrint(SHORTENED)] : whole.blocks
  return { text: takeText(card.notification, newRoom(LIMITS.fallback), escapeNotification) || 'Steadyhand', blocks }
}

/** Whether nothing of a card has to be left out. */
export function fitsWhole(card: Card): boolean {
  return !fitBlocks(card.blocks).cut
}

function fitBlocks(cardBlocks: readonly CardBlock[]): { blocks: KnownBlock[]; cut: boolean } {
  const blocks: KnownBlock[] = []
  let used = 0
  let cut = false
  for (const cardBlock of cardBlocks) {
    const reserve = cardBlock.type === 'buttons' ? { characters: 0, blocks: 1 } : RESERVE
    const rendered = renderBlock(cardBlock)
    const size = textLength(rendered.blocks)
    cut ||= rendered.cut
    if (used + size > LIMITS.total - reserve.characters || blocks.length + rendered.blocks.length > LIMITS.blocks - reserve.blocks)
      cut = true
    else {
      blocks.push(...rendered.blocks)
      used += size
    }
  }
  return { blocks, cut }
}

function withoutWholeOnly(block: CardBlock): CardBlock {
  if (block.type !== 'buttons') return block
  const keep = (row: readonly ActionButton[]): ActionButton[] => row.filter((button) => !button.onlyIfWhole)
  return { ...block, buttons: keep(block.buttons), more: keep(block.more) }
}

function renderBlock(block: CardBlock): { blocks: KnownBlock[]; cut: boolean } {
  switch (block.type) {
    case 'title': {
      const room = newRoom(LIMITS.header)
      const text = plainText(block.text, room)
      return { blocks: text.text === '' ? [] : [{ type: 'header', text }], cut: room.cut }
    }
    case 'text':
      return richText((room) => [section(block.spans, room)])
    case 'list':
      return richText((room) => [
        section([{ type: 'bold', text: block.title }], room),
        richList(block.items, block.ordered ? 'ordered' : 'bullet', room),
      ])
    case 'changes':
      return richText((room) => [
        section([{ type: 'bold', text: block.title }], room),
        richList(block.lines.map(changeLine), 'bullet', room),
      ])
    case 'quote':
      return richText((room) => [
        section([{ type: 'bold', text: block.label }], room),
        { type: 'rich_text_quote', elements: richElements([{ type: 'text', text: block.text }], room) },
      ])
    case 'facts':
      return renderFacts(block.facts)
    case 'note': {
      const room = newRoom(LIMITS.contextText)
      const text = mrkdwn(block.spans, room)
      return { blocks: text === '' ? [] : [{ type: 'context', elements: [mrkdwnText(text)] }], cut: room.cut }
    }
    case 'image':
      return renderImage(block)
    case 'divider':
      return { blocks: [{ type: 'divider' }], cut: false }
    case 'buttons':
      return renderButtons(block)
  }
}

type RichPart = RichTextBlockElement & { elements: unknown[] }

function richText(parts: (room: Room) => RichPart[]): { blocks: KnownBlock[]; cut: boolean } {
  const room = newRoom(LIMITS.richText)
  const elements = parts(room).filter((part) => part.elements.length > 0)
  return { blocks: elements.length === 0 ? [] : [{ type: 'rich_text', elements }], cut: room.cut }
}

function section(spans: readonly Span[], room: Room): Extract<RichPart, { type: 'rich_text_section' }> {
  return { type: 'rich_text_section', elements: richElements(spans, room) }
}

function richList(items: readonly (readonly Span[])[], style: 'bullet' | 'ordered', room: Room): RichPart {
  const elements = items.map((item) => section(item, room)).filter((item) => item.elements.length > 0)
  return { type: 'rich_text_list', style, elements }
}

function changeLine({ field, from, to }: Extract<CardBlock, { type: 'changes' }>['lines'][number]): Span[] {
  return [field, { type: 'text', text: ': ' }, from, { type: 'text', text: ' → ' }, to]
}

function renderFacts(facts: readonly Fact[]): { blocks: KnownBlock[]; cut: boolean } {
  const blocks: KnownBlock[] = []
  let cut = false
  for (let start = 0; start < facts.length; start += LIMITS.fields) {
    const fields = facts.slice(start, start + LIMITS.fields).map(({ label, value }) => {
      const room = newRoom(LIMITS.field - 1)
      const text = `${mrkdwn([{ type: 'bold', text: label }], room)}\n${mrkdwn(value, room)}`
      cut ||= room.cut
      return mrkdwnText(text)
    })
    blocks.push({ type: 'section', fields })
  }
  return { blocks, cut }
}

/** Left out where its address is none that Slack takes: the words around it say what it shows. */
function renderImage({ url, alt }: Extract<CardBlock, { type: 'image' }>): { blocks: KnownBlock[]; cut: boolean } {
  const image_url = safeUrl(url, LIMITS.url)
  const room = newRoom(LIMITS.altText)
  const alt_text = takeText(withoutUnseen(alt), room, (plain) => plain)
  return { blocks: image_url && alt_text !== '' ? [{ type: 'image', image_url, alt_text }] : [], cut: false }
}

function renderButtons({ buttons, open, more }: Extract<CardBlock, { type: 'buttons' }>): { blocks: KnownBlock[]; cut: boolean } {
  const elements: ActionsBlock['elements'] = buttons.filter(({ ref }) => ref.length <= LIMITS.buttonValue).map(actionButton)
  const url = open && safeUrl(open.url, LIMITS.url)
  if (open && url) elements.push({ type: 'button', text: plainText(open.label, newRoom(LIMITS.buttonText)), action_id: 'open', url })
  if (more.length > 0)
    elements.push({ type: 'overflow', action_id: 'more', options: more.slice(0, LIMITS.overflowOptions).map(overflowOption) })
  return { blocks: elements.length === 0 ? [] : [{ type: 'actions', elements }], cut: false }
}

function actionButton({ action, label, ref, primary }: ActionButton): ActionsBlock['elements'][number] {
  const text = plainText(label, newRoom(LIMITS.buttonText))
  return { type: 'button', text, action_id: action, value: ref, ...(primary ? { style: 'primary' as const } : {}) }
}

function overflowOption({ action, label, ref }: ActionButton): { text: PlainTextElement; value: string } {
  return { text: plainText(label, newRoom(LIMITS.optionText)), value: `${action} ${ref}`.slice(0, LIMITS.optionValue) }
}

function smallPrint(words: string): KnownBlock {
  return { type: 'context', elements: [{ type: 'plain_text', text: words, emoji: false }] }
}

function plainText(text: string, room: Room): PlainTextElement {
  return { type: 'plain_text', text: takeText(withoutUnseen(text), room, (plain) => plain), emoji: false }
}

function mrkdwnText(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true }
}

function newRoom(left: number): Room {
  return { left, cut: false }
}

/** All texts of blocks together, as Slack counts a message's length. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((total: number, item) => total + textLength(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce((total, [key, item]) => {
    const isText = typeof item === 'string' && (key === 'text' || key === 'fallback')
    return total + (isText ? item.length : textLength(item))
  }, 0)
}
