import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createDesiredState } from '../../../integrations/local/desired-state.ts'
import { createLogStore, type LogStore } from '../../../integrations/local/logs.ts'
import { createRestartBackoff } from '../../../integrations/local/restart-backoff.ts'
import { scriptedDeps } from './scripted-deps.ts'

const START = Date.parse('2026-03-14T02:10:00.000Z')
const payments = { service: 'payments', instance: 'payments-1a2b3c', version: 'v41' }
let second = 0
let logs: LogStore

beforeEach(async () => {
  second = 0
  const state = createDesiredState(scriptedDeps(), randomUUID)
  await state.open()
  logs = createLogStore({ state, now: () => new Date(START + second * 1_000) })
})

const write = (line: string | object, stream: 'stdout' | 'stderr' = 'stdout'): void =>
  logs.append({ ...payments, stream }, typeof line === 'string' ? line : JSON.stringify(line))
const read = (changed: { limit?: number; keep?: 'newest'; level?: 'error' | 'all'; from?: number; to?: number; service?: string } = {}) =>
  logs.read({
    service: changed.service ?? 'payments',
    from: new Date(START + (changed.from ?? 0) * 1_000),
    to: new Date(START + (changed.to ?? 100_000) * 1_000),
    limit: changed.limit ?? 100,
    level: changed.level ?? 'all',
    ...(changed.keep ? { keep: changed.keep } : {}),
  })

test('a line keeps its words, its further fields, and its trace', async () => {
  write({ time: 'x', level: 'error', service: 'payments', message: 'charge failed', traceId: 'ab'.repeat(16), status: 500 })
  const { lines, query } = await read()
  expect(lines).toEqual([
    {
      at: new Date(START),
      level: 'error',
      text: 'charge failed status=500',
      instance: 'payments-1a2b3c',
      version: 'v41',
      traceId: 'ab'.repeat(16),
    },
  ])
  expect(query).toBe('logs(payments) limit 100')
})

test.each<[string, string | object, 'stdout' | 'stderr', string, string]>([
  ['plain text', 'hello', 'stdout', 'info', 'hello'],
  ['text on standard error', 'FATAL ERROR: heap out of memory', 'stderr', 'error', 'FATAL ERROR: heap out of memory'],
  ['half a document', '{"level":"error","mess', 'stdout', 'info', '{"level":"error","mess'],
  ['a level nobody knows', { level: 'fine', message: 'x' }, 'stdout', 'info', 'x'],
  ['an endless line', { level: 'warn', message: 'x'.repeat(10_000) }, 'stdout', 'warn', 'x'.repeat(500)],
  ['a trace id that is none', { message: 'x', traceId: { evil: true } }, 'stdout', 'info', 'x'],
])('%s is kept within bounds', async (_title, line, stream, level, text) => {
  write(line, stream)
  expect((await read()).lines).toMatchObject([{ level, text, traceId: null }])
})

test('a window and a limit keep the earliest lines, and say how many were left out', async () => {
  for (second = 0; second < 10; second++) write({ level: second % 2 === 0 ? 'error' : 'info', message: `line ${second}` })
  expect((await read({ from: 2, to: 6 })).lines.map(({ text }) => text)).toEqual(['line 2', 'line 3', 'line 4', 'line 5', 'line 6'])
  const limited = await read({ limit: 3, level: 'error' })
  expect([limited.lines.map(({ text }) => text), limited.omitted]).toEqual([['line 0', 'line 2', 'line 4'], 2])
  expect(limited.query).toBe('logs(payments, level="error") limit 3')
})

test('asked for the newest, it keeps those, oldest first', async () => {
  for (second = 0; second < 10; second++) write({ level: 'info', message: `line ${second}` })
  const { lines, omitted } = await read({ limit: 2, keep: 'newest' })
  expect([lines.map(({ text }) => text), omitted]).toEqual([['line 8', 'line 9'], 8])
})

test('what was written before it was started is told of as not looked at, and so is what had to go for newer lines', async () => {
  expect((await read({ from: -60 })).unread).toMatchObject({ before: new Date(START), why: expect.stringContaining('started') })
  expect((await read({ from: 0 })).unread).toBeUndefined()
  for (; second < 5_003; second++) write({ level: 'info', message: `line ${second}` })
  expect((await read({ from: 0, keep: 'newest' })).unread).toMatchObject({
    before: new Date(START + 2_000),
    why: expect.stringContaining('5000'),
  })
  expect((await read({ from: 0, keep: 'newest', level: 'error' })).unread).toBeUndefined()
})

test('a flood of other lines does not push error lines out, and memory is bounded', async () => {
  write({ level: 'error', message: 'the one that matters' })
  for (let i = 0; i < 20_000; i++) write({ level: 'info', message: `line ${i}` })
  expect((await read({ level: 'error' })).lines.map(({ text }) => text)).toEqual(['the one that matters'])
  const { lines, omitted } = await read({ limit: 2_000 })
  expect([lines.length, omitted]).toEqual([2_000, 3_001])
})

test('a service the shop does not have has no lines', async () => {
  expect(await read({ service: 'billing' })).toMatchObject({ lines: [], omitted: 0 })
})

test('a service that keeps crashing is left alone for longer and longer, up to five seconds, and is forgiven after a minute', () => {
  const backoff = createRestartBackoff()
  expect(backoff.delayMs(0)).toBe(0)
  const delays = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000].map((at) => {
    backoff.noteCrash(at)
    return backoff.delayMs(at)
  })
  expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
  expect(backoff.delayMs(8_500)).toBe(2_500)
  expect(backoff.delayMs(20_000)).toBe(0)
  backoff.noteCrash(70_000)
  expect(backoff.delayMs(70_000)).toBe(250)
  backoff.reset()
  expect(backoff.delayMs(70_000)).toBe(0)
})
