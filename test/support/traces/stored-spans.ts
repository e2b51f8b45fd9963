import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One span as a test writes it. Ids are short words here; servers make proper ones of them. */
export interface StoredSpan {
  trace: string
  id: string
  parent?: string
  service: string
  operation?: string
  startMs: number
  ms: number
  failure?: string
  /** SERVER unless given. */
  kind?: 'PRODUCER' | 'CONSUMER'
  /** Attributes of what sent it. */
  resource?: Readonly<Record<string, string>>
}

/** What a server of traces does instead of answering well. */
export type Behaviour = 'well' | 'down' | 'silent' | 'garbage' | 'foreign' | 'redirects' | 'forbids' | 'endless'

export interface TraceServer {
  url: string
  spans: StoredSpan[]
  /** Every question so far. */
  asked: URL[]
  behave(how: Behaviour): void
  /** A question in which this stands ends in a fault. */
  failFor(text: string): void
  stop(): void
}

export function hexId(word: string, digits: 16 | 32): string {
  return Buffer.from(word).toString('hex').padStart(digits, '0').slice(-digits)
}

/** A server on loopback that answers by `answer`, unless it is told to do something else. */
export async function serveTraces(
  answer: (url: URL, spans: readonly StoredSpan[]) => { status: number; body: unknown },
): Promise<TraceServer> {
  const [spans, asked]: [StoredSpan[], URL[]] = [[], []]
  let behaviour: Behaviour = 'well'
  let failing: string | null = null
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    asked.push(url)
    if (behaviour !== 'well') return misbehave(behaviour, request, response)
    if (failing !== null && url.search.includes(failing)) return response.writeHead(500).end('out of memory')
    const { status, body } = answer(url, spans)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    asked,
    behave: (how) => {
      behaviour = how
    },
    failFor: (text) => {
      failing = text
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function misbehave(how: Exclude<Behaviour, 'well'>, request: IncomingMessage, response: ServerResponse): void {
  if (how === 'silent') return
  if (how === 'down') request.socket.destroy()
  else if (how === 'garbage') response.end('<html>not what you asked for</html>')
  else if (how === 'foreign') response.end(JSON.stringify({ result: 'all well', trace: 7, traces: 'none', services: {}, tagValues: 1 }))
  else if (how === 'redirects') response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end()
  else if (how === 'forbids') response.writeHead(403).end('tenant not allowed')
  else response.end(`{"result":"${'x'.repeat(17 * 1024 * 1024)}"}`)
}

/** Groups spans by what sent them, as OTLP does. */
export function resourcesOf(spans: readonly StoredSpan[]): { service: string; resource: Record<string, string>; spans: StoredSpan[] }[] {
  const groups = Map.groupBy(spans, ({ service, resource = {} }) => JSON.stringify([service, resource]))
  return [...groups.values()].map((own) => ({ service: own[0]?.service ?? '', resource: { ...own[0]?.resource }, spans: own }))
}

export function nanosecondsOf(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n)
}
