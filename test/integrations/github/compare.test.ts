import { afterEach, describe, expect, test } from 'vitest'
import { githubOf } from '../../support/github/integration.ts'
import { type Fault, type GithubServer, startGithub } from '../../support/github/server.ts'
import { createRepository, type Repository } from '../../support/stored-repository.ts'

const running: { stop(): void }[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.stop()
})

/** payments with a release v41, and four commits to v42. */
function payments(): Repository {
  const repository = createRepository()
  const before = repository.commit('main', 'First release', {
    'src/charge.ts': 'charge()\n',
    'config/pool.yaml': 'size: 10\n',
    'README.md': '# payments\n',
  })
  repository.tag('v41', before)
  repository.commit('main', 'Explain the pool\n\nAnd more.', { 'README.md': '# payments\nIt has a pool.\n' })
  const pool = repository.commit('main', 'Shrink the pool (#7)', { 'config/pool.yaml': 'size: 1\n' }, { login: null, author: 'Bob' })
  const head = repository.commit('main', 'Round amounts', { 'src/charge.ts': 'charge(Math.round(amount))\n', 'src/round.ts': 'round()\n' })
  repository.tag('v42', head)
  repository.pulls.push(pull(6, 'closed', null, [pool]), pull(7, 'closed', '2026-03-01T09:30:00Z', [pool]))
  const run = { sha: head, status: 'completed' }
  repository.runs.push(
    { ...run, workflow: 1, number: 1, name: 'build', conclusion: 'failure' },
    { ...run, workflow: 1, number: 2, name: 'build', conclusion: 'success' },
    { ...run, workflow: 2, number: 3, name: 'e2e', conclusion: 'failure' },
  )
  return repository
}

function pull(number: number, state: 'open' | 'closed', mergedAt: string | null, commits: string[]): Repository['pulls'][number] {
  return { number, title: 'Shrink the pool', body: '', head: 'shrink', base: 'main', state, mergedAt, commits }
}

async function served(repository = payments(), versions = 'v{version}') {
  const server = await startGithub()
  running.push(server)
  server.repositories.set('acme/payments', repository)
  let now = Date.parse('2026-03-01T10:00:00Z')
  const create = (token: string | null = 'hush') => githubOf({ url: server.url, token, versions, now: () => new Date(now) })
  const github = create()
  const compare = (from = '41', to = '42', signal?: AbortSignal) =>
    github.repositories.compare({ service: 'payments', from, to, ...(signal ? { signal } : {}) })
  const later = (ms: number): void => {
    now += ms
  }
  return { server, create, compare, later }
}

describe('between two versions', () => {
  test('are the commits with their lines, requests and authors, the newest first, and the runs of what is deployed', async () => {
    const { compare } = await served()
    const found = await compare()
    expect(found).toMatchObject({
      ...{ repository: 'acme/payments', direction: 'forward', totalCommits: 3, limits: [] },
      query: 'GET /repos/acme/payments/compare/v41...v42',
      link: 'https://github.com/acme/payments/compare/v41...v42',
    })
    expect(found?.commits.map(({ title, author, request }) => [title, author, request])).toEqual([
      ['Round amounts', 'anna', null],
      ['Shrink the pool (#7)', 'Bob', '#7'],
      ['Explain the pool', 'anna', null],
    ])
    expect(found?.commits[1]?.files).toEqual([
      { path: 'config/pool.yaml', additions: 1, deletions: 1, patch: '@@ -1,1 +1,1 @@\n-size: 10\n+size: 1' },
    ])
    expect(found?.files.map(({ path }) => path)).toEqual(['README.md', 'config/pool.yaml', 'src/charge.ts', 'src/round.ts'])
    expect(found?.runs.map(({ name, state }) => [name, state])).toEqual([
      ['e2e', 'failed'],
      ['build', 'succeeded'],
    ])
  })

  test('is what went away when the newer one is left', async () => {
    const { compare } = await served()
    expect(await compare('42', '41')).toMatchObject({
      ...{ direction: 'back', totalCommits: 3, query: 'GET /repos/acme/payments/compare/v41...v42' },
    })
  })

  test('is nothing where both are the same commit', async () => {
    const { compare } = await served()
    expect(await compare('42', '42')).toMatchObject({ direction: 'same', totalCommits: 0, commits: [], files: [] })
  })

  test('are the newest commits of very many, and it says what is missing', async () => {
    const repository = payments()
    for (let n = 0; n < 210; n += 1) repository.commit('main', `Step ${n}`, { 'README.md': `${n}\n` })
    repository.tag('v43', repository.resolve('main')?.sha ?? '')
    const { compare, server } = await served(repository)
    const found = await compare('41', '43')
    expect(found?.totalCommits).toBe(213)
    expect(found?.commits[0]?.title).toBe('Step 209')
    expect(found?.commits.filter(({ files }) => files !== null)).toHaveLength(10)
    expect(found?.limits).toEqual(['200 older commits were left out', 'the lines of the newest 10 commits were read, of 3 older ones not'])
    expect(server.asked.length).toBeLessThan(30)
  })

  test('a commit is found in the version', async () => {
    const repository = payments()
    const shas = ['v41', 'v42'].map((tag) => repository.resolve(tag)?.sha.slice(0, 7) ?? '')
    const { compare } = await served(repository, 'main-{commit}')
    expect(await compare(`main-${shas[0]}`, `main-${shas[1]}`)).toMatchObject({ totalCommits: 3 })
  })

  test.each(['evil:main', '../../user', '41...v40', '1 2', '', '1.lock', '1/'])(
    'a version that is no name of a state is not asked for: %j',
    async (version) => {
      const { compare, server } = await served()
      await expect(compare('41', version)).rejects.toMatchObject({ code: 'refused' })
      expect(server.asked).toEqual([])
    },
  )

  test('nothing is known of a service without a repository', async () => {
    const { create, server } = await served()
    expect(await create().repositories.compare({ service: 'toString', from: '41', to: '42' })).toBeNull()
    expect(server.asked).toEqual([])
  })

  test('the same is asked once within two minutes', async () => {
    const { compare, server, later } = await served()
    await compare()
    const before = server.asked.length
    await compare()
    expect(server.asked).toHaveLength(before)
    later(120_001)
    await compare()
    expect(server.asked).toHaveLength(2 * before)
  })
})

