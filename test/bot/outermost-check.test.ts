import { networkInterfaces } from 'node:os'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type Checked, type OwnNames, outermostCheck } from '../../bot/outermost-check.ts'
import { HttpProblem } from '../../bot/problem.ts'

const ask = async (names: Partial<OwnNames>, host: string, origin?: string): Promise<string> => {
  const app = new Hono<Checked>()
  app.use('*', outermostCheck({ host: '127.0.0.1', publicUrl: null, hosts: [], ...names }))
  app.get('/', (context) => context.text('in'))
  app.onError((error, context) => context.text(error instanceof HttpProblem ? error.code : String(error)))
  const answer = await app.request(`http://${host}/`, { headers: { host, ...(origin === undefined ? {} : { origin }) } })
  return await answer.text()
}

describe('behind a proxy', () => {
  const names = { publicUrl: 'https://sh.example.com' }
  test('the public name is ours, with its own pages only', async () => {
    expect(await ask(names, 'sh.example.com')).toBe('in')
    expect(await ask(names, 'sh.example.com', 'https://sh.example.com')).toBe('in')
    expect(await ask(names, 'sh.example.com', 'https://other.example.com')).toBe('foreign-origin')
    expect(await ask(names, 'example.com')).toBe('foreign-host')
    expect(await ask(names, 'sh.example.com.evil.example')).toBe('foreign-host')
  })
})

describe('on every address of the machine', () => {
  const names = { host: '0.0.0.0', hosts: ['steadyhand.oncall.svc'] }
  test('it answers to its addresses and to the names it was given', async () => {
    const own = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
    )
    for (const host of [...own, 'localhost', 'steadyhand.oncall.svc:7878']) expect(await ask(names, host)).toBe('in')
    expect(await ask(names, '192.0.2.77')).toBe('foreign-host')
  })
  test('a loopback server answers to none of them', async () => expect(await ask({}, 'steadyhand.oncall.svc')).toBe('foreign-host'))
})

test.each(['', 'a b', 'localhost:99999999', 'localhost:', '[::1', '127.0.0.1@localhost'])('%j is no host', async (host) => {
  const app = new Hono<Checked>()
  app.use('*', outermostCheck({ host: '127.0.0.1', publicUrl: null, hosts: [] }))
  app.onError((error, context) => context.text(error instanceof HttpProblem ? error.code : 'fault'))
  const request = new Request('http://localhost/')
  request.headers.set('host', host.replace(/[^\x20-\x7e]/g, ''))
  if (host.includes('\u00e9')) return
  expect(await (await app.fetch(request)).text()).toBe('foreign-host')
})
