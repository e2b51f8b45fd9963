import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { buildPlan } from '../../../agent/actions/build-plan.ts'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import { objectionOfDryRun, objectionOfTarget } from '../../../agent/actions/recheck.ts'
import { shownChanges } from '../../../agent/actions/shown-changes.ts'
import { fitsOnCard } from '../../../bot/messages/plan-facts.ts'
import { createGithub } from '../../../integrations/github/index.ts'
import type { Action, Parameters, Step } from '../../../integrations/ports/action.ts'
import { type Fault, type GithubServer, READS, startGithub } from '../../support/github/server.ts'
import { createRepository, type Repository } from '../../support/stored-repository.ts'

const SIGNAL = AbortSignal.timeout(60_000)
const WHERE = { environment: 'production', name: 'payments' }
const running: { stop(): void }[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.stop()
})

interface World {
  server: GithubServer
  code: Repository
  manifests: Repository
  /** The commit that is taken back. */
  bad: string
  revert: Action
  change: Action
}

/** acme/payments with a commit to take back and one after it, and acme/deploy where its memory is written down. */
async function world({ writeToken = 'write' as string | null } = {}): Promise<World> {
  const server = await startGithub()
  running.push(server)
  server.tokens.set('write', [...READS, 'contents:write', 'pull_requests:write'])
  const [code, manifests] = [createRepository(), createRepository()]
  server.repositories.set('acme/payments', code)
  server.repositories.set('acme/deploy', manifests)
  code.commit('main', 'First', { 'src/charge.ts': 'one\ncharge()\nthree\n', 'README.md': '# payments\n', 'old.ts': 'old\n' })
  const bad = code.commit('main', 'Round amounts', {
    'src/charge.ts': 'one\ncharge(round)\nthree\n',
    'src/round.ts': 'round\n',
    'old.ts': null,
  })
  code.commit('main', 'Words', { 'README.md': '# payments, better\n' })
  manifests.commit('main', 'First', { 'payments/values.yaml': 'resources:\n  memory: 256Mi # of each pod\n', 'other.yaml': 'a: 1\n' })
  const named = { repository: 'acme/payments', versions: '{version}', manifests: 'acme/deploy' }
  const options = { environment: 'production', url: server.url, token: 'hush', writeToken, repositories: { payments: named } }
  const actions = ['github.revert-commit', 'github.change-value']
  const [revert, change] = createGithub({ now: () => new Date() }, [{ ...options, actions }]).flatMap((each) => each.actions ?? [])
  if (!revert || !change) throw new Error('both actions were expected')
  return { server, code, manifests, bad, revert, change }
}

/** What a plan would carry of what somebody says. */
async function stepOf(action: Action, said: Parameters): Promise<Step> {
  const [observation, defaults] = [await action.observe(WHERE), await action.byHand?.defaults(WHERE)]
  if (!observation) throw new Error('payments has a repository')
  const parameters = action.definition.parameters.parse({ ...defaults, ...said })
  return { planId: randomUUID(), target: observation.target, preconditions: observation.preconditions, parameters }
}

const MEMORY = { file: 'payments/values.yaml', path: 'resources.memory', to: '512Mi' }

function undoOf(action: Action, step: Step): Step {
  const back = action.undo(step, { ...step, replicas: 0 })
  if (!back) throw new Error('there is an undo')
  return { ...step, planId: randomUUID(), parameters: back.parameters, preconditions: back.preconditions }
}

async function standing(action: Action, step: Step): Promise<unknown> {
  const [check] = action.success(step, { ...step, replicas: 0 }).state
  if (!check) throw new Error('a contract of state was expected')
  return { wanted: check.equals, is: (await action.readState(step.target, [check.field]))[check.field] }
}

const branches = (repository: Repository): string[] => [...repository.refs.keys()].filter((name) => name !== 'heads/main')
const writes = ({ asked }: GithubServer): string[] => asked.filter((line) => !line.startsWith('GET'))

