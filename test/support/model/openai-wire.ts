import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { demandAnswered, pieces } from './anthropic-wire.ts'
import { type Reply, type SeenMessage, type SeenRequest, tokensOf } from './seen-request.ts'

const outputTextSchema = z.looseObject({ type: z.literal('output_text'), text: z.string() })
const itemSchema = z.union([
  z.looseObject({ role: z.literal('user'), content: z.string().min(1) }),
  z.looseObject({ role: z.literal('assistant'), content: z.union([z.string().min(1), z.array(outputTextSchema)]) }),
  z.looseObject({ type: z.literal('function_call'), call_id: z.string(), name: z.string(), arguments: z.string() }),
  z.looseObject({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
  z.looseObject({ type: z.literal('reasoning'), id: z.string(), encrypted_content: z.string() }),
])

const bodySchema = z.strictObject({
  model: z.string().min(1),
  instructions: z.string(),
  input: z.array(itemSchema).min(1),
  tools: z.array(
    z.strictObject({
      type: z.literal('function'),
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      description: z.string(),
      strict: z.boolean(),
      parameters: z.looseObject({ type: z.literal('object') }),
    }),
  ),
  max_output_tokens: z.int().min(16),
  store: z.boolean().optional(),
  stream: z.literal(true),
  include: z.array(z.string()).optional(),
})

export const OPENAI_PATH = '/v1/responses'

/** @throws Error with words about what the provider would not accept */
export function readOpenAi(body: string, headers: IncomingHttpHeaders): SeenRequest {
  const { model, instructions, input, tools, max_output_tokens, store } = bodySchema.parse(JSON.parse(body))
  const messages: SeenMessage[] = []
  const names = new Map<string, string>()
  const last = <R extends SeenMessage['role']>(role: R, fresh: Extract<SeenMessage, { role: R }>): Extract<SeenMessage, { role: R }> => {
    const found = messages.at(-1)
    if (found?.role === role) return found as Extract<SeenMessage, { role: R }>
    messages.push(fresh)
    return fresh
  }
  for (const item of input) {
    if ('role' in item && item.role === 'user') messages.push({ role: 'user', text: String(item.content) })
    else if ('role' in item)
      last('model', { role: 'model', text: '', calls: [] }).text +=
        typeof item.content === 'string' ? item.content : (item.content as { text: string }[]).map(({ text }) => text).join('')
    else if (item.type === 'function_call') {
      names.set(item.call_id, item.name)
      last('model', { role: 'model', text: '', calls: [] }).calls.push({
        id: item.call_id,
        name: item.name,
        input: JSON.parse(item.arguments || '{}'),
      })
    } else if (item.type === 'function_call_output') {
      const name = names.get(item.call_id)
      if (name === undefined) throw new Error(`a result answers the call ${item.call_id}, which nobody made`)
      last('results', { role: 'results', results: [] }).results.push({ call: item.call_id, name, text: item.output })
    }
  }
  demandAnswered(messages)
  return {
    ...{ protocol: 'openai', model, system: instructions, messages, tools: tools.map(({ name }) => name) },
    ...{ maxOutputTokens: max_output_tokens, store, key: headers.authorization?.replace(/^Bearer /, '') ?? '', body },
  }
}

/** The events of a streamed answer, each one chunk. */
export function* writeOpenAi(request: SeenRequest, reply: Reply, turn: number): Generator<string> {
  const { text = '', calls = [] } = reply
  const usage = reply.usage ?? { input: tokensOf(request.body), output: tokensOf(text + JSON.stringify(calls)) }
  let sequence = 0
  const event = (type: string, fields: object): string => {
    sequence += 1
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...fields })}\n\n`
  }
  const response = { id: `resp_${turn}`, object: 'response', model: request.model, created_at: 0, error: null, incomplete_details: null }
  yield event('response.created', { response: { ...response, status: 'in_progress', output: [] } })
  const output: object[] = [{ type: 'reasoning', id: `rs_${turn}`, summary: [], encrypted_content: `sealed-${turn}` }]
  yield event('response.output_item.done', { output_index: 0, item: output[0] })
  if (text !== '') {
    const [output_index, item_id] = [output.length, `msg_${turn}`]
    const part = { type: 'output_text', text, annotations: [] }
    const item = { id: item_id, type: 'message', role: 'assistant', status: 'completed', content: [part] }
    yield event('response.output_item.added', { output_index, item: { ...item, content: [] } })
    for (const delta of pieces(text)) yield event('response.output_text.delta', { output_index, item_id, content_index: 0, delta })
    yield event('response.output_text.done', { output_index, item_id, content_index: 0, text })
    yield event('response.output_item.done', { output_index, item })
    output.push(item)
  }
  for (const [i, { name, input }] of calls.entries()) {
    const [output_index, item_id] = [output.length, `fc_${turn}_${i}`]
    const text = typeof input === 'string' ? input : JSON.stringify(input)
    const item = { id: item_id, type: 'function_call', call_id: `call_${turn}_${i}`, name, arguments: text, status: 'completed' }
    yield event('response.output_item.added', { output_index, item: { ...item, arguments: '', status: 'in_progress' } })
    for (const delta of pieces(text)) yield event('response.function_call_arguments.delta', { output_index, item_id, delta })
    yield event('response.function_call_arguments.done', { output_index, item_id, arguments: text })
    yield event('response.output_item.done', { output_index, item })
    output.push(item)
  }
  const counted = { input_tokens: usage.input, output_tokens: usage.output, total_tokens: usage.input + usage.output }
  const whole = { ...response, output, usage: counted }
  if (reply.end === undefined) yield event('response.completed', { response: { ...whole, status: 'completed' } })
  else {
    const incomplete_details = { reason: reply.end === 'length' ? 'max_output_tokens' : 'content_filter' }
    yield event('response.incomplete', { response: { ...whole, status: 'incomplete', incomplete_details } })
  }
}

export const openAiError = (status: number): string =>
  JSON.stringify({ error: { message: `status ${status}`, type: 'server_error', param: null, code: null } })

export const openAiStreamError = (): string =>
  `event: error\ndata: ${JSON.stringify({ type: 'error', code: 'server_error', message: 'failed', param: null, sequence_number: 2 })}\n\n`