describe('when GitHub does not answer well', () => {
  test.each<[Fault, object]>([
    ['rate-limited', { code: 'rate_limited' }],
    ['slow-down', { code: 'rate_limited', retryAfter: 60 }],
    ['broken', { code: 'unavailable' }],
    ['huge', { code: 'invalid_response' }],
    ['html', { code: 'invalid_response' }],
    ['moved', { code: 'not_found' }],
    ['lost', { code: 'unavailable' }],
  ])('%s is a fault in words, and holds no token', async (fault, expected) => {
    const { compare, server } = await served()
    server.fault('GET /repos/acme/payments/compare', fault)
    const error = await compare().then(
      () => null,
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ name: 'IntegrationError', integration: 'github', ...expected })
    expect(String(error)).not.toContain('hush')
  })

  test('who asks waits no longer than they want to', async () => {
    const { compare, server } = await served()
    server.fault('GET /repos/acme/payments/compare', 'hang')
    const controller = new AbortController()
    const asked = compare('41', '42', controller.signal)
    controller.abort()
    await expect(asked).rejects.toMatchObject({ code: 'timeout' })
  })

  test('a token that is no good, and a version that is not there, are told apart', async () => {
    const { create, compare } = await served()
    await expect(create('wrong').repositories.compare({ service: 'payments', from: '41', to: '42' })).rejects.toMatchObject({
      code: 'auth',
    })
    await expect(compare('41', '99')).rejects.toMatchObject({ name: 'IntegrationError' })
  })

  test('what only adds is left out, and said', async () => {
    const { compare, server } = await served()
    server.tokens.set('hush', ['contents:read'])
    const found = await compare()
    expect(found).toMatchObject({ totalCommits: 3, runs: [] })
    expect(found?.limits.map((limit) => limit.split(' could')[0])).toEqual(['pull requests', 'workflow runs'])
  })
})

describe('the check', () => {
  const check = async (change: (server: GithubServer) => void, token: string | null = 'hush') => {
    const { server, create } = await served()
    change(server)
    return (await create(token).check()).map(({ name, status, words, fix }) => ({ name, status, text: `${words} ${fix ?? ''}` }))
  }

  test('says that all can be read', async () => {
    expect(await check(() => {})).toMatchObject([{ name: 'github/production/acme/payments', status: 'ok' }])
  })

  test('names the right that is missing', async () => {
    const [without] = await check(({ tokens }) => void tokens.set('hush', ['contents:read', 'pull_requests:read']))
    expect(without).toMatchObject({ status: 'warning', text: expect.stringContaining('Actions: read') })
    const [blind] = await check(({ tokens }) => void tokens.set('hush', ['actions:read', 'pull_requests:read']))
    expect(blind).toMatchObject({ status: 'failed', text: expect.stringContaining('Contents: read') })
  })

  test('says that the token is no good, or the repository not to be seen', async () => {
    expect(await check(() => {}, 'wrong')).toMatchObject([{ status: 'failed', text: expect.stringContaining('GITHUB_TOKEN') }])
    expect(await check(({ repositories }) => repositories.clear())).toMatchObject([
      { status: 'failed', text: expect.stringContaining('its name is right') },
    ])
  })
})
