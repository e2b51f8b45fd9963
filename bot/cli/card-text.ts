type Block = Record<string, unknown>

/** Block Kit as lines for a terminal: what a person reads on the card. Buttons cannot be pressed here, so they are left out, like blocks it does not know. */
export function cardLines(blocks: readonly Block[]): string[] {
  return blocks.flatMap(blockLines)
}

function blockLines(block: Block): string[] {
  switch (block['type']) {
    case 'header':
      return [textOf(block['text'])]
    case 'section':
      return [
        ...listOf(block['fields']).map((field) => textOf(field).replace('\n', ': ')),
        ...(block['text'] ? [textOf(block['text'])] : []),
      ]
    case 'context':
      return [listOf(block['elements']).map(textOf).join(' ')]
    case 'rich_text':
      return listOf(block['elements']).flatMap(richLines)
    case 'divider':
      return ['─'.repeat(40)]
    default:
      return []
  }
}

function richLines(part: Block): string[] {
  const elements = listOf(part['elements'])
  if (part['type'] === 'rich_text_list') {
    return elements.map((item, index) => `${part['style'] === 'ordered' ? `${index + 1}.` : '•'} ${inline(listOf(item['elements']))}`)
  }
  const line = inline(elements)
  return [part['type'] === 'rich_text_quote' ? `“${line}”` : line]
}

function inline(elements: readonly Block[]): string {
  return elements.map((element) => String(element['text'] ?? element['fallback'] ?? element['url'] ?? '')).join('')
}

/** A text object without its formatting: mrkdwn's dates and links become their words. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  const { text, type } = value as Block
  if (typeof text !== 'string') return textOf(text)
  if (type !== 'mrkdwn') return text
  return text
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<[^|>]+\|([^>]*)>/g, '$1')
    .replace(/`([^`]*)`/g, '$1')
    .replace(/(^|\s)\*([^*\n]+)\*/g, '$1$2')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

function listOf(value: unknown): Block[] {
  return Array.isArray(value) ? value.filter((item): item is Block => typeof item === 'object' && item !== null) : []
}
