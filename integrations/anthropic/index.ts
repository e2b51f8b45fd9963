import Anthropic from '@anthropic-ai/sdk'
import {
  MAX_ANSWER,
  type ModelEvent,
  type ModelMessage,
  type ModelPort,
  type ModelRequest,
  type ModelSettings,
  parseInput,
  TURN_TIMEOUT_MS,
} from '../ports/model.ts'
import { answerError, brokenOff, tooLong } from './errors.ts'

const PROVIDER = 'anthropic'
const BASE_URL = 'https://api.anthropic.com'
const MODEL = 'claude-sonnet-5-5'

/** A model behind the Messages API, one streamed turn at a time. */
export function createAnthropicModel({ apiKey, baseUrl, model, price, tells, masks }: ModelSettings): ModelPort {
  const endpoint = baseUrl ?? BASE_URL
  // The one retry waits as long as the provider says; the loop above goes to another provider rather than wait longer.
  const client = new Anthropic({
    apiKey,
    baseURL: endpoint,
    maxRetries: 1,
    timeout: TURN_TIMEOUT_MS,
    logLevel: 'off',
    openTelemetry: false,
  })
  const port = { provider: PROVIDER, model: model ?? MODEL, endpoint, price, tells, masks }
  return {
    ...port,
    async *ask(request) {
      try {
        const stream = await client.messages.create({ ...body(request), model: port.model, stream: true }, { signal: request.signal })
        yield* read(stream)
      } catch (error) {
        throw answerError(error, request.signal)
      }
    },
  }
}

function body({ system, messages, tools, maxOutputTokens }: ModelRequest): Omit<Anthropic.MessageCreateParams, 'model' | 'stream'> {
  return {
    max_tokens: maxOutputTokens,
    system,
    messages: messages.map(messageOf),
    tools: tools.map(({ name, description, input }) => ({ name, description, input_schema: { ...input, type: 'object' } })),
  }
}

function messageOf(message: ModelMessage): Anthropic.MessageParam {
  if (message.role === 'user') return { role: 'user', content: message.text }
  if (message.role === 'results') {
    const content = message.results.map(({ call, text, failed }) => ({
      type: 'tool_result' as const,
      tool_use_id: call,
      content: text,
      is_error: failed,
    }))
    return { role: 'user', content }
  }
  const said = message.text.trim() === '' ? [] : [{ type: 'text' as const, text: message.text }]
  const calls = message.calls.map(({ id, name, input }) => ({ type: 'tool_use' as const, id, name, input: input ?? {} }))
  return { role: 'assistant', content: [...said, ...calls] }
}

/** A block of an answer while it arrives. */
type Open = { type: 'text' } | { type: 'call'; id: string; name: string; json: string }

async function* read(stream: AsyncIterable<Anthropic.RawMessageStreamEvent>): AsyncGenerator<ModelEvent> {
  const open = new Map<number, Open>()
  const usage = { input: 0, output: 0 }
  let reason: Anthropic.StopReason | null = null
  let length = 0
  let ended = false
  for await (const event of stream) {
    if (event.type === 'message_start') usage.input = inputOf(event.message.usage)
    else if (event.type === 'content_block_start') open.set(event.index, openingOf(event.content_block))
    else if (event.type === 'content_block_delta') {
      const [block, delta] = [open.get(event.index), event.delta]
      const piece = delta.type === 'text_delta' ? delta.text : delta.type === 'input_json_delta' ? delta.partial_json : ''
      length += piece.length
      if (length > MAX_ANSWER) throw tooLong()
      if (block?.type === 'call') block.json += piece
      else if (delta.type === 'text_delta') yield { type: 'text', text: piece }
    } else if (event.type === 'content_block_stop') {
      const block = open.get(event.index)
      if (block?.type === 'call') yield { type: 'call', call: { id: block.id, name: block.name, input: parseInput(block.json) } }
    } else if (event.type === 'message_delta') {
      reason = event.delta.stop_reason
      usage.output = event.usage.output_tokens ?? 0
      usage.input = Math.max(usage.input, inputOf(event.usage))
    } else if (event.type === 'message_stop') ended = true
  }
  if (!ended) throw brokenOff()
  yield { type: 'end', reason: endOf(reason), usage, raw: null }
}

function openingOf(block: Anthropic.RawContentBlockStartEvent['content_block']): Open {
  return block.type === 'tool_use' ? { type: 'call', id: block.id, name: block.name, json: '' } : { type: 'text' }
}

/** Servers that speak the same protocol leave some of it out. */
type CountedInput = { [Field in 'input_tokens' | 'cache_read_input_tokens' | 'cache_creation_input_tokens']?: number | null }

function inputOf({ input_tokens, cache_read_input_tokens, cache_creation_input_tokens }: CountedInput): number {
  return (input_tokens ?? 0) + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
}

function endOf(reason: Anthropic.StopReason | null): Extract<ModelEvent, { type: 'end' }>['reason'] {
  if (reason === 'tool_use') return 'calls'
  if (reason === 'max_tokens' || reason === 'model_context_window_exceeded') return 'length'
  return reason === 'refusal' ? 'refused' : 'done'
}
