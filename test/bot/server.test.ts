import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeDatabases } from '../support/database.ts'
import { anAlert, openEdge, type RunningEdge, withAnswers } from '../support/edge/edge-harness.ts'

describeDatabases('the server', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  beforeAll(async () => {
    running = await openEdge(database(), {
      change: (deps) =>
        withAnswers(deps, {
          services: async () => {
            throw new Error('secret detail at /srv/steadyhand/db.ts:12')
          },
        }),
    })
  })
  afterAll(() => running.close())

  /** Node's own client, which sends any Host header it is told to. */
  const send = (path: string, headers: Record<string, string>, method = 'GET', body?: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(running.url)
      const request = httpRequest({ port, host: '127.0.0.1', path, method, headers }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
      })
      request.on('error', reject)
      request.end(body)
    })

  /** Bytes as they are, and what came back until the connection ended. */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(running.url).port), '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
      socket.write(bytes)
    })

  const hostOf = (name: string): string => `${name}:${new URL(running.url).port}`

  describe('whom it was sent to', () => {
    test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('%s is this server', async (name) => {
      expect((await send('/healthz', { host: hostOf(name) })).status).toBe(200)
    })

    test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '0.0.0.0', 'evil.example@localhost', '169.254.169.254'])(
      '%s is not, whatever it resolves to',
      async (name) => {
        for (const path of ['/', '/healthz', '/api/v1/approvals', '/api/openapi.json', '/nowhere']) {
          const { status } = await send(path, { host: hostOf(name) })
          expect([400, 403]).toContain(status)
        }
      },
    )

    test('a foreign host is told in a problem document', async () => {
      const { status, body } = await send('/healthz', { host: 'evil.example' })
      expect({ status, body: JSON.parse(body) }).toMatchObject({ status: 403, body: { code: 'foreign-host', status: 403 } })
    })
  })

  describe('which page sent it', () => {
    test('its own', async () => {
      for (const origin of [running.url, running.url.replace('127.0.0.1', 'localhost')]) {
        const host = new URL(origin).host
        expect((await send('/api/v1/approvals', { host, origin })).status).toBe(200)
      }
    })

    test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://localhost', 'file://'])(
      '%s is refused, read or write',
      async (origin) => {
        const host = new URL(running.url).host
        expect(await send('/api/v1/approvals', { host, origin })).toMatchObject({ status: 403 })
        const post = await send('/api/v1/session', { host, origin, 'content-type': 'application/json' }, 'POST', '{"person":"alice"}')
        expect({ status: post.status, code: JSON.parse(post.body).code }).toEqual({ status: 403, code: 'foreign-origin' })
      },
    )
  })

  describe('how large and of what type it is', () => {
    test('256 KiB and one byte is too large, said or sent', async () => {
      const big = JSON.stringify({ name: 'x'.repeat(256 * 1024) })
      expect(await running.client().post('/webhooks/generic', big)).toMatchObject({ status: 413, json: { code: 'body-too-large' } })
      const chunked = await raw(
        `POST /webhooks/generic HTTP/1.1\r\nHost: ${hostOf('localhost')}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(6)}`,
      )
      expect(chunked).toContain('413')
    })

    test.each([
      [{ 'content-type': 'text/plain' }],
      [{ 'content-type': 'application/x-www-form-urlencoded' }],
      [{ 'content-type': 'multipart/form-data; boundary=x' }],
      [{ 'content-type': 'application/jsonx' }],
      [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    ])('%j is not taken', async (headers) => {
      const answer = await running.client().post('/api/v1/commands', '{"text":"status"}', headers)
      expect(answer).toMatchObject({ status: 415, json: { code: 'unsupported-media-type' } })
    })

    test('neither headers nor a body that do not come are waited for', async () => {
      const host = `Host: ${hostOf('localhost')}`
      const answers = await Promise.all([
        raw(`POST /webhooks/generic HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na`),
        raw(`GET /healthz HTTP/1.1\r\n${host}\r\nX-Slow: `),
      ])
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d|^$/)
    })

    test.each([
      'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\u0000b\r\n\r\n',
      'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'NONSENSE\r\n\r\n',
    ])('%j is a 4xx and no fault', async (bytes) => {
      expect(await raw(bytes)).toMatch(/^HTTP\/1\.1 4\d\d/)
    })
  })

  describe('answers', () => {
    test('every one carries the security headers', async () => {
      for (const path of ['/healthz', '/api/v1/approvals', '/nowhere', '/api/v1/services']) {
        const { headers } = await running.client().get(path)
        expect(headers.get('content-security-policy')).toContain("default-src 'none'")
        expect(headers.get('x-content-type-options')).toBe('nosniff')
        expect(headers.get('x-frame-options')).toBe('DENY')
        expect(headers.get('access-control-allow-origin')).toBeNull()
      }
    })

    test('a fault says nothing of the inside, and is logged', async () => {
      const answer = await running.client().get('/api/v1/services')
      expect(answer).toMatchObject({ status: 500, json: { code: 'internal', title: 'Something broke here; it was logged.' } })
      expect(answer.text).not.toMatch(/secret|srv|\.ts/)
      expect(running.lines.map(({ message }) => message)).toContain('a request could not be answered')
    })

    test.each([
      ['GET', '/nowhere', 404, 'not-found'],
      ['GET', '/api/v1/approvals/%00', 404, 'not-found'],
      ['GET', '/api/v1/approvals/nope', 404, 'unknown-approval'],
      ['GET', '/api/v1/incidents/inc-999', 404, 'unknown-incident'],
      ['GET', '/api/v1/drills/none', 404, 'unknown-run'],
      ['DELETE', '/api/v1/approvals', 405, 'method-not-allowed'],
      ['PUT', '/healthz', 405, 'method-not-allowed'],
      ['GET', '/webhooks/alertmanager', 405, 'method-not-allowed'],
    ])('%s %s is %d %s', async (method, path, status, code) => {
      expect(await running.client().request(method, path)).toMatchObject({
        status,
        json: { code, status, type: `urn:steadyhand:problem:${code}` },
      })
    })

    test('a HEAD answers as a GET without a body', async () => {
      expect(await running.client().request('HEAD', '/healthz')).toMatchObject({ status: 200, text: '' })
    })

    test.each([
      'limit=0',
      'limit=201',
      'limit=x',
      'limit=1.5',
      'limit=',
      'state=nope',
      'cursor=',
      'cursor=%00',
      'cursor=abc',
      `cursor=${'a'.repeat(400)}`,
    ])('a list refuses %s', async (query) => {
      for (const list of ['incidents', 'approvals', 'audit']) {
        if (list === 'audit' && query.startsWith('state')) continue
        const { status, json } = await running.client().get(`/api/v1/${list}?${query}`)
        expect({ list, status, code: json.code }).toMatchObject({
          status: 400,
          code: query.startsWith('cursor') ? 'invalid-cursor' : 'invalid-query',
        })
      }
    })

    test('a cursor of one list is none of another', async () => {
      const audit = await running.client().get('/api/v1/audit?limit=1')
      expect(audit.json.next).toMatch(/^[\w-]+$/)
      expect((await running.client().get(`/api/v1/audit?limit=1&cursor=${audit.json.next}`)).status).toBe(200)
      expect((await running.client().get(`/api/v1/approvals?cursor=${audit.json.next}`)).status).toBe(400)
    })
  })

  test('a thousand slow connections leave it answering', async () => {
    const port = Number(new URL(running.url).port)
    const sockets = Array.from({ length: 1_000 }, () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('POST /webhooks/generic HTTP/1.1\r\nHost: localhost\r\nContent-Le')
      return socket
    })
    const before = process.memoryUsage().rss
    expect((await running.client().post('/webhooks/alertmanager', anAlert('2026-03-01T12:00:00Z'))).status).toBe(202)
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024)
    for (const socket of sockets) socket.destroy()
  })
})
