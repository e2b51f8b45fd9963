import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DATA_KINDS } from '../../agent/domain/model-data.ts'
import { settingsFileSchema } from '../../bot/config/settings-file.ts'
import { ConfigError, exposureProblem, isLoopback, loadConfig, type Settings } from '../../bot/config.ts'
import { mayUseNames } from '../../bot/configured-people.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const TOKEN = 'a'.repeat(32)

function load(environment: Record<string, string> = {}, yaml?: string): Settings {
  if (yaml !== undefined) writeFileSync(join(folder, 'steadyhand.yaml'), yaml)
  return loadConfig(environment, folder)
}

function problemsOf(environment: Record<string, string>, yaml?: string): readonly string[] {
  try {
    load(environment, yaml)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('defaults', () => {
  test('nothing configured: this machine only, three people, the local target', () => {
    expect(load()).toMatchObject({
      file: null,
      host: '127.0.0.1',
      port: 7878,
      dataDir: join(folder, 'data'),
      databaseUrl: null,
      peopleConfigured: false,
      api: { keys: [] },
      webhooks: { token: null },
      local: { enabled: true },
    })
    expect(load().people.map(({ id, roles, environments }) => [id, roles, environments])).toEqual([
      ['alice', ['approver'], ['local']],
      ['carol', ['approver'], ['local']],
      ['bob', ['viewer'], ['local']],
    ])
  })

  test('an empty file changes nothing', () => expect(load({}, '# nothing yet\n').people).toHaveLength(3))
})

describe('the file', () => {
  test('is read as the contract shows it', () => {
    const settings = load(
      {},
      `people:
  - { id: alice, name: Alice, roles: [approver], links: [{ surface: slack, tenant: T0123, id: U0123 }, { surface: teams, tenant: t, id: o }] }
slack: { channel: C0123 }
`,
    )
    expect(settings.peopleConfigured).toBe(true)
    expect(settings.people).toEqual([
      {
        id: 'alice',
        name: 'Alice',
        roles: ['approver'],
        environments: null,
        links: [
          { surface: 'slack', tenant: 'T0123', externalId: 'U0123' },
          { surface: 'teams', tenant: 't', externalId: 'o' },
        ],
      },
    ])
    expect(settings.slack.channel).toBe('C0123')
  })

  test.each([
    ['a misspelt key', 'peple: []', 'peple is not a setting. Did you mean "people"?'],
    ['a misspelt key inside', 'webhooks: { tokn: x }', 'webhooks.tokn is not a setting. Did you mean "token"?'],
    [
      'a misspelt key of a list',
      'people: [{ id: a, name: A, roles: [viewer], link: [] }]',
      'people[0].link is not a setting. Did you mean "links"?',
    ],
    ['a key nobody meant', 'zzzzzzzz: 1', 'zzzzzzzz is not a setting. Known here: '],
    ['an unknown role', 'people: [{ id: a, name: A, roles: [boss] }]', 'people[0].roles[0]: '],
    ['a person without a role', 'people: [{ id: a, name: A, roles: [] }]', 'must name at least one role'],
    ['a person twice', 'people: [{ id: a, name: A, roles: [viewer] }, { id: a, name: B, roles: [viewer] }]', '"a" is there twice'],
    [
      'two people behind one account',
      'people: [{ id: a, name: A, roles: [viewer], links: [{ surface: slack, tenant: T, id: U }] }, { id: b, name: B, roles: [viewer], links: [{ surface: slack, tenant: T, id: U }] }]',
      'belongs to both a and b',
    ],
    [
      'a link to the local console by hand',
      'people: [{ id: a, name: A, roles: [viewer], links: [{ surface: console, tenant: local, id: alice }] }]',
      'those are made by the process itself',
    ],
    ['a key twice', 'port: 1\nport: 2\n', 'steadyhand.yaml:2: this key is there twice: keep one'],
    ['broken YAML', 'host: a\npeople: [', 'steadyhand.yaml:2: a bracket is opened and not closed'],
    ['an indentation of nowhere', 'log:\n    level: info\n  format: json', 'steadyhand.yaml:3: the indentation does not fit'],
    ['a tab', 'log:\n\tlevel: info', 'steadyhand.yaml:2: a tab is no indentation in YAML'],
    ['a space too few', 'people:\n  - id: a\n   name: A', 'steadyhand.yaml:3: something is missing here'],
    ['text where a number belongs', 'host: a\nport: abc', 'steadyhand.yaml:2: port: must be a whole number, and is "abc"'],
    [
      'a slip in a word of a list',
      'log:\n  level: wran',
      'steadyhand.yaml:2: log.level: must be one of debug, info, warn, error, silent; did you mean "warn"?',
    ],
    ['yes for true', 'local:\n  enabled: yes', 'steadyhand.yaml:2: local.enabled: must be true or false, and is "yes"'],
    ['one thing where a list belongs', 'hosts: a', 'steadyhand.yaml:1: hosts: must be a list, and is text'],
    ['what is missing', 'people:\n  - { id: a, roles: [viewer] }', 'steadyhand.yaml:2: people[0].name: is missing'],
    ['a misspelt key, with its line', 'host: a\nwebhooks:\n  perSecond: 5\n  tokn: x', 'steadyhand.yaml:4: webhooks.tokn is not a setting'],
    ['a short token', 'webhooks: { token: secret }', 'at least 32 characters'],
    ['a list where settings belong', '- a\n- b\n', 'the file: '],
    ['a port out of range', 'port: 70000', 'port: '],
    ['probes where people are served', 'port: 8000\nhealthPort: 8000', 'where people are served: choose another'],
    ['a promise that nothing ever fails', 'slos: [{ service: a, environment: b, objective: 1 }]', 'slos[0].objective'],
    [
      'a promise twice',
      'slos: [{ service: a, environment: b, objective: 0.99 }, { service: a, environment: b, objective: 0.9 }]',
      'slos: a in b (error_ratio) is there twice',
    ],
    [
      'what is done to applications that nobody says the place of',
      'kubernetes: { environments: [{ name: a, namespaces: [shop], actions: [argo-sync] }] }',
      '"a" names actions of Argo CD and no argocdNamespace',
    ],
    ['a heartbeat twice', 'heartbeats: { expected: [{ name: a }, { name: a }] }', 'heartbeats.expected: "a" is there twice'],
    ['a heartbeat that is missed at once', 'heartbeats: { expected: [{ name: a, withinSeconds: 5 }] }', 'must be a minute at least'],
  ])('refuses %s', (_, yaml, words) => expect(problemsOf({}, yaml).join('\n')).toContain(words))

  test('names every problem at once, with the file', () => {
    const problems = problemsOf({ PORT: 'x', LOG_LEVEL: 'loud' }, 'prt: 1\nhsot: a\n')
    expect(problems).toHaveLength(4)
    expect(problems[0]).toContain(join(folder, 'steadyhand.yaml'))
  })

  test('a file that was named and is not there is a problem, not a default', () => {
    expect(problemsOf({ STEADYHAND_CONFIG: 'elsewhere.yaml' }).join()).toContain('cannot be read')
  })

  test('an alias bomb is refused', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((to, i) => `${to}: &${to} [${`*${'abcdefgh'[i]},`.repeat(10)}]`),
    ]
    expect(problemsOf({}, bomb.join('\n')).join()).toContain('alias')
  })
})

