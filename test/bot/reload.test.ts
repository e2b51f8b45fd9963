import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLiveSecrets, type LiveSecrets } from '../../bot/config/live-secrets.ts'
import { createReload, signatureOf } from '../../bot/config/reload.ts'
import { loadConfig, type Settings, VARIABLES } from '../../bot/config.ts'
import { temporaryFolder } from '../support/peer-process.ts'

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)]
let clock = 0
let folder: { path: string; remove(): void }
beforeEach(() => {
  clock = 1_800_000_000_000
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const at = (name: string): string => join(folder.path, name)
const unnamed = (key: string) => ({ name: null, key })
const write = (name: string, text: string): void => writeFileSync(at(name), text)

/** A process that runs on files, and looks at them when it is told to. */
function begin(environment: Record<string, string>, told: (words: string) => Promise<void> = async () => {}, meanwhile = () => {}) {
  const lines: { message: string; object: object }[] = []
  const pages: string[] = []
  const log = (object: object, message: string): void => void lines.push({ message, object })
  const settings: Settings = loadConfig(environment, folder.path)
  const live: LiveSecrets = createLiveSecrets(settings, () => new Date(clock))
  const look = createReload({
    settings,
    live,
    read: () => {
      const read = loadConfig(environment, folder.path)
      meanwhile()
      return read
    },
    signatureOf,
    page: async (words) => {
      await told(words)
      pages.push(words)
    },
    log: { info: log, warn: log, error: log },
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
    expect([live.apiKeys(), live.webhookTokens(), live.modelKey('openai')]).toEqual([[unnamed(NEW)], [NEW, OLD], 'sk-new'])
    expect(lines).toEqual([{ message: 'settings were exchanged', object: { taken: ['api.keys', 'webhooks.token', 'the key of openai'] } }])
    expect(JSON.stringify([lines, pages])).not.toContain(NEW)
  })

  test('leaves senders ten minutes with the token before it, and with none before that', async () => {
    const { live, look } = begin(FILES())
    write('token', NEW)
    await look()
    clock += 599_999
    expect(live.webhookTokens()).toEqual([NEW, OLD])
    write('token', `${NEW}2`)
    await look()
    expect(live.webhookTokens()).toEqual([`${NEW}2`, NEW])
    clock += 600_000
    expect(live.webhookTokens()).toEqual([`${NEW}2`])
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
    expect(live.webhookTokens()).toEqual([NEW, OLD])
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
    expect([lines, pages]).toEqual([[], []])
    await look()
    await look()
    await look()
    expect([live.apiKeys(), live.webhookTokens()]).toEqual([[unnamed(OLD), unnamed(`${OLD}2`)], [OLD]])
    expect(lines.map(({ message }) => message)).toEqual(['settings changed and cannot be used; the former ones hold'])
    expect(pages).toEqual([expect.stringContaining('the former ones hold')])
    write('token', NEW)
    await look()
    expect([live.apiKeys(), live.webhookTokens()]).toEqual([[unnamed(NEW)], [NEW, OLD]])
  })

  test('while the files are being read is taken at the next look', async () => {
    const during = [() => write('token', `${NEW}2`)]
    const { live, look } = begin(FILES(), undefined, () => during.pop()?.())
    write('token', NEW)
    await look()
    expect(live.webhookTokens()).toEqual([NEW, OLD])
    await look()
    expect(live.webhookTokens()).toEqual([`${NEW}2`, NEW])
  })

  test('while they are read again, because they are others now, is taken at the next look', async () => {
    const during = [() => write('token', NEW), () => {}]
    const { live, look } = begin(FILES(), undefined, () => during.pop()?.())
    write('steadyhand.yaml', 'retention: { jobsDays: 2 }\n')
    await look()
    expect([during, live.webhookTokens()]).toEqual([[], [OLD]])
    await look()
    expect(live.webhookTokens()).toEqual([NEW, OLD])
  })

  test('while the process starts is taken at the first look', async () => {
    write('token', OLD)
    const { live, look } = begin(FILES())
    const started = live.webhookTokens()
    write('token', NEW)
    await look()
    expect([started, live.webhookTokens()]).toEqual([[OLD], [NEW, OLD]])
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
    expect(live.webhookTokens()).toEqual([NEW, OLD])
    expect(lines.map(({ object }) => object)).toEqual([{ taken: ['webhooks.token'] }, { waits: ['port', 'webhooks', 'retention'] }])
  })

  test('that names another address of models keeps their new key waiting: the former address is never told it', async () => {
    const settings = (host: string): void => write('steadyhand.yaml', `models: { openai: { baseUrl: "https://${host}.example/v1" } }\n`)
    settings('one')
    write('model', 'sk-old')
    const { live, look, lines } = begin({ OPENAI_API_KEY_FILE: at('model') })
    settings('another')
    write('model', 'sk-new')
    await look()
    expect(live.modelKey('openai')).toBe('sk-old')
    expect(lines.map(({ object }) => object)).toEqual([{ waits: ['models', 'the key of openai'] }])
    settings('one')
    await look()
    expect(live.modelKey('openai')).toBe('sk-new')
  })

  test('never takes a token away while the process runs', async () => {
    write('steadyhand.yaml', `webhooks: { token: ${OLD} }\napi: { keys: [${OLD}] }\n`)
    const { live, look, lines } = begin({})
    write('steadyhand.yaml', 'port: 7878\n')
    await look()
    expect([live.apiKeys(), live.webhookTokens()]).toEqual([[unnamed(OLD)], [OLD]])
    expect(lines.map(({ object }) => object)).toEqual([{ waits: ['api', 'webhooks'] }])
  })

  test('gives no token to a process that began without one: who it asks is decided at the start', async () => {
    write('steadyhand.yaml', 'port: 7878\n')
    const { live, look } = begin({})
    write('steadyhand.yaml', `webhooks: { token: ${NEW} }\n`)
    await look()
    expect(live.webhookTokens()).toEqual([])
  })

  test('that cannot be read changes nothing', async () => {
    write('steadyhand.yaml', `webhooks: { token: ${OLD} }\n`)
    const { live, look, pages } = begin({})
    write('steadyhand.yaml', `webhooks: { tokn: ${NEW} }\n`)
    await look()
    await look()
    expect(live.webhookTokens()).toEqual([OLD])
    expect(pages).toHaveLength(1)
  })
})

test('a file that is caught half written is told to nobody: it is read again before', async () => {
  write('steadyhand.yaml', `webhooks: { token: ${OLD} }\n`)
  const { live, look, lines, pages } = begin({})
  write('steadyhand.yaml', `webhooks: { token: ${NEW}`)
  await look()
  write('steadyhand.yaml', `webhooks: { token: ${NEW}, perSecond: 0 }\n`)
  await look()
  write('steadyhand.yaml', `webhooks: { token: ${NEW} }\n`)
  await look()
  expect([live.webhookTokens(), pages]).toEqual([[NEW, OLD], []])
  expect(lines.map(({ message }) => message)).toEqual(['settings were exchanged'])
})

test('what nobody could be told is told at the next look, and logged once', async () => {
  write('token', OLD)
  let isAway = true
  const { look, lines, pages } = begin({ STEADYHAND_WEBHOOK_TOKEN_FILE: at('token') }, async () => {
    if (isAway) throw new Error('the database is away')
  })
  write('token', 'short')
  await look()
  await expect(look()).rejects.toThrow('away')
  await expect(look()).rejects.toThrow('away')
  isAway = false
  await look()
  await look()
  expect([pages.length, lines.length]).toEqual([1, 1])
})

test('every secret is taken from the file that NAME_FILE names', () => {
  const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) => (secret ? [name] : []))
  const environment: Record<string, string> = {
    OIDC_ISSUER: 'https://login.example.com',
    OIDC_CLIENT_ID: 'a',
    PROMETHEUS_URL: 'http://one.example',
    LOKI_URL: 'http://two.example',
    JAEGER_URL: 'http://four.example',
    TEMPO_URL: 'http://five.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://three.example',
  }
  const contentOf = (name: string): string =>
    name.endsWith('_URL') ? `https://${name.toLowerCase().replaceAll('_', '-')}.example/ping` : `${name}-${'x'.repeat(40)}`
  for (const name of secrets) {
    write(name, `${name.endsWith('_HEADERS') ? 'authorization=' : ''}${contentOf(name)}\n`)
    environment[`${name}_FILE`] = at(name)
  }
  write(
    'steadyhand.yaml',
    [
      'mcp: [{ name: tickets, url: "http://seven.example", data: logs }]',
      'alertmanager: [{ url: "http://six.example" }]',
      'github: [{ repositories: { payments: { repository: acme/payments } }, actions: [revert-commit] }]',
      'gitlab: [{ repositories: { payments: { repository: acme/payments } } }]\n',
    ].join('\n'),
  )
  const settings = loadConfig(environment, folder.path)
  for (const name of secrets) expect(JSON.stringify(settings)).toContain(contentOf(name))
  expect(settings.files.toSorted()).toEqual([...secrets, 'steadyhand.yaml'].map(at).sort())
})
