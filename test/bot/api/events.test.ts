import { afterEach, expect, test } from 'vitest'
import { createEventHub } from '../../../agent/events.ts'
import { createEventStreams, type EventStreams } from '../../../bot/api/events.ts'
import { HttpProblem } from '../../../bot/problem.ts'

const opened: EventStreams[] = []
afterEach(() => {
  for (const streams of opened.splice(0)) streams.close()
})

function setUp(heartbeatMs = 60_000) {
  const hub = createEventHub()
  let sees = true
  const streams = createEventStreams({ hub, heartbeatMs, stillSees: async () => sees })
  opened.push(streams)
  const [endpoint] = streams.endpoints({ sight: { everything: true, sees: async () => true } })
  const open = async () => {
    // The stream looks at nothing of the request.
    const req = { param: () => ({}), query: () => ({}), header: () => undefined }
    const response = await endpoint?.serve({ req } as never, { kind: 'anyone' })
    if (!response?.body) throw new Error('no stream was opened')
    return response.body.pipeThrough(new TextDecoderStream()).getReader()
  }
  const loseSight = (): void => {
    sees = false
  }
  return { hub, streams, open, loseSight }
}

test('a stream begins with hello, then tells each event with the next id', async () => {
  const { hub, open } = setUp()
  const reader = await open()
  expect((await reader.read()).value).toBe('retry: 2000\nid: 0\nevent: hello\ndata: {}\n\n')
  hub.publish({ type: 'incident-changed', incidentId: 'inc-1' })
  hub.publish({ type: 'mode-changed' })
  expect((await reader.read()).value).toBe('id: 1\nevent: incident-changed\ndata: {"type":"incident-changed","incidentId":"inc-1"}\n\n')
  expect((await reader.read()).value).toBe('id: 2\nevent: mode-changed\ndata: {"type":"mode-changed"}\n\n')
})

test('text in an event cannot make an event of its own', async () => {
  const { hub, open } = setUp()
  const reader = await open()
  await reader.read()
  hub.publish({ type: 'incident-changed', incidentId: 'a\n\nevent: fake\ndata: {}\n\n' })
  expect((await reader.read()).value?.match(/\n\n/g)).toHaveLength(1)
})

test('a quiet stream is kept open by a heartbeat', async () => {
  const { open } = setUp(5)
  const reader = await open()
  await reader.read()
  expect((await reader.read()).value).toBe(': still here\n\n')
})

test('a stream ends with the first heartbeat after its client sees something else', async () => {
  const { streams, open, loseSight } = setUp(5)
  const reader = await open()
  await reader.read()
  expect((await reader.read()).value).toBe(': still here\n\n')
  loseSight()
  let last = await reader.read()
  while (!last.done) last = await reader.read()
  expect(streams.open()).toBe(0)
})

test('a client that does not read is let go, and the others are told', async () => {
  const { hub, streams, open } = setUp()
  await open()
  const reader = await open()
  expect(streams.open()).toBe(2)
  for (let n = 0; n < 600; n += 1) {
    hub.publish({ type: 'mode-changed' })
    await reader.read()
  }
  expect(streams.open()).toBe(1)
})

test('a client that goes away frees its place, and there are no more than a hundred', async () => {
  const { streams, open } = setUp()
  const readers = await Promise.all(Array.from({ length: 100 }, open))
  await expect(open()).rejects.toThrow(HttpProblem)
  await readers[0]?.cancel()
  await expect.poll(() => streams.open()).toBe(99)
  await open()
  expect(streams.open()).toBe(100)
})

test('closing ends every stream', async () => {
  const { streams, open } = setUp()
  const reader = await open()
  await reader.read()
  streams.close()
  expect((await reader.read()).done).toBe(true)
  expect(streams.open()).toBe(0)
})