describe('what services promise', () => {
  test('is about errors, or about minutes that are fast enough', () => {
    expect(load().slos).toEqual([])
    const of = '{ service: a, environment: b, objective: 0.99'
    expect(load({}, `slos: [${of} }, ${of}, days: 7, p99AtMostSeconds: 0.5 }]`).slos).toEqual([
      { service: 'a', environment: 'b', objective: 0.99, days: 30, of: { metric: 'error_ratio' } },
      { service: 'a', environment: 'b', objective: 0.99, days: 7, of: { metric: 'latency_p99', atMostSeconds: 0.5 } },
    ])
  })
})

describe('workspaces', () => {
  const people = 'people: [{ id: ann, name: Ann, roles: [viewer] }]\n'
  const space = (rest: string): string => `${people}workspaces: [{ name: pay, ${rest} }]\n`

  test('hold what is named; what is left out is every one, and nobody', () => {
    expect(load().workspaces).toEqual([])
    expect(load({}, space('services: [pay*]')).workspaces).toEqual([
      { name: 'pay', services: ['pay*'], environments: null, data: [...DATA_KINDS], people: [], keys: [], channels: [] },
    ])
  })

  test.each([
    ['one of everything, by leaving out', space('people: [ann]'), /services: \["\*"\] is every one/],
    ['a key that is none', space('services: [pay], keys: [deploys]'), /pay names the key deploys, which there is not/],
    ['a kind of data that is none', space('services: [pay], data: [secrets]'), /workspaces\[0\]\.data/],
    ['a slip in a key', space('service: [pay], environments: [x]'), /Did you mean "services"/],
    ['what is no channel', space('services: [pay], channels: ["#pay"]'), /must be the id of a channel/],
    ['two of a name', 'workspaces: [{ name: a, services: [x] }, { name: a, services: [y] }]', /"a" is there twice/],
    [
      'a channel of two',
      'workspaces: [{ name: a, services: [x], channels: [C0A] }, { name: b, services: [y], channels: [C0A] }]',
      /the channel C0A of b belongs to another workspace too|the channel C0A of a/,
    ],
  ])('refuse %s', (_what, yaml, words) => expect(problemsOf({}, yaml).join('\n')).toMatch(words))
})

