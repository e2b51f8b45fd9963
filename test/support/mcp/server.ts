import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createMcpHandler,
  isInitializeRequest,
  Server,
  type ServerContext,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'

/** A tool as the server describes and answers it. */
export interface ServedTool {
  name: string
  description?: string
  inputSchema?: object
  outputSchema?: object
  annotations?: object
  answer?: (input: Record<string, unknown>, context: ServerContext, server: Server) => object | Promise<object>
}

/** What the server does instead of an answer, to requests of this method. */
export type Trouble = { method: string } & (
  | { does: 'status'; status: number; location?: string }
  /** Accepts, and says nothing more. */
  | { does: 'silence' }
  /** Begins an answer and hangs up. */
  | { does: 'cut' }
  | { does: 'body'; type: string; body: string }
)

export interface McpTestServer {
  url: string
  /** What it offers from now on. */
  tools: ServedTool[]
  trouble: Trouble | null
  /** Calls of tools that it was asked for, in order. */
  calls: { name: string; input: Record<string, unknown> }[]
  /** Everything that came, as it came. */
  seen: { http: string; method: string | null; authorization: string | null; body: string }[]
  /** Sessions that were begun and not ended. */
  sessions(): number
  close(): Promise<void>
}

export const READ_ONLY = { readOnlyHint: true, openWorldHint: false }

/** A tool that answers with one text. */
export function readingTool(said: Partial<ServedTool> & { text?: string } = {}): ServedTool {
  const { text = 'TCK-7 says that payments has no disk left on node-4.', ...rest } = said
  return {
    name: 'search_tickets',
    description: 'Searches tickets by words.',
    inputSchema: { type: 'object', properties: { words: { type: 'string', maxLength: 100 } }, required: ['words'] },
    annotations: READ_ONLY,
    answer: () => ({ content: [{ type: 'text', text }] }),
    ...rest,
  }
}

/** A real MCP server on loopback: of the revision of 2026, or of 2025 with sessions, as most servers still are. */
export async function startMcpServer(tools: ServedTool[], era: '2026' | '2025' = '2026'): Promise<McpTestServer> {
  const state: Pick<McpTestServer, 'tools' | 'trouble' | 'calls' | 'seen'> = { tools, trouble: null, calls: [], seen: [] }
  const serving = era === '2025' ? sessionful(state) : { ...createMcpHandler(() => speaker(state), { keepAliveMs: 0 }), open: new Map() }
  const server = createServer((request, response) => {
    handle(state, serving.fetch, request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return Object.assign(state, {
    url,
    sessions: () => serving.open.size,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

type Fetch = (request: Request) => Promise<Response>
type State = Pick<McpTestServer, 'tools' | 'trouble' | 'calls' | 'seen'>

function speaker(state: State): Server {
  const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  server.setRequestHandler('tools/list', () => ({
    tools: state.tools.map(({ answer: _, inputSchema = { type: 'object' }, ...rest }) => ({ ...rest, inputSchema })) as never,
  }))
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const input = params.arguments ?? {}
    state.calls.push({ name: params.name, input })
    const tool = state.tools.find(({ name }) => name === params.name)
    return (await (tool?.answer?.(input, context, server) ?? { content: [] })) as never
  })
  return server
}

/** A server of 2025: a session for each client that says hello, until it says goodbye. */
function sessionful(state: State): { fetch: Fetch; open: Map<string, WebStandardStreamableHTTPServerTransport> } {
  const open = new Map<string, WebStandardStreamableHTTPServerTransport>()
  return {
    open,
    async fetch(request) {
      const known = open.get(request.headers.get('mcp-session-id') ?? '')
      if (known) return await known.handleRequest(request)
      const body: unknown = request.method === 'POST' ? await request.clone().json() : null
      if (!isInitializeRequest(body)) return new Response('Bad Request: no session', { status: 400 })
      const transport = new WebStandardStreamableHTTPServerTransport({
        ...{ sessionIdGenerator: randomUUID, keepAliveMs: 0 },
        onsessioninitialized: (id) => void open.set(id, transport),
        onsessionclosed: (id) => void open.delete(id),
      })
      await speaker(state).connect(transport)
      return await transport.handleRequest(request)
    },
  }
}

async function handle(state: State, serve: Fetch, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString('utf8')
  const method = body === '' ? null : ((JSON.parse(body) as { method?: string }).method ?? null)
  const http = request.method ?? 'GET'
  state.seen.push({ http, method, authorization: request.headers.authorization ?? null, body })
  if (state.trouble !== null && state.trouble.method === method) return makeTrouble(state.trouble, response)
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  )
  const answer = await serve(new Request(`http://127.0.0.1${request.url}`, { method: http, headers, ...(body === '' ? {} : { body }) }))
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  for await (const chunk of answer.body ?? []) response.write(chunk)
  response.end()
}

function makeTrouble(trouble: Trouble, response: ServerResponse): void {
  if (trouble.does === 'status')
    response.writeHead(trouble.status, trouble.location === undefined ? {} : { location: trouble.location }).end('no')
  else if (trouble.does === 'body') response.writeHead(200, { 'content-type': trouble.type }).end(trouble.body)
  else if (trouble.does === 'cut') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('event: message\ndata: {"jsonrpc":', () => response.destroy())
  }
}
