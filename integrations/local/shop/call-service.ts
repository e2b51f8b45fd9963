import { Agent, type IncomingMessage, request } from 'node:http'
import type { SupervisorLink } from './supervisor-link.ts'
import { traceparentFor } from './trace-context.ts'

const TIMEOUT_MS = 2_000
const MAX_ANSWER_BYTES = 64 * 1024
/** What a call that got no answer counts as. */
const NO_ANSWER = 504

export interface Answer {
  status: number
  body: unknown
}

/** One request to a service of the shop, at its next instance in turn. Rejects when no instance could be reached or the time is over. */
export type CallService = (call: { service: string; path: string; body?: object; traceId: string }) => Promise<Answer>

/** `observeOutside` hears of every call to a party outside the shop: the caller is the only one who can tell how that party does. */
export function createCallService(
  link: SupervisorLink,
  observeOutside: (party: string, status: number, seconds: number) => void,
): CallService {
  const callService = createCaller(link)
  return async (call) => {
    if (!link.settings.callsOutside.includes(call.service)) return callService(call)
    const began = performance.now()
    let status = NO_ANSWER
    try {
      const answer = await callService(call)
      status = answer.status
      return answer
    } finally {
      observeOutside(call.service, status, (performance.now() - began) / 1_000)
    }
  }
}

function createCaller(link: SupervisorLink): CallService {
  // A connection each: one kept open would end up at an instance that is being replaced.
  const agent = new Agent({ keepAlive: false })
  let turn = 0
  return async (call) => {
    const ports = link.portsOf(call.service)
    const port = ports[turn++ % ports.length]
    if (port === undefined) throw new Error(`no instance of ${call.service} is ready`)
    try {
      return await callOnce(agent, port, call)
    } catch (error) {
      // An instance that was retired a moment ago refuses the connection: nothing was done there, another one can be asked.
      const next = link.portsOf(call.service)[turn++ % Math.max(1, link.portsOf(call.service).length)]
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || next === undefined) throw error
      return callOnce(agent, next, call)
    }
  }
}

function callOnce(agent: Agent, port: number, call: Parameters<CallService>[0]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const payload = call.body ? JSON.stringify(call.body) : undefined
    const outgoing = request({
      agent,
      host: '127.0.0.1',
      port,
      path: call.path,
      method: payload ? 'POST' : 'GET',
      headers: { traceparent: traceparentFor(call.traceId), ...(payload ? { 'content-type': 'application/json' } : {}) },
      timeout: TIMEOUT_MS,
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${call.service} did not answer within ${TIMEOUT_MS / 1000} s`)))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => readAnswer(response).then(resolve, reject))
    outgoing.end(payload)
  })
}

/** Reads a JSON body of a bounded size; used for answers and requests alike. */
export async function readJson(message: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of message.setEncoding('utf8')) {
    text += chunk
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the body is too large')
  }
  return text === '' ? null : JSON.parse(text)
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  return { status: response.statusCode ?? 0, body: await readJson(response) }
}