describe('the environment', () => {
  test('wins over the file', () => {
    expect(load({ PORT: '0', HOST: 'localhost' }, 'port: 9000\nhost: 127.0.0.2\n')).toMatchObject({ port: 0, host: 'localhost' })
  })

  test('a secret can come from a file', () => {
    writeFileSync(join(folder, 'token'), `${TOKEN}\n`)
    expect(load({ STEADYHAND_WEBHOOK_TOKEN_FILE: join(folder, 'token') }).webhooks.token).toBe(TOKEN)
  })

  test('one key of two programs is refused, also where it is written with a name before it', () => {
    const problems = (keys: string): string => problemsOf({ STEADYHAND_API_KEYS: keys }).join('\n')
    expect(problems(`a:${TOKEN},b:${TOKEN}`)).toContain('"a" and "b" are the same key')
    expect(problems(`a:b:${TOKEN},b:${TOKEN}`)).toContain('"a" and "b" are the same key')
    expect(problems(`${TOKEN},b:${TOKEN}`)).toContain('one without a name and "b" are the same key')
    expect(load({ STEADYHAND_API_KEYS: `a:${TOKEN},a:${'b'.repeat(40)}` }).api.keys).toHaveLength(2)
  })

  test('several keys are separated by commas', () => {
    const keys = load({ STEADYHAND_API_KEYS: `${TOKEN}, deploys:${'b'.repeat(40)}` }).api.keys
    expect(keys).toEqual([
      { name: null, key: TOKEN },
      { name: 'deploys', key: 'b'.repeat(40) },
    ])
  })

  test.each([
    [
      'a key that is short behind its name',
      { STEADYHAND_API_KEYS: `deploys-of-the-whole-company:${'k'.repeat(20)}` },
      'An API key is shorter',
    ],
    ['a blank signing secret', { SLACK_SIGNING_SECRET: '' }, 'SLACK_SIGNING_SECRET is set but blank'],
    ['a signing secret of spaces', { SLACK_SIGNING_SECRET: '  ' }, 'SLACK_SIGNING_SECRET is set but blank'],
    ['a secret file that is not there', { DATABASE_URL_FILE: '/nowhere/url' }, 'cannot be read'],
    ['a secret given twice', { DATABASE_URL: 'postgres://a', DATABASE_URL_FILE: '/dev/null' }, 'which is empty'],
    ['a short API key', { STEADYHAND_API_KEYS: 'short' }, 'shorter than 32'],
    ['a port that is none', { PORT: '80a' }, 'PORT is 80a'],
  ])('refuses %s', (_, environment, words) => expect(problemsOf(environment).join('\n')).toContain(words))

  test('a secret that is refused is not repeated', () => {
    expect(problemsOf({ STEADYHAND_API_KEYS: 'short-secret' }).join('\n')).not.toContain('short-secret')
  })
})

