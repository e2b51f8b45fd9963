import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { CannotListen, demandPort, type Listening, listen } from '../../bot/listen.ts'

const opened: Listening[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

const open = async (fetch: (request: Request) => Promise<Response>): Promise<Listening> => {
  const listening = await listen({ fetch, host: '127.0.0.1', port: 0 })
  opened.push(listening)
  return listening
}

test('port 0 lets the system choose, and the address is the one it chose', async () => {
  const { url, port } = await open(async () => new Response('here'))
  expect(url).toBe(`http://127.0.0.1:${port}`)
  expect(await (await fetch(url)).text()).toBe('here')
})

test.each([
  [
    'a port that is taken',
    async () => {
      const other = createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      return { host: '127.0.0.1', port: (other.address() as AddressInfo).port, after: () => other.close() }
    },
    'is in use. Stop what uses it, or choose another with PORT=',
  ],
  ['an address of another machine', async () => ({ host: '192.0.2.1', port: 0, after: () => {} }), 'which is no address of this machine'],
])('%s is named with what to do', async (_, prepare, words) => {
  const { host, port, after } = await prepare()
  const starts = [listen({ fetch: async () => new Response(), host, port }), demandPort({ host, port })]
  const refused = await Promise.all(starts.map(async (start) => await start.catch((error: unknown) => error)))
  after()
  for (const each of refused) {
    expect(each).toBeInstanceOf(CannotListen)
    expect(String(each)).toContain(words)
  }
})

test('a port that was asked for is free to be taken', async () => {
  const { port, close } = await listen({ fetch: async () => new Response('here'), host: '127.0.0.1', port: 0 })
  await close()
  await demandPort({ host: '127.0.0.1', port })
  const again = await listen({ fetch: async () => new Response('again'), host: '127.0.0.1', port })
  opened.push(again)
  expect(await (await fetch(again.url)).text()).toBe('again')
})

test('closing lets a request under way end, and takes no more', async () => {
  const begun = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const listening = await listen({
    fetch: async () => {
      begun.resolve()
      await goOn.promise
      return new Response('done')
    },
    host: '127.0.0.1',
    port: 0,
  })
  const answer = fetch(listening.url)
  await begun.promise
  const closed = listening.close()
  goOn.resolve()
  expect(await (await answer).text()).toBe('done')
  await closed
  await expect(fetch(listening.url)).rejects.toThrow()
})

test('closing does not wait for ever for a request that never ends', async () => {
  const begun = Promise.withResolvers<void>()
  const listening = await listen({
    fetch: async () => {
      begun.resolve()
      return await new Promise<Response>(() => {})
    },
    host: '127.0.0.1',
    port: 0,
  })
  const answer = fetch(listening.url).catch((error: unknown) => error)
  await begun.promise
  await listening.close()
  expect(await answer).toBeInstanceOf(Error)
})
