import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { applyJsonPatch, PatchFailed } from './json-patch.ts'

export type Manifest = { metadata: { name: string; namespace?: string; [key: string]: unknown }; [key: string]: unknown }

/** One request as it came, for tests that say what must and must not be sent. */
export interface Seen {
  method: string
  path: string
  query: Record<string, string>
  headers: IncomingMessage['headers']
  body: unknown
}

/** What becomes of one request beside or instead of its answer; `null` lets it be. */
export type Interference = (request: Seen) => 'drop-reply' | 'twice' | { status: number; message: string } | null | Promise<null>

interface Stored {
  path: string
  object: Manifest & { metadata: { uid: string; resourceVersion: string; generation?: number } }
}

/**
 * A small API server that speaks the protocol of Kubernetes over HTTP: lists in pages, watches with bookmarks and expiry, JSON patches with tests
 * and dry run, deletions and evictions on a condition, generations, access reviews. What controllers do, tests do through `apply`.
 */
export class ApiServer {
  readonly seen: Seen[] = []
  /** What happens to each request: set by tests. */
  interfere: Interference = () => null
  /** Rights that are refused, as 'verb resource'. */
  readonly refused = new Set<string>()
  /** Kinds that this server never heard of, by the names of their resources. */
  readonly unheardOf = new Set<string>()
  pageSize = 500
  /** Effects that were kept: patches and deletions that changed something. */
  readonly effects: Seen[] = []
  /** Text of `GET …/pods/NAME/log`, by pod and container; `previous` after a slash. */
  readonly logs = new Map<string, string>()
  #server: Server
  #objects = new Map<string, Stored>()
  #version = 100
  #deleted: { path: string; object: object; version: number }[] = []
  #watches = new Set<{ path: string; response: ServerResponse }>()

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) send(response, 500, status(500, String(error)))
      })
    })
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const { response } of this.#watches) response.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close').catch(() => {})
  }

  /** Creates or replaces an object at the path of its collection, and tells whoever watches. */
  apply(collection: string, manifest: Manifest): Stored['object'] {
    const path = `${collection}/${manifest.metadata.name}`
    const before = this.#objects.get(path)
    const changed = before !== undefined && JSON.stringify(before.object['spec']) !== JSON.stringify(manifest['spec'])
    const generation = (before?.object.metadata.generation ?? 0) + (before === undefined || changed ? 1 : 0)
    const metadata = {
      creationTimestamp: new Date().toISOString(),
      ...before?.object.metadata,
      ...manifest.metadata,
      uid: String(manifest.metadata['uid'] ?? before?.object.metadata.uid ?? randomUUID()),
      resourceVersion: String(++this.#version),
      ...('spec' in manifest ? { generation } : {}),
    }
    const object = { ...manifest, metadata }
    this.#objects.set(path, { path, object })
    this.#tell(collection, before ? 'MODIFIED' : 'ADDED', object)
    return object
  }

  delete(path: string): void {
    const stored = this.#objects.get(path)
    if (!stored) return
    this.#objects.delete(path)
    this.#version += 1
    const object = { ...stored.object, metadata: { ...stored.object.metadata, resourceVersion: String(this.#version) } }
    this.#deleted.push({ path, object, version: this.#version })
    this.#tell(path.slice(0, path.lastIndexOf('/')), 'DELETED', object)
  }

  object(path: string): Stored['object'] | null {
    return this.#objects.get(path)?.object ?? null
  }

  /** Changes an object in place, as another client would. */
  change(path: string, edit: (object: Manifest) => void): Stored['object'] {
    const stored = this.#objects.get(path)
    if (!stored) throw new Error(`there is no ${path}`)
    const copy = structuredClone(stored.object)
    edit(copy)
    return this.apply(path.slice(0, path.lastIndexOf('/')), copy)
  }

  /** Ends every watch as the API server does when its history is gone. */
  expireWatches(): void {
    for (const { response } of this.#watches) {
      response.write(`${JSON.stringify({ type: 'ERROR', object: status(410, 'too old resource version') })}\n`)
      response.end()
    }
    this.#watches.clear()
  }

  /** Ends every watch without a word. */
  dropWatches(): void {
    for (const { response } of this.#watches) response.destroy()
    this.#watches.clear()
  }

  get watchers(): number {
    return this.#watches.size
  }

  #tell(collection: string, type: string, object: object): void {
    for (const watch of this.#watches) if (watch.path === collection) watch.response.write(`${JSON.stringify({ type, object })}\n`)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const text = await bodyOf(request)
    const seen: Seen = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text === '' ? null : JSON.parse(text),
    }
    this.seen.push(seen)
    const wish = await this.interfere(seen)
    if (typeof wish === 'object' && wish !== null) return send(response, wish.status, status(wish.status, wish.message))
    if (seen.query['watch'] === 'true') return this.#watch(seen, response)
    const answer = this.#handle(seen)
    if (wish === 'twice') {
      const again = this.#handle(seen)
      return send(response, again.status, again.body)
    }
    if (wish === 'drop-reply') return void response.destroy()
    send(response, answer.status, answer.body)
  }

  #watch({ path, query }: Seen, response: ServerResponse): void {
    if (this.#isRefused('watch', path)) {
      send(response, 403, status(403, forbidden('watch', path)))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const since = Number(query['resourceVersion'] ?? 0)
    // What happened between the list and the watch is told first.
    for (const { path: at, object } of this.#objects.values())
      if (at.slice(0, at.lastIndexOf('/')) === path && Number(object.metadata.resourceVersion) > since)
        response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`)
    for (const { path: at, object, version } of this.#deleted)
      if (at.slice(0, at.lastIndexOf('/')) === path && version > since) response.write(`${JSON.stringify({ type: 'DELETED', object })}\n`)
    const watch = { path, response }
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
  }

  #handle(seen: Seen): { status: number; body: unknown } {
    const { method, path } = seen
    if (path.endsWith('/selfsubjectaccessreviews')) return this.#review(seen)
    if (method === 'POST' && path.endsWith('/eviction')) return this.#evict(seen)
    if (path.endsWith('/log')) return this.#log(seen)
    if (method === 'GET') return this.#objects.has(path) ? this.#get(path) : this.#list(seen)
    if (method === 'PATCH') return this.#patch(seen)
    return { status: 405, body: status(405, 'this server does not do that') }
  }

  #get(path: string): { status: number; body: unknown } {
    if (this.#isRefused('get', path.slice(0, path.lastIndexOf('/')))) return { status: 403, body: status(403, forbidden('get', path)) }
    return { status: 200, body: this.#objects.get(path)?.object }
  }

  #list({ path, query, headers }: Seen): { status: number; body: unknown } {
    if (!isCollection(path) || this.unheardOf.has(path.slice(path.lastIndexOf('/') + 1)))
      return { status: 404, body: status(404, `"${path.slice(path.lastIndexOf('/') + 1)}" not found`) }
    if (this.#isRefused('list', path)) return { status: 403, body: status(403, forbidden('list', path)) }
    const wanted = (query['labelSelector'] ?? '').split(',').filter((each) => each !== '')
    const all = [...this.#objects.values()].filter(
      ({ path: at, object }) => at.slice(0, at.lastIndexOf('/')) === path && hasLabels(object, wanted),
    )
    const from = Number(query['continue'] ?? 0)
    const size = Math.min(Number(query['limit'] ?? this.pageSize), this.pageSize)
    const page = all.slice(from, from + size).map(({ object }) => object)
    const namesOnly = headers.accept?.includes('PartialObjectMetadata') === true
    const more = from + size < all.length ? { continue: String(from + size) } : {}
    const items = namesOnly ? page.map(({ metadata }) => ({ metadata })) : page
    return { status: 200, body: { metadata: { resourceVersion: String(this.#version), ...more }, items } }
  }

  #patch(seen: Seen): { status: number; body: unknown } {
    const { path, query, body } = seen
    if (this.#isRefused('patch', path.slice(0, path.lastIndexOf('/')))) return { status: 403, body: status(403, forbidden('patch', path)) }
    const stored = this.#objects.get(path)
    if (!stored) return { status: 404, body: status(404, 'not found') }
    const copy = structuredClone(stored.object)
    try {
      applyJsonPatch(copy, body)
    } catch (error) {
      if (!(error instanceof PatchFailed)) throw error
      return { status: 422, body: status(422, 'the server rejected our request due to an error in our request') }
    }
    if (query['dryRun'] === 'All') return { status: 200, body: copy }
    this.effects.push(seen)
    return { status: 200, body: this.apply(path.slice(0, path.lastIndexOf('/')), copy) }
  }

  /** As the API server's own: what the query and the body say of a dry run has to agree, and a budget is looked at even then. */
  #evict(seen: Seen): { status: number; body: unknown } {
    const { query, body } = seen
    const path = seen.path.slice(0, seen.path.lastIndexOf('/'))
    if (this.refused.has('create pods/eviction')) return { status: 403, body: status(403, forbidden('create', seen.path, 'pods/eviction')) }
    const stored = this.#objects.get(path)
    if (!stored) return { status: 404, body: status(404, 'not found') }
    const { deleteOptions = {} } = body as { deleteOptions?: { preconditions?: { uid?: string }; dryRun?: string[] } }
    const isTried = query['dryRun'] === 'All'
    if (isTried !== (deleteOptions.dryRun?.includes('All') ?? false))
      return { status: 400, body: status(400, 'Non-matching dry-run options in request and content') }
    const { preconditions } = deleteOptions
    if (preconditions?.uid !== undefined && preconditions.uid !== stored.object.metadata.uid)
      return { status: 409, body: status(409, 'the UID in the precondition is not the UID in the record') }
    if (this.#isHeld(stored.object))
      return { status: 429, body: status(429, "Cannot evict pod as it would violate the pod's disruption budget.") }
    if (isTried) return { status: 201, body: { kind: 'Status', status: 'Success' } }
    this.effects.push(seen)
    this.delete(path)
    return { status: 201, body: { kind: 'Status', status: 'Success' } }
  }

  #isHeld({ metadata }: Manifest): boolean {
    const budgets = `/apis/policy/v1/namespaces/${metadata.namespace}/poddisruptionbudgets/`
    return [...this.#objects.values()].some(({ path, object }) => {
      const { selector } = (object['spec'] ?? {}) as { selector?: { matchLabels?: Record<string, string> } }
      const { disruptionsAllowed = 0 } = (object['status'] ?? {}) as { disruptionsAllowed?: number }
      const wanted = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
      return path.startsWith(budgets) && hasLabels({ metadata }, wanted) && disruptionsAllowed < 1
    })
  }

  #review({ body }: Seen): { status: number; body: unknown } {
    const { spec } = body as { spec: { resourceAttributes: { verb: string; resource: string; subresource: string } } }
    const { verb, resource, subresource } = spec.resourceAttributes
    const allowed = !this.refused.has(`${verb} ${subresource === '' ? resource : `${resource}/${subresource}`}`)
    return { status: 201, body: { status: { allowed } } }
  }

  #log({ path, query }: Seen): { status: number; body: unknown } {
    const pod = path.split('/').at(-2) ?? ''
    const text = this.logs.get(`${pod}/${query['container']}${query['previous'] === 'true' ? '/previous' : ''}`)
    if (text === undefined) return { status: 400, body: status(400, 'the container is waiting to start') }
    return { status: 200, body: tailOf(text, query) }
  }

  #isRefused(verb: string, collection: string): boolean {
    return this.refused.has(`${verb} ${collection.slice(collection.lastIndexOf('/') + 1)}`)
  }
}

/** As a kubelet cuts: lines are counted from the end, bytes from the first of those lines on. */
function tailOf(text: string, query: Readonly<Record<string, string>>): string {
  const lines = text.split(/(?<=\n)/)
  const tail = lines.slice(-Number(query['tailLines'] ?? lines.length)).join('')
  return Buffer.from(tail)
    .subarray(0, Number(query['limitBytes'] ?? Number.POSITIVE_INFINITY))
    .toString()
}

/** A collection's name comes after the version, or after the namespace. */
function isCollection(path: string): boolean {
  return /^\/(api|apis\/[^/]+)\/v[^/]+(\/namespaces\/[^/]+)?\/[^/]+$/.test(path)
}

function hasLabels(object: Manifest, wanted: readonly string[]): boolean {
  const labels = (object.metadata['labels'] ?? {}) as Record<string, string>
  return wanted.every((each) => {
    const [key = '', value] = each.split('=')
    return labels[key] === value
  })
}

function forbidden(verb: string, path: string, resource = path.split('/').at(-1) ?? ''): string {
  const [, namespace = ''] = /\/namespaces\/([^/]+)/.exec(path) ?? []
  return `${resource} is forbidden: User "sre" cannot ${verb} resource "${resource}" in the namespace "${namespace}"`
}

function status(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
