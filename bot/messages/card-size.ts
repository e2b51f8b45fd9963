import type { CardBlock } from './card.ts'
import { plainOf, type Span } from './span.ts'

export interface CardSize {
  /** Characters of all texts, as the most wasteful platform counts them. */
  readonly characters: number
  readonly largestBlock: number
  readonly largestFact: number
  readonly blocks: number
  /** Facts, list items and changed fields together. */
  readonly items: number
}

/** What a platform adds around each stretch and line of text, at most. */
const SPAN_OVERHEAD = 4
/** `&` becomes `&amp;`. */
const ESCAPED = /[&<>]/g
const ESCAPE_OVERHEAD = 4

/** How much room blocks take, measured without any platform's help. */
export function cardSize(blocks: readonly CardBlock[]): CardSize {
  const sizes = blocks.map((block) => sum(linesOf(block).map(lineSize)))
  const factSizes = blocks.flatMap((block) => (block.type === 'facts' ? linesOf(block).map(lineSize) : []))
  return {
    characters: sum(sizes),
    largestBlock: Math.max(0, ...sizes),
    largestFact: Math.max(0, ...factSizes),
    blocks: blocks.length,
    items: sum(blocks.map(itemCount)),
  }
}

/** All texts of a block, line by line. */
export function linesOf(block: CardBlock): Span[][] {
  switch (block.type) {
    case 'title':
      return [plain(block.text)]
    case 'text':
    case 'note':
      return [[...block.spans]]
    case 'facts':
      return block.facts.map(({ label, value }) => [...plain(label), ...value])
    case 'list':
      return [plain(block.title), ...block.items.map((item) => [...item])]
    case 'changes':
      return [plain(block.title), ...block.lines.map(({ field, from, to }) => [field, ...plain(': '), from, ...plain(' → '), to])]
    case 'quote':
      return [plain(block.label), plain(block.text)]
    case 'image':
      return [plain(block.alt)]
    case 'divider':
      return []
    case 'buttons':
      return [...block.buttons, ...block.more, ...(block.open ? [block.open] : [])].map(({ label }) => plain(label))
  }
}

function plain(text: string): Span[] {
  return [{ type: 'text', text }]
}

function lineSize(spans: readonly Span[]): number {
  const shown = plainOf(spans)
  return shown.length + spans.length * SPAN_OVERHEAD + (shown.match(ESCAPED)?.length ?? 0) * ESCAPE_OVERHEAD
}

function itemCount(block: CardBlock): number {
  if (block.type === 'facts') return block.facts.length
  if (block.type === 'list') return block.items.length
  return block.type === 'changes' ? block.lines.length : 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
