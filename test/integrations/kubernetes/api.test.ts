import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApi, type KubernetesApi } from '../../../integrations/kubernetes/api.ts'
import { openConnection } from '../../../integrations/kubernetes/connection.ts'

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
