import { Octokit } from '@octokit/rest'
import type { ZodType } from 'zod'
import { IntegrationError, type IntegrationFault } from '../errors.ts'
import type { Sent } from '../http.ts'

export const ID = 'github'

const TIMEOUT_MS = 5_000
/** A comparison holds up to 300 files with their lines. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_WORDS = 300
const API_VERSION = '2022-11-28'

export interface ServerOptions {
  /** Of its API: https://api.github.com, or https://HOST/api/v3 of a server of one's own. */
  url: string
  /** Reads. */
  token: string | null
  /** Changes, and is sent with nothing else; null where nothing is changed from here. */
  writeToken: string | null
}

/** A question of GitHub's REST API: 'GET /repos/{owner}/{repo}'. */
export interface Asked<T> {
  route: string
  parameters: Readonly<Record<string, unknown>>
  schema: ZodType<T>
  signal?: AbortSignal | undefined
}

/** One server. Every call is one request, and throws IntegrationError where it gets no sound answer. */
export interface GithubClient {
  url: string
  get<T>(asked: Asked<T>): Promise<T>
  /** One change, with the other token. A refusal is an answer; whatever else comes of it is thrown, and nobody knows what was done. */
  send<T>(asked: Asked<T>): Promise<Sent<T>>
}

/** Its own server and no other: no redirect is followed, not even the one of a repository that was renamed. */
export function createClient({ url, token, writeToken }: ServerOptions): GithubClient {
  const reading = octokitWith(url, token)
  const writing = writeToken === null ? null : octokitWith(url, writeToken)
  return {
    url,
    async get(asked) {
      try {
        return await request(reading, asked)
      } catch (error) {
        throw faultOf(error)
      }
    },
    async send(asked) {
      if (!writing) throw new IntegrationError(ID, 'permission', 'this process has no token that may change anything (GITHUB_WRITE_TOKEN)')
      try {
        return { done: true, value: await request(writing, asked) }
      } catch (error) {
        const [fault, status] = [faultOf(error), statusOf(error)]
        if (status === null) throw fault
        return { done: false, status, error: fault }
      }
    },
  }
}

function octokitWith(url: string, token: string | null): Octokit {
  return new Octokit({
    baseUrl: url,
    ...(token === null ? {} : { auth: token }),
    userAgent: 'steadyhand',
    log: QUIET,
    request: { fetch: boundedFetch, log: QUIET },
  })
}

async function request<T>(octokit: Octokit, { route, parameters, schema, signal }: Asked<T>): Promise<T> {
  const options = { ...parameters, headers: { 'x-github-api-version': API_VERSION }, ...(signal ? { request: { signal } } : {}) }
  const { data } = await octokit.request(route, options)
  return parse(data, schema)
}

/** Failures are told by whoever asked, once. */
const nothing = (): void => {}
const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing }

async function boundedFetch(url: string, asked: RequestInit): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const signal = asked.signal ? AbortSignal.any([asked.signal, timeout]) : timeout
  try {
    const response = await fetch(url, { ...asked, redirect: 'manual', signal })
    const body = await readBounded(response)
    if (response.status >= 300 && response.status < 400)
      throw new IntegrationError(ID, 'not_found', 'it has moved to another address: write down its present name')
    return new Response(body, { status: response.status, headers: response.headers })
  } catch (error) {
    if (error instanceof IntegrationError) throw error
    if (signal.aborted) throw new IntegrationError(ID, 'timeout', 'no answer in time', { cause: error })
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new IntegrationError(ID, 'unavailable', `cannot be reached (${words.slice(0, MAX_WORDS)})`, { cause: error })
  }
}

/** Null where an answer has no body, because a Response of such a status may have none. */
async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null || response.status === 204 || response.status === 304) return null
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new IntegrationError(ID, 'invalid_response', `the answer has more than ${MAX_BYTES / 1024} KiB`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks, size))
}

function parse<T>(data: unknown, schema: ZodType<T>): T {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  throw new IntegrationError(ID, 'invalid_response', 'the answer is not of the documented shape', { cause: parsed.error })
}

const CODES: Readonly<Record<number, IntegrationFault>> = { 401: 'auth', 403: 'permission', 404: 'not_found', 429: 'rate_limited' }

/** The one place where what the SDK throws becomes ours. Of its errors only the words and the status are read: they hold the request as well. */
function faultOf(error: unknown): IntegrationError {
  if (error instanceof IntegrationError) return error
  if (!(error instanceof Error)) return new IntegrationError(ID, 'unavailable', String(error))
  if (error.cause instanceof IntegrationError) return error.cause
  const { status, headers } = answerOf(error)
  const words = `answered ${status}: ${error.message.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS)}`
  const wait = Number(headers['retry-after'] ?? Number.NaN)
  // Too many questions are 403 as often as 429: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
  const isLimited = status === 429 || (status === 403 && (Number.isFinite(wait) || String(headers['x-ratelimit-remaining']) === '0'))
  const code = isLimited ? 'rate_limited' : (CODES[status] ?? (status >= 500 ? 'unavailable' : 'invalid_response'))
  return new IntegrationError(ID, code, words, Number.isFinite(wait) && wait >= 0 ? { retryAfter: wait } : {})
}

/** What the server answered; null where it gave no whole answer, for which the SDK makes up a status. */
function statusOf(error: unknown): number | null {
  if (error instanceof IntegrationError || (error instanceof Error && error.cause instanceof IntegrationError)) return null
  const { status } = answerOf(error)
  return status >= 400 ? status : null
}

function answerOf(error: unknown): { status: number; headers: Readonly<Record<string, unknown>> } {
  if (!(error instanceof Error)) return { status: 0, headers: {} }
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 0
  const response = 'response' in error && typeof error.response === 'object' && error.response !== null ? error.response : {}
  const headers = 'headers' in response && typeof response.headers === 'object' && response.headers !== null ? response.headers : {}
  return { status, headers: { ...headers } }
}
