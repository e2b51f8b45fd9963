import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLiveSecrets, type LiveSecrets } from '../../bot/config/live-secrets.ts'
import { createReload, signatureOf } from '../../bot/config/reload.ts'
import { loadConfig, type Settings, VARIABLES } from '../../bot/config.ts'
import { temporaryFolder } from '../support/peer-process.ts'

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)]
let folder: { path: string; remove(): void }
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const at = (name: string): string => join(folder.path, name)
const unnamed = (key: string) => ({ name: null, key })
const write = (name: string, text: string): void => writeFileSync(at(name), text)

/** A process that runs on files, and looks at them when it is told to. */
function begin(environment: Record<string, string>) {
  const lines: { message: string; object: object }[] = []
  const pages: string[] = []
  const told = (object: object, message: string): void => void lines.push({ message, object })
  const read = (): Settings => loadConfig(environment, folder.path)
  const settings = read()
  const live: LiveSecrets = createLiveSecrets(settings)
  const look = createReload({
    settings,
    live,
    read,
    signatureOf,
    page: async (words) => void pages.push(words),
    log: { info: told, warn: told, error: told },
  })
  return { live, look, lines, pages }
}

const FILES = () => ({ STEADYHAND_API_KEYS_FILE: at('keys'), STEADYHAND_WEBHOOK_TOKEN_FILE: at('token'), OPENAI_API_KEY_FILE: at('model') })

describe('a secret that changes on disk', () => {
  beforeEach(() => {
    write('keys', `${OLD},${OLD}2`)
    write('token', OLD)
    write('model', 'sk-old')
  })

  test('is exchanged: the new one holds and the old one no more', async () => {
    const { live, look, lines, pages } = begin(FILES())
    write('keys', `${NEW}\n`)
    write('token', NEW)
    write('model', 'sk-new')
    await look()
    expect([live.apiKeys(), live.webhookToken(), live.modelKey('openai')]).toEqual([[unnamed(NEW)], NEW, 'sk-new'])
    expect(lines).toEqual([{ message: 'settings were exchanged', object: { taken: ['api.keys', 'webhooks.token', 'the key of openai'] } }])
    expect(JSON.stringify([lines, pages])).not.toContain(NEW)
  })

  test('as a mounted Secret does, by another folder behind the same path, is noticed', async () => {
    for (const [version, token] of [
      ['1', OLD],
      ['2', NEW],
    ] as const) {
      mkdirSync(at(version))
      write(`${version}/token`, token)
    }
    symlinkSync('1', at('..data'))
    const { live, look } = begin({ STEADYHAND_WEBHOOK_TOKEN_FILE: at('..data/token') })
    symlinkSync('2', at('..new'))
    renameSync(at('..new'), at('..data'))
    await look()
    expect(live.webhookToken()).toBe(NEW)
  })

  test.each([
    ['too short', () => write('token', 'short')],
    ['empty', () => write('token', '')],
    ['gone', () => rmSync(at('token'))],
  ])('and is %s changes nothing, and is told once', async (_, spoil) => {
    const { live, look, lines, pages } = begin(FILES())
    write('keys', NEW)
    spoil()
    await look()
    await look()
    expect([live.apiKeys(), live.webhookToken()]).toEqual([[unnamed(OLD), unnamed(`${OLD}2`)], OLD])
    expect(lines.map(({ message }) => message)).toEqual(['settings changed and cannot be used; the former ones hold'])
    expect(pages).toEqual([expect.stringContaining('the former ones hold')])
    write('token', NEW)
    await look()
    expect([live.apiKeys(), live.webhookToken()]).toEqual([[unnamed(NEW)], NEW])
  })

  test('is left alone while nothing changes', async () => {
    const { look, lines } = begin(FILES())
    await look()
    expect(lines).toEqual([])
  })
})