describe('servers of telemetry', () => {
  test('a token of the environment is for the first server only; each other has its own, or none', () => {
    writeFileSync(join(folder, 'token'), 'of-the-second\n')
    const servers = [
      '- { url: http://one.example }',
      `- { url: http://two.example, tokenFile: ${join(folder, 'token')} }`,
      '- { url: http://three.example }',
    ]
    const yaml = ['prometheus', 'loki', 'jaeger', 'tempo']
      .flatMap((vendor) => [`${vendor}:`, ...servers.map((line) => `  ${line}`)])
      .join('\n')
    const token = 'of-the-first'
    const tokens = { PROMETHEUS_TOKEN: token, LOKI_TOKEN: token, JAEGER_TOKEN: token, TEMPO_TOKEN: token }
    const { sources } = load(tokens, yaml)
    for (const vendor of [sources.prometheus, sources.loki, sources.jaeger, sources.tempo])
      expect(vendor.map(({ token }) => token)).toEqual(['of-the-first', 'of-the-second', null])
  })

  test.each([
    ['STEADYHAND_HEARTBEAT_URL', { STEADYHAND_HEARTBEAT_URL: 'https://reader:hush-hush@one.example/ping' }, ''],
    ['PROMETHEUS_URL', { PROMETHEUS_URL: 'http://reader:hush-hush@one.example' }, ''],
    ['TEMPO_URL', { TEMPO_URL: 'http://reader:hush-hush@one.example' }, ''],
    ['LOKI_URL', { LOKI_URL: 'ftp://reader:hush-hush@one.example' }, ''],
    ['OPENAI_BASE_URL', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'https://reader:hush-hush@one.example/v1' }, ''],
    ['ANTHROPIC_BASE_URL', { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'reader:hush-hush@one.example:x:' }, ''],
    ['prometheus[0].url', {}, 'prometheus:\n  - { url: "http://reader:hush-hush@one.example" }\n'],
    ['loki[0].linkUrl', {}, 'loki:\n  - { url: "http://one.example", linkUrl: "http://hush-hush@one.example" }\n'],
    ['models.openai.baseUrl', {}, 'models:\n  openai: { baseUrl: "https://reader:hush-hush@one.example/v1" }\n'],
  ])('%s with a password in it is refused, and not repeated', (name, environment, yaml) => {
    const problems = problemsOf(environment, yaml).join('\n')
    expect(problems).toContain(name)
    expect(problems).not.toContain('hush-hush')
  })

  test('alerts are silenced only where the file says so, at one server an environment, on a database that keeps what it says', () => {
    const at = (more: string) => `  - { url: "http://one.example"${more} }\n`
    expect(load({ ALERTMANAGER_URL: 'http://other.example' }).sources.alertmanager).toEqual([])
    const { sources } = load({ ALERTMANAGER_TOKEN: 'hush' }, `alertmanager:\n${at(', acceptEmbeddedDatabase: true')}`)
    expect(sources.alertmanager).toEqual([{ environment: 'production', url: 'http://one.example', token: 'hush' }])
    expect(problemsOf({}, `alertmanager:\n${at('')}`).join()).toContain('there is no DATABASE_URL')
    expect(problemsOf({ DATABASE_URL: 'postgres://a' }, `alertmanager:\n${at('')}${at('')}`).join()).toContain(
      '"production" is there twice',
    )
  })

  test('repositories are read where the file names them, with the token of the first or of the file', () => {
    expect(load({ GITHUB_TOKEN: 'hush' }).sources.github).toEqual([])
    writeFileSync(join(folder, 'token'), 'of-the-second\n')
    const { sources } = load(
      { GITHUB_TOKEN: 'hush' },
      `github:
  - repositories: { payments: { repository: acme/payments } }
  - { url: https://git.example/api/v3/, environment: eu, tokenFile: ${join(folder, 'token')}, repositories: { a: { repository: a/b, versions: "v{version}" } } }
`,
    )
    expect(sources.github).toEqual([
      {
        ...{ environment: 'production', url: 'https://api.github.com', token: 'hush', writeToken: null, actions: [] },
        repositories: { payments: { repository: 'acme/payments', versions: '{version}', manifests: null } },
      },
      {
        ...{ environment: 'eu', url: 'https://git.example/api/v3', token: 'of-the-second', writeToken: null, actions: [] },
        repositories: { a: { repository: 'a/b', versions: 'v{version}', manifests: null } },
      },
    ])
    const gitlab = load({ GITLAB_TOKEN: 'hush' }, 'gitlab:\n  - repositories: { a: { repository: acme/team/a, versions: "{commit}" } }\n')
    expect(gitlab.sources.gitlab).toEqual([
      {
        ...{ environment: 'production', url: 'https://gitlab.com', token: 'hush' },
        repositories: { a: { repository: 'acme/team/a', versions: '{commit}' } },
      },
    ])
    const one = (repository: string) => problemsOf({}, `github:\n  - repositories: { a: ${repository} }\n`).join()
    expect(one('{ repository: "https://github.com/a/b" }')).toContain('must be OWNER/NAME')
    expect(one('{ repository: a/b, versions: v }')).toContain('must hold {version} or {commit}, once')
  })

  test('pull requests are opened only where the file says so, with a token of their own, on a database that keeps what it says', () => {
    const yaml = (more: string) =>
      `github:\n  - { actions: [change-value], repositories: { a: { repository: a/b, manifests: a/deploy } }${more} }\n`
    const { sources } = load({ GITHUB_TOKEN: 'hush', GITHUB_WRITE_TOKEN: 'write' }, yaml(', acceptEmbeddedDatabase: true'))
    expect(sources.github).toMatchObject([
      { token: 'hush', writeToken: 'write', actions: ['github.change-value'], repositories: { a: { manifests: 'a/deploy' } } },
    ])
    expect(problemsOf({}, yaml('')).join()).toContain('github names actions, and there is no DATABASE_URL')
    expect(problemsOf({ DATABASE_URL: 'postgres://a', GITHUB_TOKEN: 'x', GITHUB_WRITE_TOKEN: 'x' }, yaml('')).join()).toContain(
      'one token reads and writes',
    )
  })

  test('a token file that cannot be read is a problem by its name in the settings', () => {
    const yaml = 'loki:\n  - { url: http://one.example, tokenFile: /nowhere/token }\n'
    expect(problemsOf({}, yaml).join()).toContain('loki[0].tokenFile names /nowhere/token, which cannot be read')
  })
})

