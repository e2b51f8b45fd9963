import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApi, type KubernetesApi } from '../../../integrations/kubernetes/api.ts'
import { openConnection } from '../../../integrations/kubernetes/connection.ts'
import { selfSigned } from '../../../integrations/local/certificate.ts'
import { writeKubeconfig } from '../../support/kubernetes/shop-cluster.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-api-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As an account that a program gives, which is still busy when nobody waits for it any more. */
function apiOf(program: string): KubernetesApi {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', program] }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: 'http://127.0.0.1:9' } }],
    users: [{ name: 'sre', user: { exec } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'sre' } }],
  }
  writeFileSync(join(folder, 'config'), JSON.stringify(config))
  return createApi(openConnection(join(folder, 'config'), null), { now: () => new Date(), impersonateGroup: null })
}

test('an account that is long in coming is not waited for when the question is taken back', async () => {
  const api = apiOf('setTimeout(() => {}, 3_000)')
  const end = new AbortController()
  const asked = api.get('/api/v1/pods', {}, end.signal)
  end.abort()
  await expect(asked).rejects.toMatchObject({ code: 'timeout' })
  const watched = api.watch('/api/v1/pods', {}, end.signal).next()
  expect(await watched).toEqual({ value: undefined, done: true })
})

test('a watch that cannot begin leaves no timer behind', async () => {
  const api = createApi({ ok: false, words: 'no such file' }, { now: () => new Date(), impersonateGroup: null })
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  for (let i = 0; i < 100; i += 1)
    await expect(api.watch('/api/v1/pods', {}, new AbortController().signal).next()).rejects.toMatchObject({ code: 'auth' })
  expect(timers() - before).toBeLessThan(50)
})

test('asks over HTTP/1.1 where HTTP/2 is offered: a session of it that goes idle may end the process', async (context) => {
  const pair = selfSigned('localhost', 1, { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) })
  const seen: string[] = []
  const server = createSecureServer({ key: pair, cert: pair, allowHTTP1: true }, (request, response) => {
    seen.push(request.httpVersion)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"kind":"PodList"}\n')
  }).listen(0, '127.0.0.1')
  const { path, remove } = await once(server, 'listening').then(() =>
    writeKubeconfig(`https://127.0.0.1:${(server.address() as AddressInfo).port}`),
  )
  context.onTestFinished(() => {
    server.close()
    remove()
  })
  const api = createApi(openConnection(path, null), { now: () => new Date(), impersonateGroup: null })
  expect(await api.get('/api/v1/pods')).toEqual({ kind: 'PodList' })
  const heard = []
  for await (const event of api.watch('/api/v1/pods', {}, new AbortController().signal)) heard.push(event)
  expect(heard).toEqual([{ kind: 'PodList' }])
  expect(seen).toEqual(['1.1', '1.1'])
})
