import { afterEach, describe, expect, it } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { createAnthropicModel } from '../../../integrations/anthropic/index.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import { createOpenAiModel } from '../../../integrations/openai/index.ts'
import type { ModelEvent, ModelMessage, ModelPort, ModelTool } from '../../../integrations/ports/model.ts'
import { type ScriptedModel, type Step, startScriptedModel } from '../../support/model/scripted-model.ts'
import type { Trouble } from '../../support/model/seen-request.ts'

const KEY = 'key-for-tests'
const TOOL: ModelTool = {
  name: 'read_metrics',
  description: 'Reads metrics.',
  input: { type: 'object', properties: { service: { type: 'string' } }, required: ['service'], additionalProperties: false },
}
const QUESTION: ModelMessage = { role: 'user', text: 'Why does payments fail?' }

let server: ScriptedModel | null = null
afterEach(async () => {
  await server?.close()
  server = null
})

const PROVIDERS = {
  anthropic: (started: ScriptedModel, model: string | null = null) =>
    createAnthropicModel({ apiKey: KEY, baseUrl: started.anthropicUrl, model, price: null, tells: DATA_KINDS, masks: [] }),
  openai: (started: ScriptedModel, model: string | null = null) =>
    createOpenAiModel({ apiKey: KEY, baseUrl: started.openAiUrl, model, price: null, tells: DATA_KINDS, masks: [] }),
} as const

