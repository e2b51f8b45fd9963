import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CallService, createCallService, readJson } from './call-service.ts'
import { createRequestMetrics } from './request-metrics.ts'
import { openSupervisorLink, type SupervisorLink } from './supervisor-link.ts'
import { traceIdOf } from './trace-context.ts'

/** A retired instance goes on serving for this long: a caller may have chosen it just before it was told of its successor. */
const DRAIN_MS = 100
const STOP_WITHIN_MS = 1_000
const REQUEST_TIMEOUT_MS = 5_000
const MAX_CONNECTIONS = 200

export interface Reply {
  status: number
  body: object
}

/** What a route gets: the request's body and trace, and the way to other services. */
export interface RouteContext {
  body: unknown
  traceId: string
  call(service: string, path: string, body?: object): Promise<{ status: number; body: unknown }>
  log: ShopLog
}

export type Route = (context: RouteContext) => Promise<Reply> | Reply
export type Routes = Record<string, Route>

/** Writes one JSON line to standard output. */
export type ShopLog = (level: 'info' | 'warn' | 'error', message: string, fields?: object) => void

/** A failure that a route expects, with the status it is answered with. */
export class RouteError extends Error {
  override readonly name = 'RouteError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface RunningService {
  link: SupervisorLink
  call: CallService
  log: ShopLog
  /** A number of its own that is read at each scrape. */
  gauge(name: string, read: () => number): void
}

/**
 * Runs one service: its routes, `/healthz` and `/metrics` on a free loopback port, one log line a request, and an orderly end.
 * A route's key is method and path: 'POST /charges'.
 */
export function runService(makeRoutes: (running: RunningService) => Routes): RunningService {
  const link = openSupervisorLink()
  const log = createShopLog(link)
  const metrics = createRequestMetrics(link.settings.heapLimitBytes)
  const running = { link, call: createCallService(link, metrics.observeCall), log, gauge: metrics.gauge }
  const routes = makeRoutes(running)
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, async (request, response) => {
    if (request.url === '/metrics') return answer(response, 200, metrics.render(), 'text/plain; version=0.0.4')
    if (request.url === '/healthz') return answer(response, 200, '{"ok":true}')
    const began = performance.now()
    const traceId = traceIdOf(String(request.headers['traceparent'] ?? ''))
    const name = `${request.method} ${request.url}`
    const reply = await serve(routes[name], request, traceId, running)
    const seconds = (performance.now() - began) / 1000
    metrics.observe(reply.status, seconds)
    log('info', `${name} ${reply.status}`, { traceId, status: reply.status, ms: Math.round(seconds * 1000) })
    answer(response, reply.status, JSON.stringify(reply.body))
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(0, '127.0.0.1', () => link.ready((server.address() as AddressInfo).port))
  link.onStop(() => {
    setTimeout(() => server.close(() => process.exit(0)), DRAIN_MS)
    setTimeout(() => process.exit(0), STOP_WITHIN_MS)
  })
  return running
}

/** The error handler of the service: whatever a route throws becomes an error line and a status. */
async function serve(route: Route | undefined, request: IncomingMessage, traceId: string, running: RunningService): Promise<Reply> {
  if (!route) return { status: 404, body: { error: 'no such route' } }
  const call: RouteContext['call'] = (service, path, body) => running.call({ service, path, traceId, ...(body ? { body } : {}) })
  try {
    return await route({ body: await readJson(request), traceId, call, log: running.log })
  } catch (error) {
    const status = error instanceof RouteError ? error.status : 500
    const text = error instanceof Error ? `${error.name === 'RouteError' ? '' : `${error.name}: `}${error.message}` : String(error)
    running.log('error', `${request.method} ${request.url} failed: ${text}`, { traceId, status })
    return { status, body: { error: text } }
  }
}

function answer(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body)
}

function createShopLog({ settings }: SupervisorLink): ShopLog {
  const { service, version, instance } = settings
  return (level, message, fields = {}) => {
    const time = new Date().toISOString()
    process.stdout.write(`${JSON.stringify({ time, level, service, version, instance, message, ...fields })}\n`)
  }
}