describe('a commit is taken back', () => {
  test('by one commit on a branch of its own, with the diff that was shown, and only people merge it', async () => {
    const { server, code, bad, revert } = await world()
    const step = await stepOf(revert, { commit: bad.slice(0, 9) })
    const { changes, downtime, cautions } = await revert.dryRun(step)
    expect(changes).toEqual([
      { field: 'old.ts:1', from: null, to: 'old' },
      { field: 'src/charge.ts:2', from: 'charge(round)', to: 'charge()' },
      { field: 'src/round.ts:1', from: 'round', to: null },
    ])
    expect([downtime, ...(cautions ?? [])].join(' ')).toContain('Steadyhand does not')
    expect(writes(server)).toEqual([])
    const main = code.refs.get('heads/main')
    expect(await revert.effect(step, 'x1', SIGNAL)).toEqual({ result: 'applied' })

    expect(code.refs.get('heads/main')).toBe(main)
    const [branch = ''] = branches(code)
    expect(branch).toBe(`heads/steadyhand/revert-${bad.slice(0, 8)}-${step.planId}`)
    const made = code.commits.get(code.refs.get(branch) ?? '')
    expect(made?.parents).toEqual([main])
    expect([...(made?.files ?? [])].sort()).toEqual([
      ['README.md', '# payments, better\n'],
      ['old.ts', 'old\n'],
      ['src/charge.ts', 'one\ncharge()\nthree\n'],
    ])
    expect(made?.message).toContain('execution x1')
    expect(code.pulls).toMatchObject([{ title: `Revert ${bad.slice(0, 8)}`, base: 'main', state: 'open', mergedAt: null }])
    expect(await standing(revert, step)).toEqual({
      wanted: `open, one commit on ${main?.slice(0, 8)}`,
      is: `open, one commit on ${main?.slice(0, 8)}`,
    })

    const before = writes(server).length
    expect(await revert.effect(step, 'x1', SIGNAL)).toEqual({ result: 'applied' })
    expect(writes(server)).toHaveLength(before)
  })

  test('shows a file that comes or goes without a line beside the lines of others', async () => {
    const { code, revert } = await world()
    const bad = code.commit('main', 'Both', { 'empty.ts': '', 'line.ts': 'a\n' })
    const { changes } = await revert.dryRun(await stepOf(revert, { commit: bad }))
    expect(changes.map(({ field }) => field)).toEqual(['empty.ts', 'line.ts'])
  })

  test('shows each file where there is no room for each line', async () => {
    const { code, revert } = await world()
    const bad = code.commit('main', 'Much', { 'big.ts': Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n') })
    const { changes } = await revert.dryRun(await stepOf(revert, { commit: bad }))
    expect(changes).toEqual([{ field: 'big.ts', from: expect.stringMatching(/^content [0-9a-f]{12}, mode 100644$/), to: 'no such file' }])
  })

  test.each<[string, (of: World) => string | undefined, string]>([
    [
      'one whose files were changed since',
      ({ code, bad }) => code.commit('main', 'On', { 'src/charge.ts': 'x\n' }) && bad,
      'was changed after',
    ],
    ['the first commit', ({ code }) => [...code.commits.keys()][0], 'a merge, or the first commit'],
    [
      'one that is not released',
      ({ code }) => code.refs.set('heads/x', code.refs.get('heads/main') ?? '') && code.commit('x', 'Off', { a: '1' }),
      'is not in the branch',
    ],
    [
      'one that changes what the repository runs',
      ({ code }) => code.commit('main', 'CI', { '.github/workflows/x.yml': 'on: push\n' }),
      'runs by itself',
    ],
    [
      'one of very many files',
      ({ code }) => code.commit('main', 'All', Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`f${n}`, 'x']))),
      'more than 10',
    ],
    ['one that is not there', () => 'f'.repeat(40), 'No commit found'],
  ])('but not %s', async (_, prepare, words) => {
    const of = await world()
    const step = await stepOf(of.revert, { commit: prepare(of) ?? of.bad })
    await expect(of.revert.dryRun(step)).rejects.toThrow(words)
    expect(await of.revert.effect(step, 'x1', SIGNAL)).toMatchObject({ result: 'refused', words: expect.stringContaining(words) })
    expect(writes(of.server)).toEqual([])
  })
})

