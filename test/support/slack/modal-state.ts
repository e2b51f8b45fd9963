import { isJson, type Json, jsons, textOf } from './json.ts'
import type { OpenView } from './world.ts'

/** What a person puts into a modal: the words of an input's label, or its block id, and what is typed or chosen (by its words). */
export type Entries = Readonly<Record<string, string | readonly string[]>>

/**
 * The `state.values` of a view once a person has filled it in.
 * @throws Error in words when there is no such input, a required one is empty, or what is typed is longer than the client lets one type
 */
export function stateOf(open: OpenView, entries: Entries): Json {
  const inputs = jsons(open.view['blocks']).filter(({ type }) => type === 'input')
  const unknown = Object.keys(entries).filter((name) => !inputs.some((input) => isNamed(input, name)))
  if (unknown.length > 0)
    throw new Error(`the modal asks for ${inputs.map(labelOf).join(', ') || 'nothing'}, not for ${unknown.join(', ')}`)
  return Object.fromEntries(
    inputs.map((input) => {
      const element = isJson(input['element']) ? input['element'] : {}
      const entry = Object.entries(entries).find(([name]) => isNamed(input, name))?.[1]
      return [textOf(input['block_id']), { [textOf(element['action_id']) || 'input']: filledIn(input, element, entry) }]
    }),
  )
}

function filledIn(input: Json, element: Json, entry: string | readonly string[] | undefined): Json {
  const type = textOf(element['type'])
  const isText = ['plain_text_input', 'number_input'].includes(type)
  const given = entry ?? (isText ? textOf(element['initial_value']) : initiallyChosen(element))
  if (given.length === 0 && input['optional'] !== true) throw new Error(`${labelOf(input)} is required`)
  if (isText) return { type, value: checkedText(input, element, String(given)) }
  const chosen = [given].flat().filter((name) => name !== '')
  if (type === 'users_select') return { type, selected_user: chosen[0] ?? null }
  if (type === 'conversations_select') return { type, selected_conversation: chosen[0] ?? null }
  if (type === 'channels_select') return { type, selected_channel: chosen[0] ?? null }
  const options = chosen.map((name) => optionOf(element, name, labelOf(input)))
  return type === 'checkboxes' ? { type, selected_options: options } : { type, selected_option: options[0] ?? null }
}

function checkedText(input: Json, element: Json, text: string): string | null {
  const [least, most] = [Number(element['min_length'] ?? 0), Number(element['max_length'] ?? 3_000)]
  if (text !== '' && text.length < least) throw new Error(`${labelOf(input)} wants at least ${least} characters`)
  if (text.length > most) throw new Error(`${labelOf(input)} takes at most ${most} characters`)
  return text === '' ? null : text
}

function initiallyChosen(element: Json): string[] {
  const initial = [element['initial_option'], ...jsons(element['initial_options'])].filter(isJson)
  return initial.map((option) => wordsOf(option['text']))
}

function optionOf(element: Json, name: string, label: string): Json {
  const options = [...jsons(element['options']), ...jsons(element['option_groups']).flatMap((group) => jsons(group['options']))]
  const found = options.find((option) => wordsOf(option['text']) === name || option['value'] === name)
  if (found === undefined) throw new Error(`${label} offers ${options.map((option) => wordsOf(option['text'])).join(', ')}, not ${name}`)
  return found
}

function isNamed(input: Json, name: string): boolean {
  return input['block_id'] === name || labelOf(input) === name
}

function labelOf(input: Json): string {
  return wordsOf(input['label'])
}

function wordsOf(text: unknown): string {
  return isJson(text) ? textOf(text['text']) : ''
}
