import { HttpMethod, IsomorphicFetchHttpLibrary, type KubeConfig, RequestContext } from '@kubernetes/client-node'
import { IntegrationError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { ID, refusalOf, unreachable } from './faults.ts'

export type Query = Readonly<Record<string, string>>

/** One change of what is watched; `error` carries the API server's Status. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: unknown
}

/** One cluster, as one account of a kubeconfig sees it. Answers are unknown until a schema has read them, and bounded in size and time. */
export interface KubernetesApi {
  /** `namesOnly`: metadata alone leaves the API server, whatever the objects hold. */
  get(path: string, query?: Query, signal?: AbortSignal, options?: { namesOnly?: boolean }): Promise<unknown>
  getText(path: string, query: Query, signal?: AbortSignal): Promise<string>
  /** A JSON patch (RFC 6902): the API server carries all of it out, or nothing. */
  patch(path: string, operations: readonly JsonPatch[], query: Query, signal?: AbortSignal): Promise<unknown>
  /** `asGroup`: in the name of the group that changes are made in, where there is one. */
  post(path: string, body: object, options: { query?: Query; asGroup: boolean; signal?: AbortSignal }): Promise<unknown>
  /** Ends when the API server ends it, nothing is heard for a while, or the signal fires. @throws IntegrationError, with a status where it was refused */
  watch(path: string, query: Query, signal: AbortSignal, options?: { namesOnly?: boolean }): AsyncGenerator<WatchEvent>
}

export interface JsonPatch {
  op: 'test' | 'add' | 'replace' | 'remove'
  path: string
  value?: unknown
}

const JSON_TYPE = 'application/json'
const NAMES_OF_A_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const NAMES_OF_ONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
/** A page of 500 large pods; what is larger is no answer to a question of ours. */
const MAX_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 10_000
/** The API server sends a bookmark about once a minute. */
const WATCH_SILENCE_MS = 150_000
/** Certificates on disk are replaced now and then. */
const CONNECTIONS_KEPT_MS = 10 * 60_000

export function createApi(
  connection: Connection,
  { now, impersonateGroup }: { now: () => Date; impersonateGroup: string | null },
): KubernetesApi {
  const http = new IsomorphicFetchHttpLibrary()
  let kept: { dispatcher: Dispatcher; at: number } | null = null

  const contextOf = async (method: HttpMethod, path: string, query: Query, signal: AbortSignal | undefined): Promise<RequestContext> => {
    if (!connection.ok) throw new IntegrationError(ID, 'auth', connection.words)
    const { config } = connection
    const server = config.getCurrentCluster()?.server ?? ''
    const context = new RequestContext(`${server.replace(/\/+$/, '')}${path}`, method)
    for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value)
    await authenticate(config, context, signal)
    // The client makes a new set of connections for every request; one is enough.
    const dispatcher = context.getDispatcher()
    if (kept === null || now().getTime() - kept.at > CONNECTIONS_KEPT_MS)
      kept = { dispatcher: withoutHttp2(dispatcher), at: now().getTime() }
    if (kept.dispatcher) context.setDispatcher(kept.dispatcher)
    return context
  }

  const send = async (context: RequestContext, signal: AbortSignal | undefined, accept: string): Promise<string> => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    context.setHeaderParam('Accept', accept)
    context.setSignal(signal ? AbortSignal.any([signal, timeout]) : timeout)
    try {
      const response = await http.send(context).toPromise()
      const text = await readBounded(response.body.stream())
      if (response.httpStatusCode >= 300) throw refusalOf(response.httpStatusCode, text, secondsOf(response.headers['retry-after']))
      return text
    } catch (error) {
      if (error instanceof IntegrationError) throw error
      throw unreachable(error, timeout.aborted || signal?.aborted === true)
    }
  }

  const write = async (
    method: HttpMethod,
    path: string,
    type: string,
    body: unknown,
    { query = {}, asGroup, signal }: { query?: Query; asGroup: boolean; signal?: AbortSignal | undefined },
  ): Promise<unknown> => {
    const context = await contextOf(method, path, query, signal)
    context.setHeaderParam('Content-Type', type)
    if (asGroup && impersonateGroup !== null) {
      context.setHeaderParam('Impersonate-User', 'steadyhand')
      context.setHeaderParam('Impersonate-Group', impersonateGroup)
    }
    context.setBody(JSON.stringify(body))
    return parse(await send(context, signal, JSON_TYPE))
  }

  return {
    get: async (path, query = {}, signal, { namesOnly = false } = {}) =>
      parse(await send(await contextOf(HttpMethod.GET, path, query, signal), signal, namesOnly ? NAMES_OF_A_LIST : JSON_TYPE)),
    getText: async (path, query, signal) => await send(await contextOf(HttpMethod.GET, path, query, signal), signal, 'text/plain, */*'),
    patch: async (path, operations, query, signal) =>
      await write(HttpMethod.PATCH, path, 'application/json-patch+json', operations, { query, asGroup: true, signal }),
    post: async (path, body, options) => await write(HttpMethod.POST, path, 'application/json', body, options),
    async *watch(path, query, signal, { namesOnly = false } = {}) {
      const quiet = new AbortController()
      const timer = setTimeout(() => quiet.abort(), WATCH_SILENCE_MS)
      try {
        const context = await contextOf(HttpMethod.GET, path, { ...query, watch: 'true', allowWatchBookmarks: 'true' }, signal)
        context.setHeaderParam('Accept', namesOnly ? NAMES_OF_ONE : JSON_TYPE)
        context.setSignal(AbortSignal.any([signal, quiet.signal]))
        const response = await http.send(context).toPromise()
        const stream = response.body.stream()
        if (response.httpStatusCode >= 300)
          throw refusalOf(response.httpStatusCode, await readBounded(stream), secondsOf(response.headers['retry-after']))
        for await (const line of linesOf(stream)) {
          timer.refresh()
          yield parse(line) as WatchEvent
        }
      } catch (error) {
        if (signal.aborted) return
        throw error instanceof IntegrationError ? error : unreachable(error, quiet.signal.aborted)
      } finally {
        clearTimeout(timer)
        quiet.abort()
      }
    },
  }
}