describe('one value is changed', () => {
  test('where what is deployed is written down, and nothing beside it', async () => {
    const { manifests, change } = await world()
    const step = await stepOf(change, MEMORY)
    expect((await change.dryRun(step)).changes).toEqual([{ field: 'payments/values.yaml:2 resources.memory', from: '256Mi', to: '512Mi' }])
    expect(await change.effect(step, 'x1', SIGNAL)).toEqual({ result: 'applied' })
    const [branch = ''] = branches(manifests)
    expect([...(manifests.commits.get(manifests.refs.get(branch) ?? '')?.files ?? [])]).toEqual([
      ['payments/values.yaml', 'resources:\n  memory: 512Mi # of each pod\n'],
      ['other.yaml', 'a: 1\n'],
    ])
  })

  test.each([
    [{ file: '../values.yaml' }],
    [{ file: '.github/workflows/a.yml' }],
    [{ file: 'values.txt' }],
    [{ path: 'db.password' }],
    [{ path: 'secrets.db.value' }],
    [{ file: 'package.json', path: 'scripts.postinstall' }],
    [{ file: 'web/.pre-commit-config.yaml' }],
    [{ path: 'a..b' }],
    [{ to: 'a\nb' }],
    [{ to: null }],
    [{ base: 'main' }],
    [{ shell: 'rm' }],
  ])('within bounds: not %j', async (said) => {
    const { change } = await world()
    const base = 'a'.repeat(40)
    expect(change.definition.parameters.safeParse({ ...MEMORY, base }).success).toBe(true)
    expect(change.definition.parameters.safeParse({ ...MEMORY, base, ...said }).success).toBe(false)
  })

  test('and never a secret that its neighbour names', async () => {
    const { manifests, change } = await world()
    const values = 'env:\n  - name: LOG_LEVEL\n    value: info\n  - name: DB_PASSWORD\n    value: hush\n'
    const base = manifests.commit('main', 'Variables', { 'payments/values.yaml': values })
    const step = await stepOf(change, { ...MEMORY, path: 'env.1.value', to: 'known', base })
    await expect(change.dryRun(step)).rejects.toThrow('is a secret by its name')
    const other = await stepOf(change, { ...MEMORY, path: 'env.0.value', to: 'debug', base })
    expect((await change.dryRun(other)).changes).toEqual([{ field: 'payments/values.yaml:3 env.0.value', from: 'info', to: 'debug' }])
  })

  test('goes on where others changed other files meanwhile, and not where they changed this one', async () => {
    const { manifests, change } = await world()
    const step = await stepOf(change, MEMORY)
    manifests.commit('main', 'Elsewhere', { 'other.yaml': 'a: 2\n' })
    expect((await change.dryRun(step)).changes).toHaveLength(1)
    manifests.commit('main', 'Here', { 'payments/values.yaml': 'resources:\n  memory: 300Mi\n' })
    await expect(change.dryRun(step)).rejects.toThrow('payments/values.yaml of main has changed since')
    expect(await change.effect(step, 'x1', SIGNAL)).toMatchObject({ result: 'refused', reason: 'invalid' })
  })

  test('is not asked for while a pull request does the same, and is again once that is closed', async () => {
    const { manifests, change } = await world()
    await change.effect(await stepOf(change, MEMORY), 'x1', SIGNAL)
    const again = await stepOf(change, MEMORY)
    await expect(change.dryRun(again)).rejects.toThrow('pull request #100 does the same already')
    for (const pull of manifests.pulls) pull.state = 'closed'
    expect((await change.dryRun(again)).changes).toHaveLength(1)
  })
})

