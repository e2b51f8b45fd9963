import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isJson, type Json } from './json.ts'
import { createUpgrade, type WebSocketConnection } from './websocket.ts'

const PING_EVERY_MS = 5_000

export interface SocketMode {
  /** How many connections are open. */
  readonly count: () => number
  /** How many were ever opened. */
  readonly opened: () => number
  /** Asks the app to connect anew, as Slack does every few hours; the app's client closes the old connection. */
  readonly refresh: (reason?: 'refresh_requested' | 'warning' | 'link_disabled') => void
  /** Cuts every connection without a word. */
  readonly drop: () => void
  /** Sends on one connection and waits for its acknowledgement. @returns its payload, or null when nothing came */
  readonly send: (envelope: Json, withinMs: number) => Promise<Json | null>
  /** A fresh, single-use address. */
  readonly openUrl: (origin: string) => string
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  readonly close: () => void
}

export function createSocketMode(appId: string, isDown: () => boolean): SocketMode {
  const connections = new Set<WebSocketConnection>()
  const tickets = new Set<string>()
  const waiting = new Map<string, { connection: WebSocketConnection; settle: (payload: Json | null) => void }>()
  const upgrade = createUpgrade()
  let opened = 0

  const accept = (connection: WebSocketConnection): void => {
    connections.add(connection)
    opened += 1
    connection.on('message', (data) => {
      const ack: unknown = JSON.parse(String(data))
      if (!isJson(ack)) return
      waiting.get(String(ack['envelope_id']))?.settle(isJson(ack['payload']) ? ack['payload'] : {})
    })
    connection.on('close', () => {
      connections.delete(connection)
      for (const each of waiting.values()) if (each.connection === connection) each.settle(null)
    })
    const debug = { host: 'applink-loopback', build_number: 1, approximate_connection_time: 3_600 }
    connection.send(
      JSON.stringify({ type: 'hello', num_connections: connections.size, debug_info: debug, connection_info: { app_id: appId } }),
    )
  }
  const pings = setInterval(() => {
    for (const connection of connections) connection.ping()
  }, PING_EVERY_MS)
  pings.unref()

  return {
    count: () => connections.size,
    opened: () => opened,
    refresh: (reason = 'refresh_requested') => {
      for (const connection of connections) connection.send(JSON.stringify({ type: 'disconnect', reason, debug_info: {} }))
    },
    drop: () => {
      for (const connection of connections) connection.terminate()
    },
    send: (envelope, withinMs) => sendOn([...connections].at(-1), { envelope, withinMs, waiting }),
    openUrl: (origin) => {
      const ticket = randomBytes(8).toString('hex')
      tickets.add(ticket)
      return `${origin.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=${appId}`
    },
    upgrade: (request, socket, head) => {
      const ticket = new URL(request.url ?? '/', 'http://loopback').searchParams.get('ticket') ?? ''
      if (isDown() || !tickets.delete(ticket)) return void socket.destroy()
      upgrade(request, socket, head, accept)
    },
    close: () => {
      clearInterval(pings)
      for (const connection of connections) connection.terminate()
    },
  }
}

type Waiting = Map<string, { connection: WebSocketConnection; settle: (payload: Json | null) => void }>

async function sendOn(
  connection: WebSocketConnection | undefined,
  { envelope, withinMs, waiting }: { envelope: Json; withinMs: number; waiting: Waiting },
): Promise<Json | null> {
  if (connection === undefined) return null
  const id = randomUUID()
  return await new Promise((resolve) => {
    const timer = setTimeout(() => settle(null), withinMs)
    const settle = (payload: Json | null): void => {
      clearTimeout(timer)
      waiting.delete(id)
      resolve(payload)
    }
    waiting.set(id, { connection, settle })
    connection.send(JSON.stringify({ envelope_id: id, ...envelope }))
  })
}