describe('exposure', () => {
  test.each(['127.0.0.1', '127.0.0.53', 'localhost', '::1'])('%s is this machine', (host) => expect(isLoopback(host)).toBe(true))
  test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com', '127.1'])('%s is not', (host) =>
    expect(isLoopback(host)).toBe(false),
  )

  test('needs both tokens on any other address', () => {
    expect(exposureProblem(load())).toBeNull()
    expect(exposureProblem(load({ HOST: '0.0.0.0' }))).toContain('no api.keys (or STEADYHAND_API_KEYS) and no webhooks.token')
    expect(exposureProblem(load({ HOST: '0.0.0.0', STEADYHAND_API_KEYS: TOKEN }))).toContain('no webhooks.token')
    expect(exposureProblem(load({ HOST: '0.0.0.0', STEADYHAND_API_KEYS: TOKEN, STEADYHAND_WEBHOOK_TOKEN: TOKEN }))).toBeNull()
  })
})

describe('behind a proxy', () => {
  const tokens = { STEADYHAND_API_KEYS: TOKEN, STEADYHAND_WEBHOOK_TOKEN: TOKEN }
  const local = [{ actions: [], environments: ['local'] }]

  test.each([
    ['publicUrl', {}, 'publicUrl: https://oncall.example.com/', 'publicUrl is https://oncall.example.com, which other machines can reach'],
    ['STEADYHAND_PUBLIC_URL', { STEADYHAND_PUBLIC_URL: 'http://10.1.2.3:8080' }, '', 'publicUrl is http://10.1.2.3:8080, which'],
    ['one name among hosts', {}, 'hosts: [localhost, steadyhand.oncall.svc]', 'hosts names steadyhand.oncall.svc, which'],
  ])('%s means that others reach it: no tokens, no start; and never names', (_, environment, yaml, words) => {
    expect(exposureProblem(load(environment, yaml))).toContain(words)
    expect(exposureProblem(load(environment, yaml))).toMatch(/or take that setting away\.$/)
    expect(mayUseNames(load(environment, yaml), local)).toBe(false)
    expect(exposureProblem(load({ ...environment, ...tokens }, yaml))).toBeNull()
    expect(mayUseNames(load({ ...environment, ...tokens }, yaml), local)).toBe(false)
  })

  test.each(['publicUrl: http://localhost:7878', 'publicUrl: "http://[::1]:7878/"', 'hosts: ["::1", "[::1]", LOCALHOST]'])(
    '%s is still this machine',
    (yaml) => {
      expect(exposureProblem(load({}, yaml))).toBeNull()
      expect(mayUseNames(load({}, yaml), local)).toBe(true)
    },
  )

  test('an address that is none is a problem in words', () =>
    expect(problemsOf({ STEADYHAND_PUBLIC_URL: 'oncall.example.com' }).join()).toContain('must be an address that begins with http'))
})

