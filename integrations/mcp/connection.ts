import { Client, type RequestOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { IntegrationError, type IntegrationFault } from '../errors.ts'
import { faultOf, refusalOf } from '../http.ts'

/** One server: its own address, and no other. */
export interface McpServer {
  name: string
  url: string
  /** Sent to that address alone; never in an error or a log. */
  token: string | null
  /** For everything that is done in one connection. */
  timeoutMs: number
}

const MOST_BYTES = 1_048_576
const MOST_PAGES = 10
const GOODBYE_MS = 1_000
const MAY_BE_ANSWERS = /^(application\/json|text\/event-stream)\b/i

/**
 * Connects, does one thing and hangs up: nothing is kept open between two uses, so nothing that a server says in between is heard. The server is told of
 * no capability, so it can ask for no model, no files and no input of a person; what it says of the form of its own answers is not run.
 *
 * @throws IntegrationError
 */
export async function connected<T>(
  server: McpServer,
  signal: AbortSignal,
  use: (client: Client, options: RequestOptions) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(server.timeoutMs)])
  const wire = createWire(server, deadline)
  const transport = new StreamableHTTPClientTransport(new URL(server.url), { fetch: wire.fetch })
  const client = new Client(
    { name: 'steadyhand', version: '1' },
    {
      capabilities: {},
      versionNegotiation: { mode: 'auto' },
      inputRequired: { autoFulfill: false },
      listMaxPages: MOST_PAGES,
      jsonSchemaValidator: { getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }) },
    },
  )
  const options: RequestOptions = { signal: deadline, timeout: server.timeoutMs, maxTotalTimeout: server.timeoutMs }
  try {
    const asked = async (): Promise<T> => {
      await client.connect(transport, options)
      return await use(client, options)
    }
    return await Promise.race([asked(), wire.broken, whenAborted(deadline)])
  } catch (error) {
    if (error instanceof IntegrationError) throw error
    throw wire.fault() ?? (deadline.aborted ? faultOf(integration(server), error, true) : misunderstood(server, error))
  } finally {
    // A server that keeps sessions is told that this one is over; what it answers changes nothing.
    await transport.terminateSession().catch(() => {})
    await client.close()
  }
}

interface Wire {
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  /** Rejects as soon as an answer breaks off. */
  broken: Promise<never>
  /** What was wrong with the last answer; null where it was one. */
  fault(): IntegrationError | null
}

/** What is sent and read: to the one address, within the bounds, and no redirect is followed. */
function createWire(server: McpServer, deadline: AbortSignal): Wire {
  const address = new URL(server.url).href
  const from = integration(server)
  let fault: IntegrationError | null = null
  const failed = (code: IntegrationFault, words: string): IntegrationError => {
    fault = new IntegrationError(from.integration, code, words)
    return fault
  }
  let breakOff: (error: IntegrationError) => void = () => {}
  const broken = new Promise<never>((_, reject) => {
    breakOff = reject
  })
  /** A part of an answer that never ends well is told at once: nobody waits for the rest of it. */
  async function* bounded(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0
    try {
      for await (const chunk of body) {
        bytes += chunk.byteLength
        if (bytes > MOST_BYTES) throw failed('invalid_response', `the answer has more than ${MOST_BYTES / 1_024} KiB`)
        yield chunk
      }
    } catch (error) {
      fault = error instanceof IntegrationError ? error : faultOf(from, error, deadline.aborted)
      breakOff(fault)
      throw fault
    }
  }
  return {
    broken,
    fault: () => fault,
    async fetch(url, init = {}) {
      if (String(url) !== address) throw failed('refused', 'only its own address is asked')
      // Nobody listens to what a server says unasked.
      if (init.method === 'GET') return new Response(null, { status: 405 })
      const headers = new Headers(init.headers)
      if (server.token !== null) headers.set('authorization', `Bearer ${server.token}`)
      const until = init.method === 'DELETE' ? AbortSignal.timeout(GOODBYE_MS) : deadline
      const signal = init.signal ? AbortSignal.any([init.signal, until]) : until
      const response = await fetch(address, { ...init, headers, redirect: 'error', signal }).catch((error: unknown) => {
        fault = faultOf(from, error, deadline.aborted)
        throw fault
      })
      const body = response.body && ReadableStream.from(bounded(response.body))
      const isAnswer = response.status !== 200 || MAY_BE_ANSWERS.test(response.headers.get('content-type') ?? '')
      if (!response.ok) fault = refusalOf(from, response, '')
      else if (isAnswer) fault = null
      else failed('invalid_response', 'what is at this address does not speak MCP')
      return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers })
    },
  }
}

/** An answer of the server that is none, by the words of its own fault where it has some. */
function misunderstood(server: McpServer, error: unknown): IntegrationError {
  const said = error instanceof Error && error.name !== 'ZodError' ? error.message : 'the answer is not of the documented shape'
  return new IntegrationError(integration(server).integration, 'invalid_response', said.replace(/\s+/g, ' ').slice(0, 200), {
    cause: error,
  })
}

export function integration({ name }: Pick<McpServer, 'name'>): { integration: string } {
  return { integration: `mcp/${name}` }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