describe('keys of workspaces', () => {
  const space = (name: string, services: string, keys: string): string =>
    `  - { name: ${name}, services: [${services}], keys: [${keys}] }\n`
  const PAY = `workspaces:\n${space('pay', 'payments', 'deploys')}`
  const keysFrom = { STEADYHAND_API_KEYS_FILE: '' }
  beforeEach(() => {
    keysFrom.STEADYHAND_API_KEYS_FILE = at('keys')
    write('keys', `${OLD},deploys:${OLD}2`)
    write('steadyhand.yaml', PAY)
  })

  test('are exchanged with their names', async () => {
    const { live, look } = begin(keysFrom)
    write('keys', `${NEW},deploys:${NEW}2`)
    await look()
    expect(live.apiKeys()).toEqual([unnamed(NEW), { name: 'deploys', key: `${NEW}2` }])
  })

  test('wait for a start where the name stands for something else by now; what is gone holds no more', async () => {
    const { live, look, lines } = begin(keysFrom)
    write('steadyhand.yaml', `workspaces:\n${space('shop', 'basket', 'deploys')}`)
    write('keys', `${NEW},deploys:${NEW}2`)
    await look()
    expect(live.apiKeys()).toEqual([unnamed(NEW)])
    expect(lines.map(({ object }) => object)).toEqual([{ taken: ['api.keys'] }, { waits: ['api.keys', 'workspaces'] }])
  })

  test('wait for a start when the first workspace comes: until then everybody sees everything', async () => {
    write('keys', OLD)
    write('steadyhand.yaml', '')
    const { live, look } = begin(keysFrom)
    write('steadyhand.yaml', PAY)
    write('keys', `${OLD},deploys:${NEW}`)
    await look()
    expect(live.apiKeys()).toEqual([unnamed(OLD)])
  })

  test('that a workspace names stay when they are gone from the file: such settings cannot be used', async () => {
    const { live, look, pages } = begin(keysFrom)
    write('keys', NEW)
    await look()
    expect(live.apiKeys()).toEqual([unnamed(OLD), { name: 'deploys', key: `${OLD}2` }])
    expect(pages).toHaveLength(1)
  })
})

describe('the settings file', () => {
  test('is read again: a token in it is exchanged, and what needs a start is named', async () => {
    write('steadyhand.yaml', `port: 8000\nwebhooks: { token: ${OLD} }\n`)
    const { live, look, lines } = begin({})
    write('steadyhand.yaml', `port: 8001\nwebhooks: { token: ${NEW}, burst: 5 }\nretention: { jobsDays: 2 }\n`)
    await look()
    expect(live.webhookToken()).toBe(NEW)
    expect(lines.map(({ object }) => object)).toEqual([{ taken: ['webhooks.token'] }, { waits: ['port', 'webhooks', 'retention'] }])
  })

  test('never takes a token away while the process runs', async () => {
    write('steadyhand.yaml', `webhooks: { token: ${OLD} }\napi: { keys: [${OLD}] }\n`)
    const { live, look, lines } = begin({})
    write('steadyhand.yaml', 'port: 7878\n')
    await look()
    expect([live.apiKeys(), live.webhookToken()]).toEqual([[unnamed(OLD)], OLD])
    expect(lines.map(({ object }) => object)).toEqual([{ waits: ['api', 'webhooks'] }])
  })

  test('gives no token to a process that began without one: who it asks is decided at the start', async () => {
    write('steadyhand.yaml', 'port: 7878\n')
    const { live, look } = begin({})
    write('steadyhand.yaml', `webhooks: { token: ${NEW} }\n`)
    await look()
    expect(live.webhookToken()).toBeNull()
  })

  test('that cannot be read changes nothing', async () => {
    write('steadyhand.yaml', `webhooks: { token: ${OLD} }\n`)
    const { live, look, pages } = begin({})
    write('steadyhand.yaml', `webhooks: { tokn: ${NEW} }\n`)
    await look()
    expect(live.webhookToken()).toBe(OLD)
    expect(pages).toHaveLength(1)
  })
})

test('every secret is taken from the file that NAME_FILE names', () => {
  const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) => (secret ? [name] : []))
  const environment: Record<string, string> = {
    OIDC_ISSUER: 'https://login.example.com',
    OIDC_CLIENT_ID: 'a',
    PROMETHEUS_URL: 'http://one.example',
    LOKI_URL: 'http://two.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://three.example',
  }
  const contentOf = (name: string): string =>
    name.endsWith('_URL') ? `https://${name.toLowerCase().replaceAll('_', '-')}.example/ping` : `${name}-${'x'.repeat(40)}`
  for (const name of secrets) {
    write(name, `${name.endsWith('_HEADERS') ? 'authorization=' : ''}${contentOf(name)}\n`)
    environment[`${name}_FILE`] = at(name)
  }
  const settings = loadConfig(environment, folder.path)
  for (const name of secrets) expect(JSON.stringify(settings)).toContain(contentOf(name))
  expect(settings.files.toSorted()).toEqual(secrets.map(at).sort())
})
