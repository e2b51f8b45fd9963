import { afterEach, expect, test } from 'vitest'
import { tracedJob, tracedSteps } from '../../../agent/traced.ts'
import { openTrace } from '../../../bot/traces/open.ts'
import { type Collector, startCollector } from '../../support/traces/collector.ts'

const ABOUT = { version: '1.2.3', role: 'agent' }
let collector: Collector | null = null
afterEach(async () => {
  await collector?.close()
  collector = null
})

async function open(answer: number | null = 200) {
  collector = await startCollector(answer)
  const opened = await openTrace({ endpoint: collector.url, headers: { authorization: 'Bearer c' } }, ABOUT)
  return { collector, ...opened }
}

test('work is told as spans inside each other, with whose it is and what came of it', async () => {
  const { collector, trace, close } = await open()
  const kernel = tracedSteps({ advance: async () => {} } as never, trace)
  await tracedJob(trace, 'investigate', { incidentId: 'inc-7', asked: 'text <of> somebody' }, async () => {
    await trace.part('evidence', { source: 'local', kind: 'logs' }, async () => {})
    await trace.span('execution', { execution: 'e-1' }, async () => await kernel.advance('e-1', 'sent', 1, { words: 'secret words' }))
  })
  await close()
  const byName = Object.fromEntries(collector.spans.map((span) => [span.name, span]))
  const [job, evidence, execution, step] = ['job', 'evidence', 'execution', 'execution-step'].map((name) => byName[`steadyhand.${name}`])
  expect(collector.spans).toHaveLength(4)
  expect(job).toMatchObject({ attributes: { 'steadyhand.kind': 'investigate', 'steadyhand.incident': 'inc-7' } })
  expect(job?.resource).toEqual({ 'service.name': 'steadyhand', 'service.version': '1.2.3', 'steadyhand.role': 'agent' })
  expect([evidence?.parentSpanId, execution?.parentSpanId, step?.parentSpanId]).toEqual([job?.spanId, job?.spanId, execution?.spanId])
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(step?.attributes).toEqual({ 'steadyhand.execution': 'e-1', 'steadyhand.state': 'sent' })
  expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer c', 'content-type': 'application/json' })
  expect(collector.text()).not.toMatch(/somebody|secret words/)
})

test('a failure is told by its kind and not by its words, and reaches whoever asked', async () => {
  const { collector, trace, close } = await open()
  const failing = Object.assign(new TypeError('password=hunter2'), { code: 'broken' })
  await expect(trace.span('investigation', { incident: 'inc-1' }, () => Promise.reject(failing))).rejects.toBe(failing)
  await close()
  expect(collector.spans).toMatchObject([{ status: { code: 2 }, attributes: { 'error.type': 'TypeError', 'steadyhand.code': 'broken' } }])
  expect(collector.text()).not.toContain('hunter2')
})

test('what is done all the time is not told: the sweep, and questions outside an investigation', async () => {
  const { collector, trace, close } = await open()
  await tracedJob(trace, 'sweep', {}, async () => {})
  expect(await trace.part('evidence', { source: 'local', kind: 'metrics' }, async () => 'read')).toBe('read')
  await close()
  expect(collector.spans).toEqual([])
})

test.each([
  ['says no', 500],
  ['never answers', null],
])('a collector that %s stops and delays nothing, however much there is to tell', async (_, answer) => {
  const { trace, close } = await open(answer)
  const results = await Promise.all(Array.from({ length: 5_000 }, (_, i) => trace.span('job', { kind: 'intake' }, async () => i)))
  expect(results.at(-1)).toBe(4_999)
  await close()
})

test('where no collector is named nothing is loaded, and work is done as it is', async () => {
  const { trace, close } = await openTrace(null, ABOUT)
  expect(await trace.span('job', { kind: 'intake' }, async () => 42)).toBe(42)
  await close()
})
