import { isJson, type Json, jsons, textOf } from './json.ts'
import type { UsedElement } from './payloads.ts'

/** Something of a message or view that a person can use. */
export interface Usable {
  /** What is written on it. */
  readonly label: string
  readonly used: UsedElement
  /** The question the client asks first. */
  readonly confirm: Json | null
  readonly url: string | null
}

/** Buttons, overflow entries, menus' options and feedback buttons, in the order they are read. */
export function usableElements(blocks: readonly Json[]): Usable[] {
  return blocks.flatMap((block) => {
    const id = textOf(block['block_id'])
    const own = [...jsons(block['elements']), ...jsons(block['actions']), block['accessory'], block['element']].filter(isJson)
    return [
      ...own.flatMap((element) => usable(element, id)),
      ...usableElements(jsons(block['child_blocks'])),
      ...usableElements(cardsIn(block)),
    ]
  })
}

function cardsIn(block: Json): Json[] {
  return block['type'] === 'carousel' ? jsons(block['elements']) : []
}

function usable(element: Json, blockId: string): Usable[] {
  const type = textOf(element['type'])
  const base = { type, action_id: textOf(element['action_id']), block_id: blockId }
  const confirm = isJson(element['confirm']) ? element['confirm'] : null
  if (type === 'button' || type === 'icon_button') {
    const { text, value, style } = element
    const used = { ...base, text, ...(value === undefined ? {} : { value }), ...(style === undefined ? {} : { style }) }
    return [{ label: labelOf(element), used, confirm, url: textOf(element['url']) || null }]
  }
  if (type === 'feedback_buttons') {
    return [element['positive_button'], element['negative_button']].filter(isJson).map((button) => {
      const used = { ...base, text: button['text'], value: button['value'] }
      return { label: labelOf(button), used, confirm: null, url: null }
    })
  }
  return jsons(element['options']).map((option) => {
    const picked = type === 'checkboxes' ? { selected_options: [option] } : { selected_option: option }
    return { label: labelOf(option), used: { ...base, ...picked }, confirm, url: textOf(option['url']) || null }
  })
}

function labelOf(element: Json): string {
  return isJson(element['text']) ? textOf(element['text']['text']) : ''
}
