import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Behaviour, createCloud } from './cloud.ts'
import { type Call, openLedger } from './ledger.ts'

/*
 * The fake cloud as a process of its own: `program.ts LEDGER OFFSET`. It prints the port it listens on, on the loopback address, and ends when
 * its standard input does, so that it never outlives whoever started it.
 */

const [, , path = '', offset = '0'] = process.argv
const { ledger, lines } = openLedger(path)
const cloud = createCloud({ ledger, lines, time: () => Date.now() })
cloud.setClock(Number(offset))
let underWay = 0

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8') || '{}')
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://cloud')
  const body = await bodyOf(request)
  switch (url.pathname) {
    case '/state':
      cloud.look()
      return reply(response, 200, cloud.state(url.searchParams.get('kind') ?? '', url.searchParams.get('name') ?? ''))
    case '/clock':
      cloud.setClock((body as { offset: number }).offset)
      return reply(response, 200, {})
    case '/expect': {
      const { kind, name, behaviours } = body as { kind: string; name: string; behaviours: Behaviour[] }
      cloud.expect(kind, name, behaviours)
      return reply(response, 200, {})
    }
    case '/under-way':
      return reply(response, 200, { calls: underWay })
    default:
      return await obey(response, body as Call)
  }
}

async function obey(response: ServerResponse, call: Call): Promise<void> {
  underWay += 1
  const result = await cloud.call(call).finally(() => {
    underWay -= 1
  })
  if (result === 'none') response.socket?.destroy()
  else reply(response, result.status, { words: result.words })
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => reply(response, 500, { words: String(error) }))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})
setInterval(() => cloud.look(), 20)
process.stdin.resume().on('end', () => process.exit(0))
