import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ANTHROPIC_PATH, anthropicError, anthropicStreamError, readAnthropic, writeAnthropic } from './anthropic-wire.ts'
import { OPENAI_PATH, openAiError, openAiStreamError, readOpenAi, writeOpenAi } from './openai-wire.ts'
import { type Reply, type SeenRequest, type Trouble, type Turn, wordsOf } from './seen-request.ts'

/** One expected request and what is answered. */
export interface Step {
  /** Checked before it answers; throws when the request is not the expected one. */
  expect?: (request: SeenRequest) => void
  /** Which protocol has to be used for it; either when it is not said. */
  protocol?: SeenRequest['protocol']
  say: Turn | ((request: SeenRequest) => Turn)
}

/** A model that makes up each turn from what it is sent. */
export type Player = (request: SeenRequest, turn: number) => Turn

export interface ScriptedModel {
  anthropicUrl: string
  openAiUrl: string
  /** Everything it was asked, in order, also what it did not expect. */
  requests: SeenRequest[]
  /** What was unexpected, or not used, in words; a test ends with expecting none. */
  problems(): string[]
  close(): Promise<void>
}

/** An answer that goes on without end stops growing here, in case nobody hangs up. */
const MAX_ENDLESS = 20_000_000

/** A model server on loopback that speaks both providers' protocols and plays a script, or whatever a player makes up. */
export async function startScriptedModel(script: readonly Step[] | Player): Promise<ScriptedModel> {
  const requests: SeenRequest[] = []
  const problems: string[] = []
  let used = 0

  const turnFor = (request: SeenRequest): Turn => {
    if (typeof script === 'function') return script(request, requests.length)
    const step = script[used]
    if (!step) throw new Error(`a request nobody expected, number ${requests.length}: …${wordsOf(request).slice(-200)}`)
    used += 1
    if (step.protocol !== undefined && step.protocol !== request.protocol)
      throw new Error(`request ${used} came by ${request.protocol}, not ${step.protocol}`)
    step.expect?.(request)
    return typeof step.say === 'function' ? step.say(request) : step.say
  }

  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(message)
    const isAnthropic = message.url === ANTHROPIC_PATH
    if (message.method !== 'POST' || (!isAnthropic && message.url !== OPENAI_PATH)) throw new Error(`${message.method} ${message.url}`)
    const request = isAnthropic ? readAnthropic(body, message.headers) : readOpenAi(body, message.headers)
    requests.push(request)
    const turn = turnFor(request)
    if ('trouble' in turn) return await makeTrouble(turn, request, response)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const events = isAnthropic ? writeAnthropic(request, turn, requests.length) : writeOpenAi(request, turn, requests.length)
    for (const event of events) response.write(event)
    response.end()
  }

  const server = createServer((message, response) => {
    answer(message, response).catch((error: unknown) => {
      problems.push(error instanceof Error ? error.message : String(error))
      response.writeHead(400, { 'content-type': 'application/json' }).end(anthropicError(400))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    anthropicUrl: url,
    openAiUrl: `${url}/v1`,
    requests,
    problems: () => [
      ...problems,
      ...(typeof script === 'function' || used === script.length ? [] : [`${script.length - used} steps of the script were not used`]),
    ],
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The longest beginning of an answer that is not yet an answer. */
const BEGINNING: Reply = { text: 'I will look at the metrics and then' }

async function makeTrouble(turn: Trouble, request: SeenRequest, response: ServerResponse): Promise<void> {
  const isAnthropic = request.protocol === 'anthropic'
  if (turn.trouble === 'status') {
    const wait = turn.retryAfter === undefined ? {} : { 'retry-after': String(turn.retryAfter) }
    response.writeHead(turn.status, { 'content-type': 'application/json', ...wait })
    response.end(isAnthropic ? anthropicError(turn.status) : openAiError(turn.status))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (turn.trouble === 'garbage') {
    response.end('event: message_start\ndata: {"type":"message_start"\n\n\u0000\u0001 not json at all\n\n')
    return
  }
  const begun = [...(isAnthropic ? writeAnthropic(request, BEGINNING, 0) : writeOpenAi(request, BEGINNING, 0))].slice(0, 4)
  for (const event of begun) response.write(event)
  if (turn.trouble === 'cut') response.end()
  if (turn.trouble === 'fails-in-stream') response.end(isAnthropic ? anthropicStreamError() : openAiStreamError())
  if (turn.trouble === 'endless') {
    const more = begun.at(-1)?.includes('delta') ? begun.at(-1) : [...begun].reverse().find((event) => event.includes('delta'))
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    for (let sent = 0; sent < MAX_ENDLESS && !response.destroyed; sent += more?.length ?? MAX_ENDLESS)
      if (!response.write(more ?? '')) await Promise.race([new Promise<void>((resolve) => response.once('drain', resolve)), closed])
    response.end()
  }
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
