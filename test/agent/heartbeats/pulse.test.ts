import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWatchTurn } from '../../../agent/detection/watch-turn.ts'
import { createPulse } from '../../../agent/heartbeats/pulse.ts'
import { call } from '../../../integrations/http.ts'

const SECRET = '/ping/4f1c-secret'
let asked: string[] = []
let answer = 200
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  response.writeHead(answer, answer === 302 ? { location: '/elsewhere' } : {}).end(`words of ${request.url}`)
})
beforeEach(async () => {
  ;[asked, answer] = [[], 200]
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function setUp(change: { acts?: () => Promise<boolean>; url?: string } = {}) {
  let time = Date.parse('2026-03-01T10:00:00.000Z')
  const warned: string[] = []
  const pass = (seconds: number): void => {
    time += seconds * 1_000
  }
  const url = change.url ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}${SECRET}`
  const pulse = () =>
    createPulse({
      everySeconds: 60,
      send: (signal) => call({ integration: 'heartbeat', url, headers: {}, timeoutMs: 10_000 }, signal),
      acts: change.acts ?? (async () => true),
      now: () => new Date(time),
      log: { info: () => {}, error: () => {}, warn: (object, message) => warned.push(`${message} ${JSON.stringify(object)}`) },
    })
  return { pulse, warned, pass }
}

const signal = new AbortController().signal

test('calls the address at once, and then once in each period', async () => {
  const { pulse, pass } = setUp()
  const one = pulse()
  for (let round = 0; round < 25; round += 1) {
    await one.round(signal)
    pass(5)
  }
  expect(asked).toEqual(Array.from({ length: 3 }, () => `GET ${SECRET}`))
})

test('is quiet while nothing would be done, so that somebody else pages', async () => {
  let acts = false
  const { pulse } = setUp({ acts: async () => acts })
  const one = pulse()
  await one.round(signal)
  expect(asked).toEqual([])
  acts = true
  await one.round(signal)
  expect(asked).toHaveLength(1)
})

test.each([
  [500, 'answered 500'],
  [302, 'cannot be reached'],
])('an answer %i is told to the log without the address, not followed, and soon tried again', async (status, words) => {
  answer = status
  const { pulse, warned, pass } = setUp()
  const one = pulse()
  await one.round(signal)
  await one.round(signal)
  expect(asked).toEqual([`GET ${SECRET}`])
  expect(warned).toEqual([expect.stringContaining(words)])
  expect(warned.join()).not.toContain('secret')
  answer = 200
  pass(30)
  await one.round(signal)
  expect(asked).toHaveLength(2)
})

test('a server that is away stops nothing', async () => {
  const { pulse, warned } = setUp({ url: 'http://127.0.0.1:9/secret' })
  await pulse().round(signal)
  expect(warned).toHaveLength(1)
  expect(warned.join()).not.toContain('secret')
})

test('of two replicas one calls: the one that has the lease', async () => {
  const { pulse } = setUp()
  let holder: string | null = null
  const replica = (name: string) =>
    createWatchTurn({
      lease: {
        acquire: async () => {
          holder ??= name
          return holder === name ? { epoch: 1 } : null
        },
        renew: async () => holder === name,
        release: async () => {
          holder = null
        },
      },
      watches: [pulse()],
    })
  const [a, b] = [replica('a'), replica('b')]
  for (const each of [a, b, a, b]) await each.round()
  expect(asked).toHaveLength(1)
  await a.end()
  await b.round()
  expect(asked).toHaveLength(2)
  await b.end()
})
