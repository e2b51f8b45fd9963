import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'

/** The part of a connection that Socket Mode needs. */
export interface WebSocketConnection {
  readonly send: (text: string) => void
  readonly close: () => void
  /** Cut without a word, as a lost network does. */
  readonly terminate: () => void
  readonly ping: () => void
  readonly on: (event: 'message' | 'close', listener: (data: unknown) => void) => void
}

interface WebSocketServer {
  handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, done: (connection: WebSocketConnection) => void) => void
}

/** `ws` comes with the packages of Bolt, and is found from there: it is no dependency of our own. */
function loadWebSocketServer(): new (options: { noServer: true }) => WebSocketServer {
  const bolt = createRequire(createRequire(import.meta.url).resolve('@slack/bolt'))
  return bolt('ws').WebSocketServer
}

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, done: (connection: WebSocketConnection) => void) => void

/** Answers the upgrade requests of a Node HTTP server. */
export function createUpgrade(): Upgrade {
  const Server = loadWebSocketServer()
  const server = new Server({ noServer: true })
  return (request, socket, head, done) => server.handleUpgrade(request, socket, head, done)
}
