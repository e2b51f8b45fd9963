import OpenAI from 'openai'
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
import { answerError, brokenOff, declined, tooLong } from './errors.ts'

const PROVIDER = 'openai'
const BASE_URL = 'https://api.openai.com/v1'
const MODEL = 'gpt-6.1-terra'

type InputItem = OpenAI.Responses.ResponseInputItem
type StreamEvent = OpenAI.Responses.ResponseStreamEvent

/** A model behind the Responses API, one streamed turn at a time; the provider is told to store nothing. */
export function createOpenAiModel({ apiKey, baseUrl, model, price, tells, masks }: ModelSettings): ModelPort {
  const endpoint = baseUrl ?? BASE_URL
  // Organisation and project are null because the SDK would take them from the environment.
  const client = new OpenAI({
    ...{ apiKey, baseURL: endpoint, organization: null, project: null },
    ...{ maxRetries: 1, timeout: TURN_TIMEOUT_MS, logLevel: 'off' as const },
  })
  const port = { provider: PROVIDER, model: model ?? MODEL, endpoint, price, tells, masks }
  return {
    ...port,
    async *ask(request) {
      try {
        const stream = await client.responses.create({ ...body(request), model: port.model, stream: true }, { signal: request.signal })
        yield* read(stream)
      } catch (error) {
        throw answerError(error, request.signal)
      }
    },
  }
}

function body({ system, messages, tools, maxOutputTokens }: ModelRequest): Omit<OpenAI.Responses.ResponseCreateParams, 'model' | 'stream'> {
  return {
    instructions: system,
    input: messages.flatMap(itemsOf),
    tools: tools.map(({ name, description, input }) => ({
      ...{ type: 'function' as const, name, description, strict: false },
      parameters: { ...input },
    })),
    max_output_tokens: maxOutputTokens,
    store: false,
    // What it thought goes back to it unread: without storing, it could not know otherwise.
    include: ['reasoning.encrypted_content'],
  }
}

function itemsOf(message: ModelMessage): InputItem[] {
  if (message.role === 'user') return [{ role: 'user', content: message.text }]
  if (message.role === 'results')
    return message.results.map(({ call, text }) => ({ type: 'function_call_output', call_id: call, output: text }))
  if (message.raw?.provider === PROVIDER && Array.isArray(message.raw.items)) return message.raw.items
  const said: InputItem[] = message.text.trim() === '' ? [] : [{ role: 'assistant', content: message.text }]
  const calls = message.calls.map(
    ({ id, name, input }): InputItem => ({
      ...{ type: 'function_call', call_id: id, name },
      arguments: JSON.stringify(input ?? {}),
    }),
  )
  return [...said, ...calls]
}

async function* read(stream: AsyncIterable<StreamEvent>): AsyncGenerator<ModelEvent> {
  const calls: OpenAI.Responses.ResponseFunctionToolCall[] = []
  let response: OpenAI.Responses.Response | null = null
  let length = 0
  for await (const event of stream) {
    if ('delta' in event && typeof event.delta === 'string') length += event.delta.length
    if (length > MAX_ANSWER) throw tooLong()
    if (event.type === 'response.output_text.delta') yield { type: 'text', text: event.delta }
    else if (event.type === 'response.output_item.done' && event.item.type === 'function_call') {
      const { call_id: id, name, arguments: input } = event.item
      calls.push(event.item)
      yield { type: 'call', call: { id, name, input: parseInput(input) } }
    } else if (event.type === 'response.completed' || event.type === 'response.incomplete') response = event.response
    else if (event.type === 'response.failed' || event.type === 'error') throw declined(event)
  }
  if (response === null) throw brokenOff()
  const usage = { input: response.usage?.input_tokens ?? 0, output: response.usage?.output_tokens ?? 0 }
  yield { type: 'end', reason: endOf(response, calls.length > 0), usage, raw: { provider: PROVIDER, items: response.output } }
}

function endOf(response: OpenAI.Responses.Response, hasCalls: boolean): Extract<ModelEvent, { type: 'end' }>['reason'] {
  if (response.status === 'incomplete') return response.incomplete_details?.reason === 'content_filter' ? 'refused' : 'length'
  const refuses = response.output.some((item) => item.type === 'message' && item.content.some(({ type }) => type === 'refusal'))
  if (refuses) return 'refused'
  return hasCalls ? 'calls' : 'done'
}
