import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Fault, Faults } from './faults.ts'
import { isJson, type Json } from './json.ts'
import type { Answer } from './web-api.ts'

export interface FrontDeps {
  readonly faults: Faults
  readonly callApi: (name: string, authorization: string | undefined, args: Json) => Answer
  readonly respondTo: (responseUrlId: string, body: unknown) => Answer
  /** @returns whether there is such a file */
  readonly upload: (fileId: string, content: Buffer) => boolean
  /** A call met a fault that was planned for it and was not made. */
  readonly failed: (name: string, fault: Fault['kind']) => void
  /** This server itself failed: a test must not take that for one of Slack's answers. */
  readonly broken: (error: unknown) => void
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

const LARGEST_BODY = 20_000_000
const HEADERS = { 'content-type': 'application/json; charset=utf-8' }

/** Slack's addresses on a free port of loopback: /api/METHOD, /response/ID, /upload/v1/ID, and Socket Mode's upgrades. */
export async function openFront(deps: FrontDeps): Promise<{ origin: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void handle(request, response, deps).catch((error: unknown) => {
      deps.broken(error)
      response.destroy()
    })
  })
  server.on('upgrade', deps.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, deps: FrontDeps): Promise<void> {
  const body = await readAll(request)
  const [, area = '', ...rest] = new URL(request.url ?? '/', 'http://loopback').pathname.split('/')
  const name = area === 'api' ? rest.join('/') : area
  const fault = deps.faults.take(name)
  if (fault !== null && fault.kind !== 'lost') {
    deps.failed(name, fault.kind)
    return await meet(fault, response, deps.faults)
  }
  const answer = await answerOf({ area, rest, name, request, body }, deps)
  if (fault?.kind === 'lost') return void response.destroy()
  send(response, answer)
}

type Asked = { area: string; rest: readonly string[]; name: string; request: IncomingMessage; body: Buffer }

async function answerOf({ area, rest, name, request, body }: Asked, deps: FrontDeps): Promise<Answer> {
  if (area === 'api') return deps.callApi(name, request.headers.authorization, readArguments(request, body))
  if (area === 'response') return deps.respondTo(rest[0] ?? '', JSON.parse(body.toString()))
  const isTaken = area === 'upload' && deps.upload(rest[1] ?? '', await uploadedFile(request, body))
  return { status: isTaken ? 200 : 404, headers: {}, body: {} }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...HEADERS, ...headers })
  response.end(JSON.stringify(body))
}

async function meet(fault: Exclude<Fault, { kind: 'lost' }>, response: ServerResponse, faults: Faults): Promise<void> {
  switch (fault.kind) {
    case 'error':
      return send(response, { status: 200, headers: {}, body: { ok: false, error: fault.error } })
    case 'http':
      return send(response, { status: fault.status, headers: {}, body: {} })
    case 'ratelimited':
      return send(response, {
        status: 429,
        headers: { 'retry-after': String(fault.retryAfter) },
        body: { ok: false, error: 'ratelimited' },
      })
    case 'stall':
      await faults.stalled()
      response.destroy()
      return
    case 'reset':
      response.destroy()
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new Error(`a request of more than ${LARGEST_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** From the query, a form or JSON: Slack takes all three. */
function readArguments(request: IncomingMessage, body: Buffer): Json {
  const query = Object.fromEntries(new URL(request.url ?? '/', 'http://loopback').searchParams)
  const text = body.toString()
  if (!isOfType(request, 'json')) return { ...query, ...Object.fromEntries(new URLSearchParams(text)) }
  const read: unknown = text === '' ? {} : JSON.parse(text)
  return { ...query, ...(isJson(read) ? read : {}) }
}

/** The bytes themselves, or the one file of a form. */
async function uploadedFile(request: IncomingMessage, body: Buffer): Promise<Buffer> {
  if (!isOfType(request, 'multipart/form-data')) return body
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(new Uint8Array(body), { headers }).formData()
  const [file] = [...form.values()]
  return typeof file === 'object' ? Buffer.from(await file.arrayBuffer()) : Buffer.from(file ?? '')
}

function isOfType(request: IncomingMessage, type: string): boolean {
  return (request.headers['content-type'] ?? '').includes(type)
}
