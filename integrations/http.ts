import type { ZodType } from 'zod'
import { IntegrationError, type IntegrationFault } from './errors.ts'

/** One server that is read over HTTP: its own address, and no other. */
export interface HttpServer {
  /** Whose errors these are: the id of the integration. */
  integration: string
  /** With a path where the server stands behind one; without a slash at its end. */
  url: string
  /** Sent with every question; secrets among them never reach an error or a log. */
  headers: Readonly<Record<string, string>>
  maxBytes: number
  timeoutMs: number
}

const MAX_WORDS = 300

/**
 * Asks one question of the server and reads its JSON. A redirect is a fault: it could lead to another host, with what was asked and who asks.
 *
 * @throws IntegrationError for whatever is not a whole, sound answer within the bounds
 */
export async function getJson<T>(
  server: HttpServer,
  question: { path: string; query: Readonly<Record<string, string>>; schema: ZodType<T>; signal?: AbortSignal | undefined },
): Promise<T> {
  const url = `${server.url}${question.path}?${new URLSearchParams(question.query)}`
  const timeout = AbortSignal.timeout(server.timeoutMs)
  const signal = question.signal ? AbortSignal.any([question.signal, timeout]) : timeout
  try {
    const response = await fetch(url, { headers: { accept: 'application/json', ...server.headers }, redirect: 'error', signal })
    const text = await readBounded(response, server)
    if (!response.ok) throw refusalOf(server, response, text)
    return parse(server, text, question.schema)
  } catch (error) {
    if (error instanceof IntegrationError) throw error
    throw faultOf(server, error, timeout.aborted || question.signal?.aborted === true)
  }
}

/** What a server answered to a change: done, or a refusal with its status. Whatever else comes of it is thrown, and nobody knows what was done. */
export type Sent<T> = { done: true; value: T } | { done: false; status: number; error: IntegrationError }

/**
 * Sends one change, once, and reads the JSON of the answer; `schema` null: the answer is not read.
 *
 * @throws IntegrationError when there is no whole, sound answer
 */
export async function sendJson<T>(
  server: HttpServer,
  change: { method: 'POST' | 'DELETE'; path: string; body: object | null; schema: ZodType<T> | null; signal: AbortSignal },
): Promise<Sent<T | null>> {
  const timeout = AbortSignal.timeout(server.timeoutMs)
  const headers = { accept: 'application/json', ...(change.body === null ? {} : { 'content-type': 'application/json' }), ...server.headers }
  try {
    const response = await fetch(`${server.url}${change.path}`, {
      ...{ method: change.method, headers, redirect: 'error', signal: AbortSignal.any([change.signal, timeout]) },
      ...(change.body === null ? {} : { body: JSON.stringify(change.body) }),
    })
    const text = await readBounded(response, server)
    if (!response.ok) return { done: false, status: response.status, error: refusalOf(server, response, text) }
    return { done: true, value: change.schema === null ? null : parse(server, text, change.schema) }
  } catch (error) {
    if (error instanceof IntegrationError) throw error
    throw faultOf(server, error, timeout.aborted || change.signal.aborted)
  }
}

/**
 * Calls an address for the sake of the call, and reads nothing of the answer. No redirect is followed, and no fault holds the address, which may be
 * a secret.
 *
 * @throws IntegrationError unless it is answered well, in time
 */
export async function call({ integration, url, headers, timeoutMs }: Omit<HttpServer, 'maxBytes'>, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.any([signal, timeout]) })
    await response.body?.cancel()
    if (!response.ok) throw refusalOf({ integration }, response, '')
  } catch (error) {
    if (error instanceof IntegrationError) throw error
    throw faultOf({ integration }, error, timeout.aborted || signal.aborted)
  }
}

async function readBounded(response: Response, { integration, maxBytes }: HttpServer): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw new IntegrationError(
        integration,
        'invalid_response',
        `the answer has more than ${Math.round(maxBytes / 1024)} KiB; ask for less`,
      )
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function parse<T>({ integration }: HttpServer, text: string, schema: ZodType<T>): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new IntegrationError(integration, 'invalid_response', 'the answer is not JSON', { cause: error })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new IntegrationError(integration, 'invalid_response', 'the answer is not of the documented shape', { cause: parsed.error })
}

const CODES: Readonly<Record<number, IntegrationFault>> = { 401: 'auth', 403: 'permission', 404: 'not_found', 429: 'rate_limited' }

/** An answer that is no yes, by its status; of what was said only the beginning. */
export function refusalOf({ integration }: Pick<HttpServer, 'integration'>, response: Response, text: string): IntegrationError {
  const code = CODES[response.status] ?? (response.status >= 500 ? 'unavailable' : 'invalid_response')
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const said = text.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS)
  return new IntegrationError(integration, code, `answered ${response.status}${said === '' ? '' : `: ${said}`}`, {
    ...(Number.isFinite(seconds) && seconds >= 0 ? { retryAfter: seconds } : {}),
  })
}

/** No whole answer. */
export function faultOf({ integration }: Pick<HttpServer, 'integration'>, error: unknown, late: boolean): IntegrationError {
  if (late) return new IntegrationError(integration, 'timeout', 'no answer in time', { cause: error })
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const words = cause instanceof Error ? cause.message : String(cause)
  return new IntegrationError(integration, 'unavailable', `cannot be reached (${words.slice(0, MAX_WORDS)})`, { cause: error })
}