describe('sign-in at an identity provider', () => {
  const provider = { OIDC_ISSUER: 'https://login.example.com', OIDC_CLIENT_ID: 'steadyhand', OIDC_CLIENT_SECRET: 'secret' }
  const reached = { HOST: '0.0.0.0', STEADYHAND_API_KEYS: TOKEN, STEADYHAND_WEBHOOK_TOKEN: TOKEN }

  test('comes from the environment, the file, or both', () => {
    expect(load().oidc).toBeNull()
    const defaults = { scopes: ['openid'], audience: null, claim: 'sub' }
    expect(load(provider).oidc).toEqual({
      issuer: 'https://login.example.com',
      clientId: 'steadyhand',
      clientSecret: 'secret',
      ...defaults,
    })
    const yaml = 'oidc: { issuer: "https://a.example/", clientId: a, scopes: [offline_access, openid], claim: oid }'
    expect(load({ OIDC_CLIENT_SECRET: 's' }, yaml).oidc).toMatchObject({
      issuer: 'https://a.example/',
      clientId: 'a',
      scopes: ['openid', 'offline_access'],
      claim: 'oid',
    })
  })

  test('the secret is read from a file', () => {
    writeFileSync(join(folder, 'secret'), 'from a file\n')
    const { OIDC_CLIENT_SECRET: _, ...rest } = provider
    expect(load({ ...rest, OIDC_CLIENT_SECRET_FILE: join(folder, 'secret') }).oidc?.clientSecret).toBe('from a file')
  })

  test('with it nobody signs in by name, whatever else is set', () =>
    expect(mayUseNames(load(provider), [{ actions: [], environments: ['local'] }])).toBe(false))

  test.each<readonly [string, Record<string, string>, string, RegExp]>([
    ['half of it', { OIDC_ISSUER: provider.OIDC_ISSUER }, '', /misses oidc\.clientId .* and oidc\.clientSecret/],
    ['an issuer that is no address', { ...provider, OIDC_ISSUER: 'login' }, '', /OIDC_ISSUER is login/],
    ['an issuer by http elsewhere', { ...provider, OIDC_ISSUER: 'http://login.example.com' }, '', /use https/],
    ['a key that does not exist', provider, 'oidc: { clientid: a }', /Did you mean "clientId"/],
    ['a claim that people can change', provider, 'oidc: { claim: email }', /oidc\.claim: names something that can be changed/],
    ['no address to come back to', { ...provider, ...reached }, '', /publicUrl .* is missing/],
    ['an address by http', { ...provider, ...reached, STEADYHAND_PUBLIC_URL: 'http://oncall.example.com' }, '', /must be https/],
    ['an address with a path', { ...provider, ...reached, STEADYHAND_PUBLIC_URL: 'https://example.com/oncall' }, '', /no path/],
  ])('%s is a problem in words', (_, environment, yaml, words) => expect(problemsOf(environment, yaml).join('\n')).toMatch(words))

  test('a mistyped variable is named', () =>
    expect(problemsOf({ ...provider, OIDC_CLIENT_SECRT: 'x' }).join()).toContain('did you mean OIDC_CLIENT_SECRET?'))
})