type Dispatcher = ReturnType<RequestContext['getDispatcher']>

/**
 * HTTP/1.1 only, also where the API server offers HTTP/2: on a busy machine undici 8.12 ends an idle session with an error that nobody hears, and with it
 * the process.
 */
function withoutHttp2(dispatcher: Dispatcher): Dispatcher {
  return dispatcher?.compose((dispatch) => (options, handler) => {
    const overHttp1 = { ...options, allowH2: false }
    return dispatch(overHttp1, handler)
  })
}

/** An account may come from a program or a file of its own, which may fail, or never end. */
async function authenticate(config: KubeConfig, context: RequestContext, signal: AbortSignal | undefined): Promise<void> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  try {
    await orAborted(config.applySecurityAuthentication(context), either)
  } catch (error) {
    if (either.aborted) throw new IntegrationError(ID, 'timeout', 'the account of the kubeconfig was not there in time', { cause: error })
    throw new IntegrationError(ID, 'auth', 'the account of the kubeconfig cannot be used', { cause: error })
  }
}

/** Waits for what heeds no signal, as long as it has not fired. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function secondsOf(header: string | undefined): number | null {
  const seconds = Number(header ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new IntegrationError(ID, 'invalid_response', 'the answer of the API server is not JSON', { cause: error })
  }
}

async function readBounded(stream: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!stream) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw tooLarge()
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

async function* linesOf(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (!stream) return
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_BYTES) throw tooLarge()
    for (const line of lines) if (line.trim() !== '') yield line
  }
}

function tooLarge(): IntegrationError {
  return new IntegrationError(ID, 'invalid_response', `an answer of the API server has more than ${MAX_BYTES / 1024 / 1024} MiB`)
}
