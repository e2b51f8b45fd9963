import { createHmac, randomBytes } from 'node:crypto'
import type { ModelCall, ModelEvent, ModelMessage, ModelPort } from '../../integrations/ports/model.ts'
import { type PersonalKind, replacePersonal } from '../domain/personal-data.ts'

/** In place of a datum, the same at every turn of this process, and nobody can work out what it stands for. */
const MASK = /⟨[a-z]{2,8} [0-9a-f]{10}⟩/g
/** A mask that a provider sends in two parts is no longer than this. */
const LONGEST_MASK = 32
const DEPTH = 12

/**
 * The same model, not told the personal data that it `masks`: it reads and says a mask, and what it says of a mask that it was sent is put back before
 * anybody else sees it. A mask that it makes up stands for nothing.
 */
export function maskedModel(model: ModelPort): ModelPort {
  const kinds = model.masks
  if (kinds.length === 0) return model
  const key = randomBytes(32)
  const maskOf = (kind: PersonalKind, value: string): string =>
    `⟨${kind} ${createHmac('sha256', key).update(`${kind} ${value}`).digest('hex').slice(0, 10)}⟩`
  return {
    ...model,
    async *ask(request) {
      const known = new Map<string, string>()
      const mask = (text: string): string =>
        replacePersonal(text, kinds, (kind, value) => {
          const word = maskOf(kind, value)
          known.set(word, value)
          return word
        })
      const unmask = (text: string): string => text.replace(MASK, (word) => known.get(word) ?? word)
      const messages = request.messages.map((message) => maskedMessage(message, mask))
      yield* unmasked(model.ask({ ...request, system: mask(request.system), messages }), unmask)
    },
  }
}

function maskedMessage(message: ModelMessage, mask: (text: string) => string): ModelMessage {
  if (message.role === 'user') return { ...message, text: mask(message.text) }
  if (message.role === 'results') return { ...message, results: message.results.map((result) => ({ ...result, text: mask(result.text) })) }
  const calls = message.calls.map((call) => ({ ...call, input: eachText(call.input, mask) }))
  // Its own form is what it said itself: masks, as it was told.
  return { ...message, text: mask(message.text), calls }
}

async function* unmasked(events: AsyncIterable<ModelEvent>, unmask: (text: string) => string): AsyncIterable<ModelEvent> {
  let held = ''
  for await (const event of events) {
    if (event.type === 'text') {
      const text = held + event.text
      const open = text.lastIndexOf('⟨')
      const isWhole = open < 0 || text.includes('⟩', open) || text.length - open > LONGEST_MASK
      held = isWhole ? '' : text.slice(open)
      const told = unmask(isWhole ? text : text.slice(0, open))
      if (told !== '') yield { ...event, text: told }
      continue
    }
    if (held !== '') yield { type: 'text', text: held }
    held = ''
    yield event.type === 'call' ? { ...event, call: unmaskedCall(event.call, unmask) } : event
  }
  if (held !== '') yield { type: 'text', text: held }
}

function unmaskedCall(call: ModelCall, unmask: (text: string) => string): ModelCall {
  return { ...call, input: eachText(call.input, unmask) }
}

/** The same value with each text in it changed, names of fields apart. */
function eachText(value: unknown, change: (text: string) => string, depth = DEPTH): unknown {
  if (typeof value === 'string') return change(value)
  if (value === null || typeof value !== 'object' || depth === 0) return value
  if (Array.isArray(value)) return value.map((each) => eachText(each, change, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, eachText(each, change, depth - 1)]))
}