describe('the plan', () => {
  test('holds no symptom, fits on a card, is the same when it is read again, and its undo closes it', async () => {
    const { server, manifests, change } = await world()
    const { planId, target, preconditions, parameters } = await stepOf(change, MEMORY)
    const observation = { target, preconditions, replicas: 0 }
    const catalog = createCatalog([{ id: 'github', environments: ['production'], actions: [change], metrics: null }])
    const entry = catalog.inEnvironment('production')[0]
    if (!entry) throw new Error('one entry was expected')
    const dryRun = await change.dryRun({ planId, target, preconditions, parameters })
    const { parent, undo } = buildPlan({
      ...{ ids: { plan: planId, undo: randomUUID() }, incident: { id: 'inc-1', severity: 2 }, entry, observation, parameters },
      ...{ dryRun: { ...dryRun, changes: shownChanges(dryRun.changes) }, cause: { class: 'oom_killed', component: 'service/payments' } },
      symptom: { service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' },
      ...{ dependents: [], cautions: dryRun.cautions ?? [], requester: 'anna', build: 'a'.repeat(64), now: new Date() },
      asking: { rule: 'r', role: 'approver', needed: 1, requesterMayApprove: false, ttlSeconds: 900, cooldownSeconds: 60, typed: false },
    })
    expect(parent.plan).toMatchObject({ symptom: null, success: { metrics: [], heals: false } })
    expect(parent.plan.action.title).toBe('Open a pull request at acme/deploy: Set resources.memory to 512Mi in payments/values.yaml')
    expect(fitsOnCard(parent.plan)).toBe(true)
    expect(await objectionOfTarget(entry, parent.plan, SIGNAL)).toBeNull()
    expect(await objectionOfDryRun(entry, parent.plan, SIGNAL)).toBeNull()

    const step = { planId, target, preconditions, parameters }
    await change.effect(step, 'x1', SIGNAL)
    if (!undo) throw new Error('there is an undo')
    const back: Step = { planId: undo.plan.id, target, preconditions, parameters: undo.plan.parameters }
    expect(await objectionOfTarget(entry, undo.plan, SIGNAL)).toBeNull()
    expect(await objectionOfDryRun(entry, undo.plan, SIGNAL)).toBeNull()
    expect(await change.probe(back, 'x2', SIGNAL)).toBe('not-applied')
    expect(await change.effect(back, 'x2', SIGNAL)).toEqual({ result: 'applied' })
    expect(await change.probe(back, 'x2', SIGNAL)).toBe('applied')
    expect([branches(manifests), manifests.pulls.map(({ state }) => state)]).toEqual([[], ['closed']])
    const [check] = undo.plan.success.state
    expect(await change.readState(target, [check?.field ?? ''])).toEqual({ [check?.field ?? '']: 'none' })
    expect(
      writes(server).filter(
        (line) =>
          !/^(POST \S+\/(git\/(trees|commits|refs)|pulls)|PATCH \S+\/pulls\/\d+|DELETE \S+\/git\/refs\/heads\/steadyhand\/\S+)$/.test(line),
      ),
    ).toEqual([])
  })

  test('of a repository that is archived, or of none, is not made', async () => {
    const { manifests, change } = await world()
    manifests.isArchived = true
    await expect(change.observe(WHERE)).rejects.toThrow('archived')
    expect(await change.observe({ environment: 'production', name: 'constructor' })).toBeNull()
    expect(await change.observe({ environment: 'elsewhere', name: 'payments' })).toBeNull()
  })
})

test('the check says whether pull requests can be opened from this process', async () => {
  const { server } = await world()
  const check = async (writeToken: string | null) => {
    const repositories = { payments: { repository: 'acme/payments', versions: '{version}', manifests: null } }
    const options = { environment: 'production', url: server.url, token: 'hush', repositories, actions: ['github.change-value'] }
    const found = await Promise.all(createGithub({ now: () => new Date() }, [{ ...options, writeToken }]).map((each) => each.check()))
    return found.flat().find(({ name }) => name.includes('pull requests'))?.status
  }
  expect([await check('write'), await check('wrong'), await check(null)]).toEqual(['ok', 'failed', 'warning'])
})

test('how it stands is told as people leave it: open, merged, or closed', async () => {
  const { manifests, change } = await world()
  const step = await stepOf(change, MEMORY)
  await change.effect(step, 'x1', SIGNAL)
  const [pull] = manifests.pulls
  if (!pull) throw new Error('a pull request was expected')
  expect(await change.standing?.(step, SIGNAL)).toMatchObject({ isOver: false })
  pull.state = 'closed'
  expect(await change.standing?.(step, SIGNAL)).toEqual({
    isOver: true,
    words: 'Pull request #100 at acme/deploy (Set resources.memory to 512Mi in payments/values.yaml) was closed, and not merged.',
  })
  pull.mergedAt = '2026-03-01T10:00:00Z'
  expect(await change.standing?.(step, SIGNAL)).toMatchObject({ isOver: true, words: expect.stringContaining('was merged') })
})

describe('when GitHub does not answer well', () => {
  const POST = 'POST /repos/acme/deploy'
  test.each<[string, Fault | 'forbidden', string, 'applied' | 'not-applied']>([
    [`${POST}/git/trees`, 'broken', 'refused', 'not-applied'],
    [`${POST}/git/commits`, 'reply-lost', 'refused', 'not-applied'],
    [`${POST}/git/refs`, 'lost', 'unknown', 'not-applied'],
    [`${POST}/git/refs`, 'reply-lost', 'unknown', 'applied'],
    [`${POST}/git/refs`, 'rate-limited', 'refused', 'not-applied'],
    [`${POST}/pulls`, 'lost', 'unknown', 'applied'],
    [`${POST}/pulls`, 'reply-lost', 'unknown', 'applied'],
    [`${POST}/pulls`, 'broken', 'unknown', 'applied'],
    [`${POST}/pulls`, 'rate-limited', 'refused', 'not-applied'],
    [POST, 'forbidden', 'refused', 'not-applied'],
  ])('%s %s: it is %s, the probe says %s, and an undo leaves nothing', async (line, fault, expected, found) => {
    const { server, manifests, change } = await world()
    const step = await stepOf(change, MEMORY)
    if (fault === 'forbidden') server.tokens.set('write', READS)
    else server.fault(line, fault)
    // Without an answer the executor takes it for unknown, and asks the probe.
    const result = await change.effect(step, 'x1', SIGNAL).catch(() => ({ result: 'unknown' }))
    expect(result.result).toBe(expected)
    expect(await change.probe(step, 'x1', SIGNAL)).toBe(found)
    server.tokens.set('write', [...READS, 'contents:write', 'pull_requests:write'])
    if (fault !== 'forbidden') server.fault(line, null)
    expect(await change.effect(undoOf(change, step), 'x2', SIGNAL)).toEqual({ result: 'applied' })
    expect([branches(manifests), manifests.pulls.filter(({ state }) => state === 'open')]).toEqual([[], []])
  })

  test('a process without the other token changes nothing, and says why', async () => {
    const { server, change } = await world({ writeToken: null })
    const step = await stepOf(change, MEMORY)
    expect(await change.effect(step, 'x1', SIGNAL)).toMatchObject({
      result: 'refused',
      reason: 'permission-missing',
      words: expect.stringContaining('GITHUB_WRITE_TOKEN'),
    })
    expect(writes(server)).toEqual([])
  })

  test('a branch of that name that holds something else is nobody else’s change to make', async () => {
    const { manifests, change } = await world()
    const step = await stepOf(change, MEMORY)
    const main = manifests.refs.get('heads/main') ?? ''
    await change.effect(step, 'x1', SIGNAL)
    const [branch = ''] = branches(manifests)
    manifests.refs.set(branch, main)
    manifests.commit(branch.replace('heads/', ''), 'Mine', { 'evil.yaml': 'a: 1\n' })
    const again = await change.effect(step, 'x1', SIGNAL)
    expect(again).toMatchObject({ result: 'refused', words: expect.stringContaining('holds something else') })
    manifests.commit(branch.replace('heads/', ''), 'More', { 'evil.yaml': 'a: 2\n' })
    expect(await standing(change, step)).toMatchObject({ is: expect.stringContaining('2 commits') })
    // What people put there since is not deleted with it.
    const undone = await change.effect(undoOf(change, step), 'x2', SIGNAL)
    expect(undone).toMatchObject({ result: 'refused', words: expect.stringContaining('somebody went on') })
    expect(branches(manifests)).toEqual([branch])
  })

  test('what was merged meanwhile is people’s, and an undo leaves it', async () => {
    const { manifests, change } = await world()
    const step = await stepOf(change, MEMORY)
    await change.effect(step, 'x1', SIGNAL)
    const [pull] = manifests.pulls
    if (!pull) throw new Error('a pull request was expected')
    Object.assign(pull, { state: 'closed', mergedAt: '2026-03-01T10:00:00Z' })
    expect(await standing(change, step)).toMatchObject({ is: 'merged' })
    expect(await change.effect(undoOf(change, step), 'x2', SIGNAL)).toMatchObject({
      result: 'refused',
      words: expect.stringContaining('merged meanwhile'),
    })
  })
})
