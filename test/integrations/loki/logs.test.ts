import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { createLoki } from '../../../integrations/loki/index.ts'
import { literal, streams } from '../../../integrations/loki/logql.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

const AT = Date.UTC(2026, 0, 1)
const WINDOW = { from: new Date(AT), to: new Date(AT + 60_000) }

async function lokiThatSays(body: unknown, status = 200): Promise<{ loki: ReturnType<typeof createLoki>; asked: URL[] }> {
  const asked: URL[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://127.0.0.1'))
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = {
    environment: 'production',
    url,
    linkUrl: null,
    token: null,
    tenant: null,
    serviceLabel: 'app',
    match: { cluster: 'eu' },
    namespaces: ['shop'],
  }
  return { loki: createLoki(options), asked }
}

const said = (stream: Record<string, string>, values: readonly (readonly string[])[]) => ({
  status: 'success',
  data: { resultType: 'streams', result: [{ stream, values }] },
})
const nanoseconds = (ms: number): string => `${AT + ms}000123`

test('reads lines with their levels, oldest first, and says what it asked', async () => {
  const { loki, asked } = await lokiThatSays(
    said({ app: 'payments', pod: 'payments-1' }, [
      [nanoseconds(2_000), '{"level":"error","message":"charge failed"}'],
      [nanoseconds(1_000), 'level=info msg=hello'],
    ]),
  )
  const { lines, query, link } = await loki.logs.read({ service: 'payments', ...WINDOW, limit: 10 })
  expect(lines.map(({ at, level, instance }) => ({ at, level, instance }))).toEqual([
    { at: new Date(AT + 1_000), level: 'info', instance: 'payments-1' },
    { at: new Date(AT + 2_000), level: 'error', instance: 'payments-1' },
  ])
  expect(query).toBe('{cluster="eu",app="payments",namespace=~"shop"}')
  expect(link).toContain('query=')
  expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toMatchObject({ query, limit: '11', direction: 'forward', start: `${AT}000000` })
})

test('for errors the server filters first and each line is looked at again', async () => {
  const { loki, asked } = await lokiThatSays(
    said({ app: 'payments' }, [
      [nanoseconds(1), 'level=info msg="no errors"'],
      [nanoseconds(2), 'panic: nil'],
    ]),
  )
  const { lines } = await loki.logs.read({ service: 'payments', ...WINDOW, limit: 10, level: 'error' })
  expect(lines.map(({ text }) => text)).toEqual(['panic: nil'])
  expect(asked[0]?.searchParams.get('query')).toContain(' |~ "(?i)(err|')
})

test('more lines than asked for are counted as left out', async () => {
  const { loki } = await lokiThatSays(
    said(
      {},
      [1, 2, 3].map((ms) => [nanoseconds(ms), `line ${ms}`]),
    ),
  )
  const { lines, omitted } = await loki.logs.read({ service: 'payments', ...WINDOW, limit: 2 })
  expect([lines.map(({ text }) => text), omitted]).toEqual([['line 1', 'line 2'], 1])
})

test('asked for the newest, the server is asked from the end, and what it let go is told of though it was no error', async () => {
  const { loki, asked } = await lokiThatSays(
    said({}, [
      [nanoseconds(3), 'panic: three'],
      [nanoseconds(2), 'level=info msg="no errors"'],
      [nanoseconds(1), 'level=info msg="no errors"'],
    ]),
  )
  const read = await loki.logs.read({ service: 'payments', ...WINDOW, limit: 2, keep: 'newest', level: 'error' })
  expect(asked[0]?.searchParams.get('direction')).toBe('backward')
  expect(read.lines.map(({ text }) => text)).toEqual(['panic: three'])
  expect(read.unread?.before).toEqual(new Date(AT + 1))
})

test.each([
  [401, 'auth'],
  [500, 'unavailable'],
])('a status of %s is a fault: %s', async (status, code) => {
  const { loki } = await lokiThatSays({}, status)
  await expect(loki.logs.read({ service: 'payments', ...WINDOW, limit: 1 })).rejects.toMatchObject({ code })
})

test('doctor says which labels there are when none names a service', async () => {
  const { loki } = await lokiThatSays({ status: 'success', data: ['job', 'pod'] })
  expect(await loki.check()).toMatchObject([{ status: 'warning', fix: expect.stringContaining('job, pod') }])
})

const anyText = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units))

test('whatever the name, it stays inside its literal', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const outside = streams({ app: text }, { namespace: [text, 'shop'] }).replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
      expect(outside).toBe('{app="",namespace=~""}')
      expect(JSON.parse(literal(text))).toBe(text.toWellFormed())
    }),
  )
})
