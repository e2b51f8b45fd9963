import { afterEach, describe, expect, test } from 'vitest'
import { createGitlab } from '../../../integrations/gitlab/index.ts'
import { type Fault, type GitlabServer, startGitlab } from '../../support/gitlab/server.ts'
import { createRepository, type Repository } from '../../support/stored-repository.ts'

const PROJECT = 'acme/team/payments'
const running: { stop(): void }[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.stop()
})

/** payments with a release v41, and two commits to v42. */
function payments(): Repository {
  const repository = createRepository()
  repository.tag('v41', repository.commit('main', 'First release', { 'src/charge.ts': 'charge()\n', 'config/pool.yaml': 'size: 10\n' }))
  const pool = repository.commit('main', 'Shrink the pool\n\nAnd more.', { 'config/pool.yaml': 'size: 1\n' }, { author: 'Bob' })
  const head = repository.commit('main', 'Round amounts', { 'src/charge.ts': 'charge(Math.round(amount))\n', 'src/round.ts': 'round()\n' })
  repository.tag('v42', head)
  const request = { title: 'Shrink the pool', body: '', head: 'shrink', base: 'main', state: 'closed' as const, commits: [pool] }
  repository.pulls.push({ ...request, number: 6, mergedAt: null }, { ...request, number: 7, mergedAt: '2026-03-01T09:30:00Z' })
  const run = { workflow: 1, sha: head, status: '' }
  repository.runs.push(
    { ...run, number: 1, name: 'main', conclusion: 'failed' },
    { ...run, number: 2, name: 'main', conclusion: 'success' },
    { ...run, number: 3, name: 'v42', conclusion: 'running' },
  )
  return repository
}

async function served(repository = payments()) {
  const server = await startGitlab()
  running.push(server)
  server.projects.set(PROJECT, repository)
  const create = (token: string | null = 'hush') =>
    createGitlab(
      { now: () => new Date('2026-03-01T10:00:00Z') },
      { environment: 'production', url: server.url, token, repositories: { payments: { repository: PROJECT, versions: 'v{version}' } } },
    )
  const gitlab = create()
  const compare = (from = '41', to = '42', signal?: AbortSignal) =>
    gitlab.repositories.compare({ service: 'payments', from, to, ...(signal ? { signal } : {}) })
  return { server, create, compare }
}

describe('between two versions', () => {
  test('are the commits with their lines, requests and authors, the newest first, and the pipelines of what is deployed', async () => {
    const { compare } = await served()
    const found = await compare()
    expect(found).toMatchObject({
      ...{ repository: PROJECT, direction: 'forward', totalCommits: 2, limits: [] },
      query: 'GET /projects/acme/team/payments/repository/compare?from=v41&to=v42',
    })
    expect(found?.commits.map(({ title, author, request }) => [title, author, request])).toEqual([
      ['Round amounts', 'Anna', null],
      ['Shrink the pool', 'Bob', '!7'],
    ])
    expect(found?.commits[1]?.files).toEqual([
      { path: 'config/pool.yaml', additions: 1, deletions: 1, patch: '@@ -1,1 +1,1 @@\n-size: 10\n+size: 1\n' },
    ])
    expect(found?.files).toContainEqual({ path: 'src/round.ts', additions: 1, deletions: 0 })
    expect(found?.runs.map(({ name, state }) => [name, state])).toEqual([
      ['pipeline of v42', 'running'],
      ['pipeline of main', 'succeeded'],
    ])
  })

  test('is what went away when the newer one is left, and nothing where both are the same', async () => {
    const { compare } = await served()
    expect(await compare('42', '41')).toMatchObject({ direction: 'back', totalCommits: 2 })
    expect(await compare('42', '42')).toMatchObject({ direction: 'same', totalCommits: 0, commits: [], files: [] })
  })

  test('is bounded where there are very many, and it says what is missing', async () => {
    const repository = payments()
    for (let n = 0; n < 120; n += 1) repository.commit('main', `Step ${n}`, { 'README.md': `${n}\n` })
    repository.tag('v43', repository.resolve('main')?.sha ?? '')
    const { compare, server } = await served(repository)
    const found = await compare('41', '43')
    expect(found).toMatchObject({ totalCommits: 122, commits: { length: 100 } })
    expect(found?.commits[0]?.title).toBe('Step 119')
    expect(found?.limits).toEqual(['22 older commits were left out', 'the lines of the newest 10 commits were read, of 90 older ones not'])
    expect(server.asked.length).toBeLessThan(30)
  })
})

describe('when GitLab does not answer well', () => {
  test.each<[Fault, object]>([
    ['slow-down', { code: 'rate_limited', retryAfter: 60 }],
    ['broken', { code: 'unavailable' }],
    ['huge', { code: 'invalid_response' }],
    ['html', { code: 'invalid_response' }],
    ['moved', { code: 'unavailable' }],
    ['lost', { code: 'unavailable' }],
  ])('%s is a fault in words, and holds no token', async (fault, expected) => {
    const { compare, server } = await served()
    server.fault(`GET /api/v4/projects/${PROJECT}/repository/compare`, fault)
    const error = await compare().then(
      () => null,
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ name: 'IntegrationError', integration: 'gitlab', ...expected })
    expect(String(error)).not.toContain('hush')
  })

  test('who asks waits no longer than they want to', async () => {
    const { compare, server } = await served()
    server.fault('GET /api/v4/projects', 'hang')
    const controller = new AbortController()
    const asked = compare('41', '42', controller.signal)
    controller.abort()
    await expect(asked).rejects.toMatchObject({ code: 'timeout' })
  })

  test('what only adds is left out, and said', async () => {
    const { compare, server } = await served()
    server.tokens.set('hush', ['code'])
    const found = await compare()
    expect(found).toMatchObject({ totalCommits: 2, runs: [] })
    expect(found?.limits.map((limit) => limit.split(' could')[0])).toEqual(['merge requests', 'pipelines'])
  })
})

describe('the check', () => {
  const check = async (change: (server: GitlabServer) => void, token: string | null = 'hush') => {
    const { server, create } = await served()
    change(server)
    return (await create(token).check()).map(({ name, status, words, fix }) => ({ name, status, text: `${words} ${fix ?? ''}` }))
  }

  test('says that all can be read, or what cannot', async () => {
    expect(await check(() => {})).toMatchObject([{ name: `gitlab/production/${PROJECT}`, status: 'ok' }])
    const [without] = await check(({ tokens }) => void tokens.set('hush', ['code', 'merge_requests']))
    expect(without).toMatchObject({ status: 'warning', text: expect.stringContaining('may not read its pipelines') })
    expect(await check(({ tokens }) => void tokens.set('hush', []))).toMatchObject([{ status: 'failed' }])
  })

  test('says that the token is no good, or the project not to be seen', async () => {
    expect(await check(() => {}, 'wrong')).toMatchObject([{ status: 'failed', text: expect.stringContaining('GITLAB_TOKEN') }])
    expect(await check(({ projects }) => projects.clear())).toMatchObject([
      { status: 'failed', text: expect.stringContaining('its path is right') },
    ])
  })
})
