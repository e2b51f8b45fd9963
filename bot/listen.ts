import type { Server } from 'node:http'
import { type AddressInfo, createServer, type Server as SocketServer } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'

/** A sender that takes longer than this for its headers, or for its whole request, is not one of ours. */
const RECEIVE_MS = 5_000
const KEEP_ALIVE_MS = 15_000
const MAX_HEADER_BYTES = 16 * 1024
const MOST_CONNECTIONS = 2_000
/** How long requests under way may take once the server is told to stop. */
const GRACE_MS = 3_000
const SWEEP_MS = 20

export interface Listening {
  port: number
  /** http://HOST:PORT, as this machine reaches it. */
  url: string
  /** Takes no more connections, lets requests under way end, then closes what is left. */
  close(): Promise<void>
}

/** The port cannot be used; the message says why and what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

/** @throws CannotListen */
export async function listen(options: {
  fetch: (request: Request, env: unknown) => Promise<Response>
  host: string
  port: number
  /** The variable that chose the port, for the words of a failure. */
  setting?: 'PORT' | 'HEALTH_PORT'
}): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: options.fetch,
    serverOptions: {
      headersTimeout: RECEIVE_MS,
      requestTimeout: RECEIVE_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
  }) as Server
  server.maxConnections = MOST_CONNECTIONS
  await bind(server, options)
  const { port } = server.address() as AddressInfo
  return { port, url: `http://${reachable(options.host)}:${port}`, close: () => close(server) }
}

/** Told before anything else is begun; whoever takes the port in between is met by `listen`. @throws CannotListen */
export async function demandPort(at: { host: string; port: number }): Promise<void> {
  const server = createServer()
  await bind(server, at)
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

async function bind(
  server: SocketServer,
  { host, port, setting = 'PORT' }: { host: string; port: number; setting?: 'PORT' | 'HEALTH_PORT' },
): Promise<void> {
  const bound = Promise.withResolvers<void>()
  server.once('error', bound.reject)
  server.listen(port, host, () => bound.resolve())
  try {
    await bound.promise
  } catch (cause) {
    throw new CannotListen(whyNot(cause, host, port, setting), { cause })
  }
  server.off('error', bound.reject)
}

function whyNot(cause: unknown, host: string, port: number, setting: string): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Stop what uses it, or choose another with ${setting}=…`
  if (code === 'EACCES') return `Port ${port} may not be used by this user. Choose one above 1023 with ${setting}=…`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST is ${host}, which is no address of this machine.`
  return `Cannot listen on ${host}:${port} (${code}).`
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection whose last answer is out stays open for the next request, which will never be taken.
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
  const late = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearInterval(sweeping)
  clearTimeout(late)
}
