import { Agent, request } from 'node:http'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { Behaviour } from './cloud.ts'
import type { Call, State } from './ledger.ts'

/** What an action may do: look, and call. */
export interface CloudClient {
  read(kind: string, name: string, signal?: AbortSignal): Promise<State>
  /** The status of the answer. @throws IntegrationError when none came */
  call(call: Call, signal: AbortSignal): Promise<{ status: number; words: string }>
}

/** What only the harness may do. */
export interface CloudControl {
  expect(kind: string, name: string, behaviours: readonly Behaviour[]): Promise<void>
  setClock(offset: number): Promise<void>
  /** Calls that arrived and have not been dealt with. */
  underWay(): Promise<number>
}

export function createCloudClient(url: string): CloudClient & CloudControl {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const ask = async (path: string, body?: unknown, signal?: AbortSignal): Promise<{ status: number; body: unknown }> =>
    await exchange({ url: `${url}${path}`, agent, body, signal })
  return {
    async read(kind, name, signal) {
      const { body } = await ask(`/state?${new URLSearchParams({ kind, name })}`, undefined, signal)
      return body as State
    },
    async call(call, signal) {
      const { status, body } = await ask('/call', call, signal)
      return { status, words: (body as { words: string }).words }
    },
    expect: async (kind, name, behaviours) => void (await ask('/expect', { kind, name, behaviours })),
    setClock: async (offset) => void (await ask('/clock', { offset })),
    underWay: async () => ((await ask('/under-way')).body as { calls: number }).calls,
  }
}

interface Exchange {
  url: string
  agent: Agent
  body: unknown
  signal: AbortSignal | undefined
}

async function exchange({ url, agent, body, signal }: Exchange): Promise<{ status: number; body: unknown }> {
  return await new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new IntegrationError('fake-cloud', 'unavailable', error.message, { cause: error }))
    const sent = request(url, { agent, method: body === undefined ? 'GET' : 'POST', ...(signal ? { signal } : {}) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('error', fail).once('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
    })
    sent.once('error', fail).end(body === undefined ? undefined : JSON.stringify(body))
  })
}
