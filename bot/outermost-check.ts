import { hostname, networkInterfaces } from 'node:os'
import type { Context, MiddlewareHandler } from 'hono'
import { readBoundedBody } from './json-body.ts'
import { HttpProblem } from './problem.ts'

/** What the outermost check leaves for the handlers. */
export interface Checked {
  Variables: {
    /** The whole body, bounded; empty for methods without one. Handlers read nothing else. */
    body: Uint8Array
    /** The path of the endpoint that served it, for the metrics. */
    route: string | undefined
  }
}

/** What the server is called. */
export interface OwnNames {
  host: string
  publicUrl: string | null
  hosts: readonly string[]
}

/** Styles and pictures of our own only; no frames, no plug-ins, no forms that leave. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

/** What a path takes where it is not JSON alone. */
export type BodyType = 'form' | 'either'

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const FORM_TYPE = /^application\/x-www-form-urlencoded(\s*;.*)?$/i
const JSON_TYPE = /^application\/([\w.+-]+\+)?json(\s*;.*)?$/i

/**
 * The one check every request passes before anything else looks at it: whom it was sent to, which page sent it, how large and of what type it is.
 * `bodyTypes` says which paths take a form; all others take JSON.
 * `publicUrl` is the address people reach the server at, when a proxy stands before it.
 */
export function outermostCheck(options: OwnNames & { bodyTypes?: ReadonlyMap<string, BodyType> }): MiddlewareHandler<Checked> {
  const hosts = knownHosts(options)
  return async (context, next) => {
    checkHost(context, hosts)
    checkOrigin(context, options.publicUrl)
    context.set('body', await checkedBody(context, typesOf(options.bodyTypes?.get(context.req.path))))
    await next()
  }
}

/** Every answer carries them, whoever made it. */
export function withSecurityHeaders<Env>(
  fetch: (request: Request, env: Env) => Promise<Response>,
): (request: Request, env: Env) => Promise<Response> {
  return async (request, env) => {
    const response = await fetch(request, env)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value)
    return response
  }
}

/**
 * Names this server answers to. A page that had its own name resolve to this machine is stopped here (DNS rebinding). Listening on every address
 * of the machine, it answers to each of them, because probes and scrapers call by address.
 */
function knownHosts({ host, publicUrl, hosts }: OwnNames): ReadonlySet<string> {
  const everywhere = host === '0.0.0.0' || host === '::'
  const addresses = everywhere ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)) : []
  const names = ['localhost', '127.0.0.1', '::1', host, ...hosts, ...addresses, ...(everywhere ? [hostname()] : [])]
  const bracketed = names.map((name) => (name.includes(':') && !name.startsWith('[') ? `[${name}]` : name))
  return new Set([...bracketed, ...(publicUrl === null ? [] : [new URL(publicUrl).hostname])].map((name) => name.toLowerCase()))
}

function checkHost(context: Context, hosts: ReadonlySet<string>): void {
  const host = context.req.header('host')
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase()
  // A target in absolute form may name another server than the header does.
  if (name === undefined || !hosts.has(name) || new URL(context.req.url).hostname !== name) throw new HttpProblem('foreign-host')
}

/** Browsers name the page that asks. It has to be one of ours: same name and same port, for another program may sit on the next port. */
function checkOrigin(context: Context, publicUrl: string | null): void {
  const origin = context.req.header('origin')
  if (origin === undefined) return
  const own = [`http://${context.req.header('host')}`, ...(publicUrl === null ? [] : [new URL(publicUrl).origin])]
  if (!own.some((known) => known.toLowerCase() === origin.toLowerCase())) throw new HttpProblem('foreign-origin')
}

function typesOf(type: BodyType | undefined): RegExp[] {
  if (type === undefined) return [JSON_TYPE]
  return type === 'form' ? [FORM_TYPE] : [FORM_TYPE, JSON_TYPE]
}

async function checkedBody(context: Context, types: readonly RegExp[]): Promise<Uint8Array> {
  if (!WITH_BODY.has(context.req.method)) return new Uint8Array()
  const encoding = context.req.header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw new HttpProblem('unsupported-media-type')
  const body = await readBoundedBody(context.req.raw)
  const type = context.req.header('content-type') ?? ''
  if (body.byteLength > 0 && !types.some((known) => known.test(type))) throw new HttpProblem('unsupported-media-type')
  return body
}