/** The same for both: what the loop relies on must not depend on whose model it is. */
describe.each(Object.entries(PROVIDERS))('a model of %s', (provider, create) => {
  const start = async (script: readonly Step[]): Promise<{ model: ModelPort; server: ScriptedModel }> => {
    server = await startScriptedModel(script)
    return { model: create(server), server }
  }
  const ask = async (model: ModelPort, messages: readonly ModelMessage[] = [QUESTION], signal = new AbortController().signal) =>
    await collect(model.ask({ system: 'You look, and never act.', messages, tools: [TOOL], maxOutputTokens: 500, signal }))

  it('streams words and calls, with what they cost', async () => {
    const said = { text: 'I will look at its metrics.', calls: [{ name: 'read_metrics', input: { service: 'payments' } }] }
    const { model, server } = await start([{ say: { ...said, usage: { input: 120, output: 30 } } }])
    const events = await ask(model)
    const text = events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')
    expect(text).toBe(said.text)
    expect(events.flatMap((event) => (event.type === 'call' ? [event.call] : []))).toEqual([
      { id: expect.any(String), name: 'read_metrics', input: { service: 'payments' } },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'calls', usage: { input: 120, output: 30 } })
    expect(server.requests).toMatchObject([
      { protocol: provider, system: 'You look, and never act.', tools: ['read_metrics'], maxOutputTokens: 500, key: KEY },
    ])
    expect(server.problems()).toEqual([])
  })

  it('sends the key as it is at each question, where that may be exchanged', async () => {
    server = await startScriptedModel([{ say: { text: 'One.' } }, { say: { text: 'Two.' } }])
    const keys = ['first', 'second']
    const asked = { apiKey: async () => keys.shift() ?? '', model: null, price: null, tells: DATA_KINDS, masks: [] }
    const model =
      provider === 'anthropic'
        ? createAnthropicModel({ ...asked, baseUrl: server.anthropicUrl })
        : createOpenAiModel({ ...asked, baseUrl: server.openAiUrl })
    await ask(model)
    await ask(model)
    expect(server.requests.map(({ key }) => key)).toEqual(['first', 'second'])
  })

  it('takes a conversation up again from words alone, and from its own turn', async () => {
    const { model, server } = await start([
      { say: { text: 'Looking.', calls: [{ name: 'read_metrics', input: { service: 'payments' } }] } },
      { say: { text: 'It fails.' } },
      { say: { text: 'It still fails.' } },
    ])
    const first = await ask(model)
    const calls = first.flatMap((event) => (event.type === 'call' ? [event.call] : []))
    const end = first.at(-1)
    const results: ModelMessage = { role: 'results', results: [{ call: calls[0]?.id ?? '', text: 'E1: 61.5 %', failed: false }] }
    const raw = end?.type === 'end' ? end.raw : null
    expect((await ask(model, [QUESTION, { role: 'model', text: 'Looking.', calls, raw }, results])).at(-1)).toMatchObject({
      reason: 'done',
    })
    await ask(model, [QUESTION, { role: 'model', text: 'Looking.', calls, raw: { provider: 'another', items: [] } }, results])
    for (const { messages } of server.requests.slice(1))
      expect(messages).toMatchObject([
        { role: 'user' },
        { role: 'model', text: 'Looking.', calls: [{ name: 'read_metrics', input: { service: 'payments' } }] },
        { role: 'results', results: [{ name: 'read_metrics', text: 'E1: 61.5 %' }] },
      ])
    expect(server.problems()).toEqual([])
  })

  it('says when it was cut off, refuses, or calls with something that is no JSON', async () => {
    const { model } = await start([
      { say: { text: 'It', end: 'length' } },
      { say: { text: 'No.', end: 'refused' } },
      { say: { calls: [{ name: 'read_metrics', input: '{"service": "pay' }] } },
    ])
    expect((await ask(model)).at(-1)).toMatchObject({ reason: 'length' })
    expect((await ask(model)).at(-1)).toMatchObject({ reason: 'refused' })
    expect(await ask(model)).toContainEqual({ type: 'call', call: expect.objectContaining({ input: undefined }) })
  })

  it('tries once more when it is told to, and then answers', async () => {
    const { model, server } = await start([{ say: { trouble: 'status', status: 429, retryAfter: 0 } }, { say: { text: 'It fails.' } }])
    expect((await ask(model)).at(-1)).toMatchObject({ type: 'end', reason: 'done' })
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, Trouble, string]>([
    ['a key that is not accepted', { trouble: 'status', status: 401 }, 'auth'],
    ['a model it may not use', { trouble: 'status', status: 403 }, 'permission'],
    ['an address that is none', { trouble: 'status', status: 404 }, 'not_found'],
    ['a request it does not understand', { trouble: 'status', status: 400 }, 'invalid_response'],
    ['an answer that breaks off', { trouble: 'cut' }, 'invalid_response'],
    ['an answer that is none', { trouble: 'garbage' }, 'invalid_response'],
    ['an answer without end', { trouble: 'endless' }, 'invalid_response'],
    ['an error in the middle', { trouble: 'fails-in-stream' }, 'unavailable'],
  ])('tells %s apart', async (_what, trouble, code) => {
    const { model } = await start([{ say: trouble }])
    await expect(ask(model)).rejects.toMatchObject({ name: 'IntegrationError', code, integration: provider })
  })

  it.each([
    [429, 'rate_limited'],
    [529, 'unavailable'],
    [500, 'unavailable'],
  ])('gives up after the second %i', async (status, code) => {
    const trouble = { say: { trouble: 'status' as const, status, retryAfter: 0 } }
    const { model, server } = await start([trouble, trouble])
    const failure = await ask(model).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code })
    expect(failure instanceof IntegrationError && failure.message).not.toContain('status ')
    expect(server.problems()).toEqual([])
  })

  it('stops when it is told to, before an answer and in the middle of one', async () => {
    const { model } = await start([{ say: { trouble: 'silent' } }, { say: { trouble: 'silent' } }])
    await expect(ask(model, [QUESTION], AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' })
    const stop = new AbortController()
    const turn = model.ask({ system: 's', messages: [QUESTION], tools: [], maxOutputTokens: 100, signal: stop.signal })
    const read = async () => {
      for await (const event of turn) if (event.type === 'text') stop.abort()
    }
    await expect(read()).rejects.toMatchObject({ code: 'timeout' })
  })

  it('cannot be reached, and says so', async () => {
    const { model, server } = await start([])
    await server.close()
    await expect(ask(model)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is asked by the name in the settings', async () => {
    server = await startScriptedModel([{ say: { text: 'Yes.' } }])
    const model = create(server, 'house-model-7')
    await ask(model)
    expect([model.model, server.requests[0]?.model]).toEqual(['house-model-7', 'house-model-7'])
  })
})

it('lets the provider store nothing, and gives it back what it thought', async () => {
  server = await startScriptedModel([{ say: { text: 'One.' } }, { say: { text: 'Two.' } }])
  const model = PROVIDERS.openai(server)
  const ask = async (messages: readonly ModelMessage[]) =>
    await collect(model.ask({ system: 's', messages, tools: [], maxOutputTokens: 100, signal: new AbortController().signal }))
  const end = (await ask([QUESTION])).at(-1)
  await ask([
    QUESTION,
    { role: 'model', text: 'One.', calls: [], raw: end?.type === 'end' ? end.raw : null },
    { role: 'user', text: 'And?' },
  ])
  expect(server.requests.map(({ store }) => store)).toEqual([false, false])
  expect(server.requests[1]?.body).toContain('sealed-1')
  expect(server.problems()).toEqual([])
})

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}
