import type { Json } from './json.ts'
import { isJson } from './json.ts'
import { signedHeaders } from './signing.ts'
import type { SocketMode } from './socket-mode.ts'

/** What became of one thing that was sent to the app. */
export interface Delivery {
  readonly kind: 'event' | 'interaction' | 'command'
  readonly via: 'http' | 'socket'
  /** As it was sent, once read. */
  readonly payload: Json
  /** HTTP status, or 200 for an acknowledgement in Socket Mode; null when there was none in time. */
  readonly status: number | null
  /** What the acknowledgement held: JSON, text, or null when it was empty. */
  readonly body: unknown
  /** From sending to the acknowledgement, of the last try. */
  readonly ms: number
  readonly tries: number
}

export const isAcknowledged = ({ status }: Delivery): boolean => status === 200

export interface DeliveryOptions {
  readonly secret: string
  readonly now: () => Date
  /** The app's address for requests, or null for Socket Mode. */
  readonly requestUrl: () => string | null
  readonly sockets: SocketMode
  /** Slack waits three seconds. A loaded machine may need longer, and the time is in the delivery. */
  readonly patienceMs: number
}

export type Deliver = (kind: Delivery['kind'], payload: Json, retry?: { num: number; reason: string }) => Promise<Delivery>

const ENVELOPES = { event: 'events_api', interaction: 'interactive', command: 'slash_commands' } as const
/** Slack tries an event again at once, after a minute and after five. Here only the first of these happens by itself. */
const EVENT_TRIES = 2

export function createDeliver(options: DeliveryOptions): Deliver {
  const once = async (kind: Delivery['kind'], payload: Json, retry?: { num: number; reason: string }): Promise<Omit<Delivery, 'tries'>> => {
    const start = performance.now()
    const url = options.requestUrl()
    const answer = url === null ? await bySocket(options, kind, payload, retry) : await byRequest(options, url, { kind, payload, retry })
    return { kind, via: url === null ? 'socket' : 'http', payload, ...answer, ms: performance.now() - start }
  }
  return async (kind, payload, retry) => {
    let tries = 1
    let delivery = await once(kind, payload, retry)
    while (kind === 'event' && delivery.status !== 200 && tries < EVENT_TRIES) {
      const reason = delivery.status === null ? 'http_timeout' : 'http_error'
      delivery = await once(kind, payload, { num: (retry?.num ?? 0) + tries, reason })
      tries += 1
    }
    return { ...delivery, tries }
  }
}

type Answer = Pick<Delivery, 'status' | 'body'>
type Retry = { num: number; reason: string } | undefined

async function bySocket({ sockets, patienceMs }: DeliveryOptions, kind: Delivery['kind'], payload: Json, retry: Retry): Promise<Answer> {
  const retries = kind === 'event' ? { retry_attempt: retry?.num ?? 0, retry_reason: retry?.reason ?? '' } : {}
  const envelope = { type: ENVELOPES[kind], accepts_response_payload: kind !== 'event', payload, ...retries }
  const ack = await sockets.send(envelope, patienceMs)
  if (ack === null) return { status: null, body: null }
  return { status: 200, body: Object.keys(ack).length === 0 ? null : ack }
}

/** The body of a request and its type, as Slack encodes each kind. */
export function encode(kind: Delivery['kind'], payload: Json): { body: string; contentType: string } {
  if (kind === 'event') return { body: JSON.stringify(payload), contentType: 'application/json' }
  const form = new URLSearchParams()
  if (kind === 'command') for (const [name, value] of Object.entries(payload)) form.set(name, String(value))
  else form.set('payload', JSON.stringify(payload))
  return { body: form.toString(), contentType: 'application/x-www-form-urlencoded' }
}

async function byRequest(
  { secret, now, patienceMs }: DeliveryOptions,
  url: string,
  { kind, payload, retry }: { kind: Delivery['kind']; payload: Json; retry: Retry },
): Promise<Answer> {
  const { body, contentType } = encode(kind, payload)
  const timestamp = Math.floor(now().getTime() / 1_000)
  const retries = retry === undefined ? {} : { 'x-slack-retry-num': String(retry.num), 'x-slack-retry-reason': retry.reason }
  const headers = { 'content-type': contentType, 'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)' }
  return await send(url, { body, headers: { ...headers, ...signedHeaders({ body, secret, timestamp }), ...retries } }, patienceMs)
}

/** One POST to the app. */
export async function send(url: string, request: { body: string; headers: Record<string, string> }, patienceMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, { method: 'POST', ...request, signal: AbortSignal.timeout(patienceMs) })
    return { status: response.status, body: readBody(await response.text()) }
  } catch (error) {
    // Nobody there, cut off or too slow: to Slack it is all the same. Anything else is a mistake of the test.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return { status: null, body: null }
    throw error
  }
}

function readBody(text: string): unknown {
  if (text === '') return null
  try {
    const value: unknown = JSON.parse(text)
    return isJson(value) && Object.keys(value).length === 0 ? null : value
  } catch {
    return text
  }
}