describe('the example', () => {
  const example = readFileSync(join(import.meta.dirname, '..', '..', 'steadyhand.example.yaml'), 'utf8')

  test('is valid as it stands', () =>
    expect(load({}, example)).toMatchObject({ publicUrl: 'https://steadyhand.example.com', peopleConfigured: true }))

  test('names every setting there is', () => {
    const named = [...example.matchAll(/^(?:# )?(\w+):/gm)].map(([, key]) => key)
    expect(named).toEqual(expect.arrayContaining(Object.keys(settingsFileSchema.shape)))
  })
})

describe('Slack', () => {
  const BOT = { SLACK_BOT_TOKEN: 'xoxb-1' }

  test.each([
    ['no way back', BOT, 'slack: { channel: C0123 }', 'neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET'],
    [
      'the tokens of each other',
      { SLACK_BOT_TOKEN: 'xapp-1', SLACK_APP_TOKEN: 'xoxb-1' },
      'slack: { channel: C0123 }',
      'begins with xoxb-',
    ],
  ])('%s keeps it from starting', (_name, environment, file, words) => {
    expect(problemsOf(environment, file)).toEqual(expect.arrayContaining([expect.stringContaining(words)]))
  })

  test('a token of somebody else’s work keeps nothing from starting: without a channel it has no effect, and that is told', () => {
    expect(load({ ...BOT, SLACK_APP_TOKEN: 'xapp-1' }).unused).toEqual([expect.stringContaining('without slack.channel')])
  })

  test('a bot token that is changed now and then is one', () => {
    const { slack } = load({ SLACK_BOT_TOKEN: 'xoxe.xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }, 'slack: { channel: C0123 }')
    expect(slack.botToken).toBe('xoxe.xoxb-1')
  })

  test.each(['#incidents', 'c0123', 'D0123'])('%s is no id of a channel', (channel) => {
    expect(problemsOf({}, `slack: { channel: "${channel}" }`)).toEqual([expect.stringContaining('must be the id of a channel')])
  })

  test.each(['SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'])('with a token, a channel and %s nothing is missing', (name) => {
    const { slack, unused } = load({ ...BOT, [name]: 'xapp-1' }, 'slack: { channel: C0123, appId: A0123 }')
    expect({ ...slack, unused }).toMatchObject({ channel: 'C0123', appId: 'A0123', botToken: 'xoxb-1', unused: [] })
  })
})

describe('variables that other tools read too', () => {
  test.each(['ANTHROPIC_API_KEY', 'OPENAI_BASE_URL', 'KUBECONFIG', 'PROMETHEUS_URL', 'LOKI_TOKEN'])(
    '%s may be blank, and is unset then',
    (name) => {
      const { models, sources } = load({ [name]: ' ' })
      expect({ models, sources }).toEqual({ models: load({}).models, sources: load({}).sources })
    },
  )

  test('an address of a model without a key is nobody’s concern', () => {
    expect(load({ OPENAI_BASE_URL: 'somewhere' }).models.providers).toEqual([])
  })
})

describe('what has no effect', () => {
  test('a variable that is nobody’s is told', () => {
    expect(load({ STEADYHAND_ZZZ: '1' }).unused).toEqual(['STEADYHAND_ZZZ is set, and there is no such setting'])
  })

  test.each([
    ['STEADYHAND_POLCY', 'STEADYHAND_POLICY'],
    ['STEADYHAND_DATADIR', 'STEADYHAND_DATA_DIR'],
    ['STEADYHAND_API_KEY', 'STEADYHAND_API_KEYS'],
  ])('%s is a slip, and nothing starts with it', (name, meant) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([`${name} is no setting: did you mean ${meant}?`])
  })

  test('settings for Slack without its token are', () => {
    expect(load({}, 'slack: { channel: C0123 }').unused).toEqual([expect.stringContaining('without SLACK_BOT_TOKEN')])
  })

  test('those that are known, of others, or set by Kubernetes for a service of this name are not', () => {
    const path = join(folder, 'token')
    writeFileSync(path, TOKEN)
    const environment = { STEADYHAND_WEBHOOK_TOKEN_FILE: path, STEADYHAND_PORT_7878_TCP: 'x', STEADYHAND_SERVICE_HOST: 'x', HOME: '/' }
    expect(load(environment).unused).toEqual([])
  })
})

test('a second opinion is asked for where it is wanted and two can be asked, and said to be none elsewhere', () => {
  const keys = { ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'b' }
  expect(load(keys).models.secondOpinion).toBe(false)
  expect(load(keys, 'models: { secondOpinion: true }\n')).toMatchObject({ models: { secondOpinion: true }, unused: [] })
  expect(load({ OPENAI_API_KEY: 'b' }).unused).toEqual([expect.stringContaining('nobody is asked for a second opinion')])
})

describe('servers of others', () => {
  const sha256 = 'a'.repeat(64)
  const one = (said = ''): string => `mcp:\n  - { name: tickets, url: "https://mcp.example/mcp", data: logs${said} }\n`

  test('are asked at one address, by tools that were reviewed, with a token of their own', () => {
    writeFileSync(join(folder, 'token'), 'of-a-file\n')
    const tools = `, tools: [{ name: search.tickets, sha256: ${sha256} }], tokenFile: ${join(folder, 'token')}`
    expect(load({}, one(tools)).sources.mcp).toEqual([
      {
        ...{ name: 'tickets', environment: 'production', url: 'https://mcp.example/mcp', token: 'of-a-file', data: 'logs', workspaces: [] },
        tools: [{ name: 'search.tickets', modelName: 'mcp_tickets_search_tickets', sha256 }],
      },
    ])
    expect(load({ MCP_TOKEN: 'of-the-environment' }, one()).sources.mcp).toMatchObject([{ token: 'of-the-environment', tools: [] }])
    expect(load({ MCP_TOKEN: 'alone' }, '# nothing\n').sources.mcp).toEqual([])
  })

  test.each([
    ['a digest that is none', one(', tools: [{ name: a, sha256: abc }]'), 'must be the 64 hexadecimal digits'],
    ['a kind of data that is none', one().replace('data: logs', 'data: tickets'), 'data'],
    ['a password in its address', one().replace('https://', 'https://me:secret@'), 'no user name and no password'],
    ['a command to start', one(', command: npx'), 'command'],
    [
      'tools of one name for a model',
      one(`, tools: [{ name: a.b, sha256: ${sha256} }, { name: a/b, sha256: ${sha256} }]`),
      'would have the name of another',
    ],
    ['its name twice', `${one()}  - { name: tickets, url: "https://other.example/", data: logs }\n`, 'is there twice'],
    ['workspaces, and none for it', `workspaces: [{ name: shop, services: [a] }]\n${one()}`, 'names no workspaces'],
    ['a workspace that there is not', `workspaces: [{ name: shop, services: [a] }]\n${one(', workspaces: [ship]')}`, 'which there is not'],
  ])('are refused with %s', (_, yaml, words) => expect(problemsOf({}, yaml).join()).toContain(words))
})

test('a model is told of the source of programs only where somebody says so', () => {
  const told = (file: string): readonly string[] => {
    const folder = mkdtempSync(join(tmpdir(), 'steadyhand-config-'))
    writeFileSync(join(folder, 'steadyhand.yaml'), file)
    const { models } = loadConfig({ ANTHROPIC_API_KEY: 'x'.repeat(20) }, folder)
    rmSync(folder, { recursive: true })
    return models.providers[0]?.tells ?? []
  }
  expect(told('')).toEqual(expect.arrayContaining(['logs', 'changes']))
  expect(told('')).not.toContain('code')
  expect(told('models: { anthropic: { tells: [code] } }')).toEqual(['code'])
})
