import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { type Reply, type SeenMessage, type SeenRequest, tokensOf } from './seen-request.ts'

const blockSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1) }),
  z.strictObject({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.record(z.string(), z.unknown()) }),
  z.strictObject({ type: z.literal('tool_result'), tool_use_id: z.string(), content: z.string(), is_error: z.boolean().optional() }),
])

const bodySchema = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1),
  system: z.string(),
  stream: z.literal(true),
  messages: z
    .array(z.strictObject({ role: z.enum(['user', 'assistant']), content: z.union([z.string().min(1), z.array(blockSchema).min(1)]) }))
    .min(1),
  tools: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      description: z.string(),
      input_schema: z.looseObject({ type: z.literal('object') }),
    }),
  ),
})

export const ANTHROPIC_PATH = '/v1/messages'

/** @throws Error with words about what the provider would not accept */
export function readAnthropic(body: string, headers: IncomingHttpHeaders): SeenRequest {
  const { model, max_tokens, system, messages, tools } = bodySchema.parse(JSON.parse(body))
  if (headers['anthropic-version'] === undefined) throw new Error('the header anthropic-version is missing')
  const names = new Map<string, string>()
  const seen = messages.map(({ role, content }, i): SeenMessage => {
    if (role !== (i % 2 === 0 ? 'user' : 'assistant')) throw new Error(`message ${i} is out of turn`)
    const blocks = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content
    const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('')
    const calls = blocks.flatMap((block) => (block.type === 'tool_use' ? [block] : []))
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block] : []))
    for (const { id, name } of calls) names.set(id, name)
    if (role === 'assistant') return { role: 'model', text, calls: calls.map(({ id, name, input }) => ({ id, name, input })) }
    if (results.length === 0) return { role: 'user', text }
    return {
      role: 'results',
      results: results.map(({ tool_use_id: call, content: said }) => ({ call, name: nameOf(names, call), text: said })),
    }
  })
  demandAnswered(seen)
  const key = (headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '') ?? '').toString()
  return {
    ...{ protocol: 'anthropic', model, system, messages: seen, tools: tools.map(({ name }) => name) },
    ...{ maxOutputTokens: max_tokens, store: undefined, key, body },
  }
}

function nameOf(names: ReadonlyMap<string, string>, call: string): string {
  const name = names.get(call)
  if (name === undefined) throw new Error(`a result answers the call ${call}, which nobody made`)
  return name
}

/** Each call is answered in the next message, and nothing else is. */
export function demandAnswered(messages: readonly SeenMessage[]): void {
  for (const [i, message] of messages.entries()) {
    if (message.role !== 'model') continue
    const next = messages[i + 1]
    const answered = next?.role === 'results' ? next.results.map(({ call }) => call) : []
    const asked = message.calls.map(({ id }) => id)
    if (asked.length !== answered.length || asked.some((id) => !answered.includes(id)))
      throw new Error(`the calls ${asked.join(', ')} are answered by ${answered.join(', ') || 'nothing'}`)
  }
}

/** The events of a streamed answer, each one chunk. */
export function* writeAnthropic(request: SeenRequest, reply: Reply, turn: number): Generator<string> {
  const { text = '', calls = [] } = reply
  const usage = reply.usage ?? { input: tokensOf(request.body), output: tokensOf(text + JSON.stringify(calls)) }
  const message = { id: `msg_${turn}`, type: 'message', role: 'assistant', model: request.model, content: [], stop_sequence: null }
  yield event('message_start', { message: { ...message, stop_reason: null, usage: { input_tokens: usage.input, output_tokens: 1 } } })
  let index = 0
  if (text !== '') {
    yield event('content_block_start', { index, content_block: { type: 'text', text: '' } })
    for (const piece of pieces(text)) yield event('content_block_delta', { index, delta: { type: 'text_delta', text: piece } })
    yield event('content_block_stop', { index })
    index += 1
  }
  yield event('ping', {})
  for (const { name, input } of calls) {
    yield event('content_block_start', { index, content_block: { type: 'tool_use', id: `toolu_${turn}_${index}`, name, input: {} } })
    for (const piece of pieces(typeof input === 'string' ? input : JSON.stringify(input)))
      yield event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: piece } })
    yield event('content_block_stop', { index })
    index += 1
  }
  const whole = calls.length > 0 ? 'tool_use' : 'end_turn'
  const reason = reply.end === undefined ? whole : reply.end === 'length' ? 'max_tokens' : 'refusal'
  yield event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: usage.output } })
  yield event('message_stop', {})
}

export const anthropicError = (status: number): string =>
  JSON.stringify({ type: 'error', error: { type: status === 529 ? 'overloaded_error' : 'rate_limit_error', message: `status ${status}` } })

export const anthropicStreamError = (): string =>
  `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

/** Some characters at a time, as a model says them. */
export function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,40}/g) ?? []
}
