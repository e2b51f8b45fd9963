import { isJson, type Json, jsons, textOf } from './json.ts'
import { escapeHtml, markdownHtml, mrkdwnHtml } from './mrkdwn.ts'

export type NameOf = (id: string) => string

/** Blocks as HTML, roughly as a client shows them. A block it does not know is shown by its name, so that it is not overlooked. */
export function blocksHtml(blocks: readonly Json[], nameOf: NameOf): string {
  return blocks.map((block) => `<div class="block ${escapeHtml(textOf(block['type']))}">${blockHtml(block, nameOf)}</div>`).join('\n')
}

function blockHtml(block: Json, nameOf: NameOf): string {
  const elements = jsons(block['elements'])
  const words = (value: unknown): string => textHtml(value, nameOf)
  const inner: Record<string, () => string> = {
    header: () => `<h3>${words(block['text'])}</h3>`,
    section: () => sectionHtml(block, nameOf),
    context: () => elements.map((element) => (element['type'] === 'image' ? imageHtml(element) : words(element))).join(' '),
    actions: () => elements.map((element) => elementHtml(element, nameOf)).join(' '),
    context_actions: () => elements.map((element) => elementHtml(element, nameOf)).join(' '),
    divider: () => '<hr>',
    image: () => `${words(block['title'])}${imageHtml(block)}`,
    rich_text: () => elements.map((part) => richHtml(part, nameOf)).join(''),
    markdown: () => markdownHtml(textOf(block['text'])),
    alert: () => `⚠ ${words(block['text'])}`,
    input: () => inputHtml(block, nameOf),
    table: () => tableHtml(block, nameOf),
    data_table: () => `<p>${escapeHtml(textOf(block['caption']))}</p>${tableHtml(block, nameOf)}`,
    task_card: () => taskHtml(block, nameOf),
    plan: () =>
      `<b>${escapeHtml(textOf(block['title']))}</b>${jsons(block['tasks'])
        .map((task) => taskHtml(task, nameOf))
        .join('')}`,
    container: () => `<b>${words(block['title'])}</b>${blocksHtml(jsons(block['child_blocks']), nameOf)}`,
    card: () => cardHtml(block, nameOf),
    carousel: () => elements.map((card) => `<div class="block card">${cardHtml(card, nameOf)}</div>`).join(''),
  }
  return inner[textOf(block['type'])]?.() ?? `[${escapeHtml(textOf(block['type']))}]`
}

function textHtml(value: unknown, nameOf: NameOf): string {
  if (!isJson(value)) return ''
  const text = textOf(value['text'])
  return value['type'] === 'mrkdwn' ? mrkdwnHtml(text, nameOf) : escapeHtml(text).replaceAll('\n', '<br>')
}

function sectionHtml(block: Json, nameOf: NameOf): string {
  const fields = jsons(block['fields']).map((field) => `<div>${textHtml(field, nameOf)}</div>`)
  const grid = fields.length === 0 ? '' : `<div class="fields">${fields.join('')}</div>`
  return `${textHtml(block['text'], nameOf)}${grid}${isJson(block['accessory']) ? elementHtml(block['accessory'], nameOf) : ''}`
}

function imageHtml(image: Json): string {
  return `<figure>🖼 <i>${escapeHtml(textOf(image['alt_text']))}</i></figure>`
}

function elementHtml(element: Json, nameOf: NameOf): string {
  const asks = isJson(element['confirm']) ? ' <small>asks first</small>' : ''
  switch (element['type']) {
    case 'button':
      return `<button class="${escapeHtml(textOf(element['style']))}">${textHtml(element['text'], nameOf)}${asks}</button>`
    case 'overflow':
      return `<details><summary>⋯</summary>${optionsHtml(element, nameOf)}</details>`
    case 'feedback_buttons':
      return [element['positive_button'], element['negative_button']]
        .filter(isJson)
        .map((one) => `<button>${textHtml(one['text'], nameOf)}</button>`)
        .join(' ')
    case 'icon_button':
      return `<button>${textHtml(element['text'], nameOf)}</button>`
    case 'image':
      return imageHtml(element)
    default:
      return `<span class="menu">${textHtml(element['placeholder'], nameOf) || escapeHtml(textOf(element['type']))} ▾</span>${optionsHtml(element, nameOf)}`
  }
}

