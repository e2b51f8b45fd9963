import fc from 'fast-check'
import { expect, test } from 'vitest'
import { condenseTrace } from '../../../agent/investigation/condense-trace.ts'
import type { Span } from '../../../integrations/ports/traces.ts'

const span = (id: string, parent: string | null, said: Partial<Span> = {}): Span => ({
  ...{ trace: 't', id, parent, service: 'payments', operation: id, startMs: 1_000, ms: 10, failure: null, message: null },
  ...said,
})

test('one line for a span, below the one that waited for it, with what it took by itself', () => {
  const spans = [
    span('charge', 'buy', { startMs: 1_020, ms: 70, failure: 'no' }),
    span('buy', null, { service: 'checkout', ms: 100 }),
    span('ask', 'charge', { service: 'bank', startMs: 1_030, ms: 50, failure: '' }),
  ]
  const line = { count: 1, failed: 1 }
  expect(condenseTrace('t', spans, 0)).toEqual({
    ...{ id: 't', spans: 3, omitted: 0 },
    lines: [
      { ...line, depth: 0, service: 'checkout', operation: 'buy', after: 0, ms: 100, ownMs: 30, failure: null, failed: 0 },
      { ...line, depth: 1, service: 'payments', operation: 'charge', after: 20, ms: 70, ownMs: 20, failure: 'no' },
      { ...line, depth: 2, service: 'bank', operation: 'ask', after: 30, ms: 50, ownMs: 50, failure: '' },
    ],
  })
})

test('what waits for several at once waits once', () => {
  const spans = [
    span('a', null, { ms: 100 }),
    ...['b', 'c'].map((id, at) => span(id, 'a', { operation: 'query', startMs: 1_010 + 20 * at, ms: 60, service: 'db' })),
  ]
  const [first, second] = condenseTrace('t', spans, 0).lines
  expect(first).toMatchObject({ ownMs: 20 })
  expect(second).toMatchObject({ count: 2, ms: 60, ownMs: 120, depth: 1 })
})

test('a thousand calls of the same kind are one line that counts them', () => {
  const calls = Array.from({ length: 1_000 }, (_, at) => span(`q${at}`, 'list', { operation: 'SELECT', startMs: 1_000 + at, ms: 1 }))
  const { lines, spans, omitted } = condenseTrace('t', [span('list', null, { ms: 1_000 }), ...calls], 7)
  expect(lines.map(({ operation, count, ownMs }) => [operation, count, ownMs])).toEqual([
    ['list', 1, 0],
    ['SELECT', 1_000, 1_000],
  ])
  expect({ spans, omitted }).toEqual({ spans: 1_008, omitted: 7 })
})

test('of a trace with many lines, what failed and what took long stays, with all above it', () => {
  const noise = Array.from({ length: 200 }, (_, at) => span(`n${at}`, 'root', { ms: 1 }))
  const deep = [span('d1', 'root', { ms: 2 }), span('d2', 'd1', { ms: 2 }), span('d3', 'd2', { ms: 1, failure: 'gone' })]
  const { lines, omitted } = condenseTrace('t', [span('root', null, { ms: 300 }), ...noise, ...deep, span('slow', 'root', { ms: 200 })], 0)
  expect(lines.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['root', 'd1', 'd2', 'd3', 'slow']))
  expect(lines.length).toBe(24)
  expect(omitted).toBe(205 - 24)
})

test('any spans, in circles, without parents or twice: bounded and counted', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const anySpan = fc
    .record({ id, parent: fc.option(id), service: id, startMs: fc.integer({ min: 0, max: 50 }), ms: fc.integer({ min: 0, max: 50 }) })
    .map(({ id: own, parent, ...said }) => span(own, parent, said))
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 30 }), (spans) => {
      const told = condenseTrace('t', spans, 0)
      expect(told.lines.length).toBeLessThanOrEqual(24)
      expect(told.lines.reduce((sum, { count }) => sum + count, 0)).toBe(told.spans - told.omitted)
      expect(told.lines.every(({ ownMs, ms, count }) => ownMs >= 0 && ownMs <= ms * count)).toBe(true)
    }),
  )
})

test('a chain of thousands is cut at its depth, and said to be', () => {
  const chain = Array.from({ length: 5_000 }, (_, at) => span(`s${at}`, at === 0 ? null : `s${at - 1}`, { operation: 'again' }))
  const { lines, omitted } = condenseTrace('t', chain, 0)
  expect(lines.length).toBe(24)
  expect(omitted).toBe(5_000 - 24)
})
