/** @import { Tree } from './tree.js' */
import { parseMrkdwn } from './mrkdwn.js'
import { dateWords, isDeadline } from './time.js'
import { h } from './tree.js'

/**
 * Block Kit as trees: the subset that our own renderer makes. What is not known is left out and said.
 *
 * @typedef {Record<string, any>} Block
 * @typedef {{ origin: string, now: Date, busy?: boolean, hideActions?: boolean, afterActions?: (ref: string) => Tree[] }} BlockContext
 */

/**
 * @param {readonly Block[]} blocks
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
export function viewOfBlocks(blocks, context) {
  return blocks.flatMap((block) => viewOfBlock(block, context))
}

/**
 * @param {Block} block
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function viewOfBlock(block, context) {
  switch (block.type) {
    case 'header':
      return [h('h2', { class: 'card-title' }, block.text?.text)]
    case 'divider':
      return [h('hr', null)]
    case 'section':
      return block.fields ? [facts(block.fields, context)] : [h('p', null, textObject(block.text, context))]
    case 'context':
      return list(block.elements).map((element) => h('p', { class: 'note' }, textObject(element, context)))
    case 'rich_text':
      return [
        h(
          'div',
          { class: 'rich' },
          list(block.elements).map((part, index, all) => richPart(part, all[index + 1], context)),
        ),
      ]
    case 'image':
      return picture(block)
    case 'actions':
      return actions(block, context)
    default:
      return [h('p', { class: 'note' }, `(a block of the kind ${String(block.type)} cannot be shown here)`)]
  }
}

/**
 * A picture that this server drew, from this origin whatever name it is reached by; the words are there for whoever cannot see it.
 *
 * @param {Block} block
 * @returns {Tree[]}
 */
function picture({ image_url: address, alt_text: alt }) {
  const own = /^https?:\/\/[^/]+(\/api\/v1\/[\w./-]+\.png(?:\?[\w=&.%+:-]*)?)$/.exec(String(address))?.[1]
  return own
    ? [h('img', { class: 'chart', src: own, alt: String(alt), width: 720, loading: 'lazy' })]
    : [h('p', { class: 'note' }, String(alt))]
}

/**
 * @param {readonly Block[]} fields
 * @param {BlockContext} context
 */
function facts(fields, context) {
  const rows = fields.map((field) => {
    const [label = '', ...value] = String(field.text ?? '').split('\n')
    const words = parseMrkdwn(label).map(({ text }) => text)
    return h('div', null, h('dt', null, words.join('')), h('dd', null, inline(value.join('\n'), context)))
  })
  return h('dl', { class: 'facts' }, rows)
}

/**
 * @param {Block} part
 * @param {Block | undefined} next
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function richPart(part, next, context) {
  switch (part.type) {
    case 'rich_text_section':
      // A line of bold right above a list or quote is its heading.
      return [h(next ? 'h3' : 'p', null, richElements(part.elements, context))]
    case 'rich_text_list': {
      const items = list(part.elements).map((item) => h('li', null, richElements(item.elements, context)))
      return [h(part.style === 'ordered' ? 'ol' : 'ul', null, items)]
    }
    case 'rich_text_quote':
      return [h('blockquote', null, richElements(part.elements, context))]
    default:
      return [h('pre', null, richElements(part.elements, context))]
  }
}

/**
 * @param {unknown} elements
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function richElements(elements, context) {
  return list(elements).map((element) => {
    if (element.type === 'link') return link(String(element.url), String(element.text), context)
    if (element.type === 'date') return dateElement(element, context)
    const text = String(element.text ?? '')
    if (element.style?.code) return h('code', null, text)
    return element.style?.bold ? h('strong', null, text) : text
  })
}

/**
 * @param {Block} element
 * @param {BlockContext} context
 */
function dateElement({ timestamp, format }, { now }) {
  const kind = isDeadline(String(format)) ? 'deadline' : null
  const words = dateWords({ timestamp: Number(timestamp), format: String(format) }, now)
  return h('time', { class: kind, datetime: new Date(Number(timestamp) * 1_000).toISOString() }, words)
}

/**
 * @param {Block | undefined} object
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function textObject(object, context) {
  const text = String(object?.text ?? '')
  return object?.type === 'mrkdwn' ? inline(text, context) : [text]
}

/**
 * @param {string} source
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function inline(source, context) {
  return parseMrkdwn(source).map((part) => {
    if (part.type === 'link') return link(part.url, part.text, context)
    if (part.type === 'text') return part.text
    return h(part.type === 'bold' ? 'strong' : 'code', null, part.text)
  })
}

/**
 * A page of the console stays in this window; any other opens beside it and learns nothing of this one.
 *
 * @param {string} url
 * @param {string} text
 * @param {BlockContext} context
 * @returns {Tree}
 */
export function link(url, text, { origin }) {
  if (url.startsWith(`${origin}/#/`)) return h('a', { href: url.slice(origin.length + 1) }, text)
  if (!/^https?:\/\//.test(url)) return text
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text)
}

/**
 * @param {Block} block
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function actions(block, context) {
  const elements = list(block.elements)
  const buttons = context.hideActions ? [] : elements.flatMap((element) => button(element, context))
  const ref = elements.find(({ value }) => typeof value === 'string')?.value ?? ''
  const after = context.afterActions && ref !== '' ? context.afterActions(ref) : []
  return buttons.length === 0 ? after : [h('div', { class: 'actions' }, buttons), ...after]
}

/**
 * @param {Block} element
 * @param {BlockContext} context
 * @returns {Tree[]}
 */
function button(element, context) {
  const label = element.text?.text
  if (element.type === 'overflow') return list(element.options).flatMap((option) => moreButton(option, context))
  if (element.type !== 'button') return []
  if (typeof element.url === 'string') {
    // The page that this button opens is the one it is shown on.
    return element.url.startsWith(`${context.origin}/#/`) ? [] : [link(element.url, label, context)]
  }
  const look = element.style === 'primary' ? 'button primary' : 'button'
  return [
    h(
      'button',
      {
        type: 'button',
        class: look,
        'aria-disabled': context.busy ? 'true' : null,
        'data-do': element.action_id,
        'data-ref': element.value,
      },
      label,
    ),
  ]
}

/**
 * @param {Block} option
 * @param {BlockContext} context
 */
function moreButton({ text, value }, { busy }) {
  const [action, ref] = String(value).split(' ', 2)
  return [
    h('button', { type: 'button', class: 'button', 'aria-disabled': busy ? 'true' : null, 'data-do': action, 'data-ref': ref }, text?.text),
  ]
}

/**
 * The beginning of the digest that a card shows, or null.
 *
 * @param {readonly Block[]} blocks
 * @returns {string | null}
 */
export function digestOnCard(blocks) {
  const notes = blocks.flatMap((block) => (block.type === 'context' ? list(block.elements).map(({ text }) => String(text)) : []))
  const found = notes.map((note) => /^Digest `([0-9a-f]{12})`/.exec(note)).find((match) => match !== null)
  return found?.[1] ?? null
}

/**
 * @param {unknown} value
 * @returns {Block[]}
 */
function list(value) {
  return Array.isArray(value) ? value : []
}