function optionsHtml(element: Json, nameOf: NameOf): string {
  return `<ul>${jsons(element['options'])
    .map((option) => `<li>${textHtml(option['text'], nameOf)}</li>`)
    .join('')}</ul>`
}

function inputHtml(block: Json, nameOf: NameOf): string {
  const element = isJson(block['element']) ? block['element'] : {}
  const isText = ['plain_text_input', 'number_input'].includes(textOf(element['type']))
  const field = isText ? `<div class="field">${textHtml(element['placeholder'], nameOf)}&nbsp;</div>` : elementHtml(element, nameOf)
  return `<label>${textHtml(block['label'], nameOf)}</label>${field}<small>${textHtml(block['hint'], nameOf)}</small>`
}

function tableHtml(block: Json, nameOf: NameOf): string {
  const rows = Array.isArray(block['rows']) ? block['rows'] : []
  const cell = (value: Json): string =>
    value['type'] === 'rich_text' ? blockHtml(value, nameOf) : escapeHtml(String(value['text'] ?? value['value'] ?? ''))
  return `<table>${rows
    .map(
      (row) =>
        `<tr>${jsons(row)
          .map((value) => `<td>${cell(value)}</td>`)
          .join('')}</tr>`,
    )
    .join('')}</table>`
}

const STATES: Readonly<Record<string, string>> = { pending: '○', in_progress: '◐', complete: '●', error: '✕' }

function taskHtml(task: Json, nameOf: NameOf): string {
  const parts = [task['details'], task['output']].filter(isJson).map((part) => blockHtml(part, nameOf))
  return `<div>${STATES[textOf(task['status'])] ?? '?'} ${escapeHtml(textOf(task['title']))}${parts.join('')}</div>`
}

function cardHtml(card: Json, nameOf: NameOf): string {
  const parts = ['title', 'subtitle', 'body'].map((field) => `<div>${textHtml(card[field], nameOf)}</div>`)
  return `${parts.join('')}${jsons(card['actions'])
    .map((button) => elementHtml(button, nameOf))
    .join(' ')}`
}

function richHtml(part: Json, nameOf: NameOf): string {
  const elements = jsons(part['elements'])
  const inside = elements.map((element) => richElementHtml(element, nameOf)).join('')
  switch (part['type']) {
    case 'rich_text_list': {
      const tag = part['style'] === 'ordered' ? 'ol' : 'ul'
      return `<${tag}>${elements.map((item) => `<li>${richHtml(item, nameOf)}</li>`).join('')}</${tag}>`
    }
    case 'rich_text_quote':
      return `<blockquote>${inside}</blockquote>`
    case 'rich_text_preformatted':
      return `<pre>${inside}</pre>`
    default:
      return `<span>${inside}</span>`
  }
}

function richElementHtml(element: Json, nameOf: NameOf): string {
  const style = isJson(element['style']) ? element['style'] : {}
  const tags = [style['bold'] && 'b', style['italic'] && 'i', style['strike'] && 's', style['code'] && 'code'].filter(
    (tag) => typeof tag === 'string',
  )
  const inner = tags.reduce((html, tag) => `<${tag}>${html}</${tag}>`, richWords(element, nameOf))
  return element['type'] === 'link' ? `<a href="${escapeHtml(textOf(element['url']))}">${inner}</a>` : inner
}

function richWords(element: Json, nameOf: NameOf): string {
  const text = escapeHtml(textOf(element['text'])).replaceAll('\n', '<br>')
  switch (element['type']) {
    case 'user':
      return `<span class="mention">@${escapeHtml(nameOf(textOf(element['user_id'])))}</span>`
    case 'channel':
      return `<span class="mention">#${escapeHtml(nameOf(textOf(element['channel_id'])))}</span>`
    case 'broadcast':
      return `<span class="mention">@${escapeHtml(textOf(element['range']))}</span>`
    case 'emoji':
      return `:${escapeHtml(textOf(element['name']))}:`
    case 'date':
      return escapeHtml(textOf(element['fallback']))
    case 'link':
      return text || escapeHtml(textOf(element['url']))
    default:
      return text
  }
}
