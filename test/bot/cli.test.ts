import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Client } from '../support/edge/client.ts'
import { waitFor } from '../support/edge/edge-harness.ts'
import { freePort } from '../support/edge/free-port.ts'

const CLI = join(import.meta.dirname, '..', '..', 'bot', 'cli.ts')
/** A start makes a database and four processes; on a machine that does much else that takes its time. */
const READY_WITHIN_SECONDS = 90
const COMPILED = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'node-compile')

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-cli-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    // Asked, not killed: its services end with it, and nobody writes into the folder any more.
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
})

interface Running {
  child: ChildProcess
  output: () => string
  /** The exit code; null when a signal ended it. */
  ended: Promise<number | null>
}

function run(args: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env: { PATH: '', NODE_COMPILE_CACHE: COMPILED, ...environment } })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return { child, output: () => output, ended }
}

async function finish(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; output: string; last: string }> {
  const { ended, output } = run(args, environment)
  const code = await ended
  return { code, output: output(), last: output().trimEnd().split('\n').at(-1) ?? '' }
}

async function ready(running: Running, port: number): Promise<Client> {
  const client = new Client(`http://127.0.0.1:${port}`)
  return await waitFor(async () => {
    if (running.child.exitCode !== null) throw new Error(`it ended: ${running.output()}`)
    const answer = await client.get('/readyz').catch(() => null)
    return answer?.status === 200 ? client : null
  }, READY_WITHIN_SECONDS)
}

describe('what needs no server', () => {
  test.each([
    [['--help'], 0, 'COMMAND --help'],
    [['start', '--help'], 0, 'ends within ten seconds'],
    [['drill', 'run', '--help'], 0, 'Exits 0 when the drill ended as it should; with --all'],
    [['audit', '--help'], 0, 'audit verify'],
    [['--version'], 0, /^\d+\.\d+\.\d+$/],
    [['strat'], 2, 'Did you mean "start"?'],
    [['status'], 1, 'No server runs with these settings'],
    [['incidents', '--help'], 0, 'steadyhand incidents '],
    [['--help'], 0, /As in chat, of the server that runs: status, incidents/],
    [['stauts'], 2, '"status" is said in chat'],
    [['drill', 'rum', 'x'], 2, 'Did you mean "drill run"?'],
    [['drill', 'run'], 2, 'There are: bad-release, '],
    [['drill'], 0, 'steadyhand drill run NAME'],
    [['drill', 'bad-release', '--auto'], 2, 'steadyhand drill run bad-release --auto.'],
    [['drill', 'nonsense'], 2, 'steadyhand drill run NAME. There are: bad-release, '],
    [['drill', 'run', 'bad-release', '--atuo'], 2, '--atuo is no option of "drill run". Did you mean --auto?'],
    [['audit'], 2, 'say "steadyhand audit verify" or "steadyhand audit export"'],
    [['drill', 'run', 'bad-relaese'], 2, 'Did you mean "bad-release"?'],
    [['drill', 'list', '--yaml'], 2, 'Usage: steadyhand drill list [--json]'],
    [['start', 'now'], 2, 'Usage: steadyhand start'],
    [['audit', 'verify'], 1, 'There is no database in'],
    [['audit', 'export'], 1, 'There is no database in'],
    [['audit', 'export', '--since', 'x'], 2, '--since x is no place in the log'],
    [['audit', 'verify', '--key', 'x'], 2, '--key goes with --file'],
    [['audit', 'verify', '--file', 'nothing.jsonl'], 1, 'nothing.jsonl cannot be verified'],
    [['audit', 'verify', '--file', 'nothing.jsonl', '--key', 'x'], 1, 'no Ed25519 public key'],
    [['admin', '--help'], 0, 'admin start-again [env:NAME | kind:ACTION]'],
    [['admin', 'start-again'], 1, 'There is no database in'],
    [['admin', 'first', 'max'], 1, 'There is no database in'],
    [['admin', 'first'], 2, 'Name one person'],
    [['admin', 'first', 'Max'], 2, 'person: must be lower case'],
    [['admin', 'first', 'max', '--link', 'mail:x:y'], 2, 'link.surface:'],
    [['admin', 'settle', 'a', 'maybe', '--reason', 'seen'], 2, 'Say which approval'],
    [['admin', 'settle', 'a', 'applied', '--reason', 'seen'], 1, 'There is no database in'],
    [['admin', 'pending'], 2, 'Say as whom'],
    [['admin', 'pending', '--as', 'max'], 1, 'No server runs with these settings'],
    [['do', 'rollback'], 2, 'Name an action and a service'],
    [['do', 'rollback', 'payments', 'version=v41'], 2, 'Say as whom'],
    [['do', 'rollback', 'payments', '--as', 'alice'], 1, 'No server runs with these settings'],
    [['knowledge'], 2, '"knowledge add"'],
    [['knowledge', 'add'], 2, 'Name at least one file'],
    [['replay'], 1, 'There is no database in'],
    [['replay', '--job', '7'], 1, 'There is no database in'],
    [['replay', '--job', 'seven'], 2, '--job is the number that "steadyhand replay" lists'],
    [['replay', '--all', '--delivery', '7'], 2, 'Say one of them at a time'],
    [['replay', '--notice', '7', '--dismiss'], 2, '--dismiss goes with --job ID'],
    [['replay', '7'], 2, 'Usage: steadyhand replay'],
    [['admin', 'accept-gap'], 1, 'There is no database in'],
    [['backup', '--help'], 0, 'overwrites nothing'],
    [['backup'], 1, 'There is no database in'],
    [['backup', 'nowhere/file'], 1, 'There is no folder'],
    [['backup', 'a', 'b'], 2, 'Name one file or folder at most'],
    [['restore'], 2, 'Name one backup'],
    [['restore', 'nothing.backup'], 1, 'nothing.backup cannot be read'],
  ])('%j', async (args, code, words) => {
    const result = await finish(args)
    expect(result.code).toBe(code)
    expect(code === 0 ? result.output.trim() : result.last).toEqual(
      typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
    )
  })

  test('drill list --json prints what the contract says', async () => {
    const { code, output } = await finish(['drill', 'list', '--json'])
    expect(code).toBe(0)
    const drills: { name: string; title: string; expects: string }[] = JSON.parse(output)
    expect(new Set(drills.map(({ expects }) => expects))).toEqual(new Set(['action', 'no-action', 'undo']))
    expect(drills.map(({ name }) => name)).toEqual(expect.arrayContaining(['bad-release', 'blip', 'wrong-fix', 'outside-cause']))
    for (const drill of drills) expect(Object.keys(drill)).toEqual(['name', 'title', 'expects'])
  })

  test.each([
    ['an unknown setting', 'prot: 1', {}, 'Did you mean "port"?'],
    ['another address without tokens', '', { HOST: '0.0.0.0' }, 'which other machines can reach'],
    ['a proxy without tokens', 'publicUrl: https://oncall.example.com', {}, 'which other machines can reach'],
    ['a blank signing secret', '', { SLACK_SIGNING_SECRET: '' }, 'SLACK_SIGNING_SECRET is set but blank'],
    [
      'spaces for a signing secret',
      'slack: { channel: C0123 }',
      { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SLACK_SIGNING_SECRET: ' \t' },
      'SLACK_SIGNING_SECRET is set but blank',
    ],
    [
      'cards without a way for a click to come back',
      'slack: { channel: C0123 }',
      { SLACK_BOT_TOKEN: 'xoxb-1' },
      'no click could come back',
    ],
  ])('start refuses %s, says why, and ends', async (_, yaml, environment, words) => {
    writeFileSync(join(folder, 'steadyhand.yaml'), yaml)
    const { code, output, last } = await finish(['start'], environment as Record<string, string>)
    expect(code).toBe(1)
    expect(output).toContain(words)
    expect(last).toMatch(/correct the lines above|leave HOST at 127\.0\.0\.1|take that setting away/)
  })

  test('doctor changes nothing where nothing is, and says what could be better', async () => {
    const { code, output } = await finish(['doctor'])
    expect([code, output]).toEqual([0, expect.stringMatching(/✓ database: none yet[\s\S]*! people:/)])
    const broken = await finish(['doctor'], { STEADYHAND_POLICY: '/nowhere/policy.yaml' })
    expect([broken.code, broken.last]).toEqual([1, expect.stringContaining('the first: policy')])
    expect((await finish(['doctor'], { PORT: 'x' })).output).toContain('✗ settings: PORT is x')
  })
})

describe('a process', () => {
  test('starts, says so calmly, is the only one on its data, answers its own commands, and ends in time', async () => {
    const port = await freePort()
    const environment = { PORT: String(port), LOG_LEVEL: 'error' }
    const started = run(['start'], environment)
    await ready(started, port)
    await waitFor(async () => (started.output().includes('Try ') ? true : null))
    expect(started.output()).toMatch(new RegExp(`Console  http://127\\.0\\.0\\.1:${port}/\\n  Mode     acts, after the click`))
    const [second, elsewhere, audit, doctor, givenUp, status, refused] = await Promise.all([
      finish(['start'], environment),
      finish(['start'], { ...environment, PORT: '0' }),
      finish(['audit', 'verify'], environment),
      finish(['doctor'], environment),
      finish(['replay'], environment),
      finish(['status'], environment),
      finish(['stop'], environment),
    ])
    expect([second.code, second.last]).toEqual([1, expect.stringContaining('Steadyhand runs already at')])
    expect([elsewhere.code, elsewhere.last]).toEqual([1, expect.stringContaining(String(started.child.pid))])
    expect([audit.code, audit.last]).toEqual([0, expect.stringContaining('no violations')])
    expect([doctor.code, doctor.output]).toEqual([
      0,
      expect.stringMatching(/✓ server: runs at [^ ]+, asked by its operator[\s\S]*✓ local\/payments: /),
    ])
    expect([status.code, status.output]).toEqual([0, expect.stringContaining('Acts after a click of somebody who may')])
    expect([refused.code, refused.last]).toEqual([1, expect.stringContaining('Only people may do this')])
    expect([givenUp.code, givenUp.last]).toEqual([0, 'Nothing was given up.'])
    started.child.kill('SIGTERM')
    expect(await started.ended).toBe(0)
    expect(started.output()).toContain('Stopped.')
    expect(await finish(['replay', '--notice', '7'], environment)).toMatchObject({ code: 1, last: expect.stringContaining('no notice 7') })
    const after = await finish(['audit', 'verify'], environment)
    expect([after.code, after.last]).toEqual([0, expect.stringContaining('no violations')])
  }, 180_000)

  test('told to stop while the database does not answer yet, it ends in time and says so', async () => {
    const asked = Promise.withResolvers<void>()
    const deaf = createServer((socket) => {
      socket.on('error', () => {})
      asked.resolve()
    })
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = deaf.address() as AddressInfo
      const started = run(['start'], { PORT: String(await freePort()), DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/nothing` })
      await Promise.race([asked.promise, started.ended])
      started.child.kill('SIGTERM')
      expect([await started.ended, started.output()]).toEqual([0, expect.stringMatching(/Stopping \(SIGTERM\)[\s\S]*Stopped\.\n$/)])
    } finally {
      deaf.close()
    }
  }, 60_000)

  test('what was stopped is started again from the host, through the process or without it', async () => {
    const port = await freePort()
    const environment = { PORT: String(port), LOG_LEVEL: 'error' }
    const started = run(['start'], environment)
    const client = await ready(started, port)
    expect(statSync(join(folder, 'data', 'host-secret')).mode & 0o777).toBe(0o600)
    await client.signIn('alice')
    const stop = async (text: string) => (await client.post('/api/v1/commands', { text })).json.text
    expect([await stop('stop env:local'), await stop('stop')]).toEqual([
      expect.stringContaining('Stopped'),
      expect.stringContaining('Stopped'),
    ])
    const wrong = await finish(['admin', 'start-again', 'env:loca'], environment)
    expect([wrong.code, wrong.last]).toEqual([1, expect.stringContaining('"env:loca" is stopped: it is everything, env:local.')])
    const elsewhere = await finish(['admin', 'start-again'], { ...environment, STEADYHAND_DATA_DIR: 'elsewhere' })
    expect([elsewhere.code, elsewhere.last]).toEqual([1, expect.stringContaining('There is no secret of a server in')])
    const again = await finish(['admin', 'start-again', 'env:local'], environment)
    expect([again.code, again.last]).toEqual([0, 'Started (env:local): approved actions run again.'])
    expect(await finish(['admin', 'first', 'alice'], environment)).toMatchObject({
      code: 0,
      last: expect.stringContaining('alice is an admin now'),
    })
    const refused = await finish(['admin', 'first', 'carol'], environment)
    expect([refused.code, refused.last]).toEqual([1, expect.stringContaining('There is an admin already')])
    expect((await finish(['admin', 'grant', 'bob', 'approver', '--as', 'alice'], environment)).last).toContain('Waits for another admin')
    expect((await finish(['admin', 'pending', '--as', 'bob'], environment)).last).toContain('It takes the role admin')
    started.child.kill('SIGTERM')
    expect(await started.ended).toBe(0)
    const alone = await finish(['admin', 'start-again'], environment)
    expect([alone.code, alone.last]).toEqual([0, 'Started: approved actions run again.'])
    expect((await finish(['admin', 'start-again'], environment)).last).toContain('Not everything is stopped: nothing is.')
    expect((await finish(['audit', 'verify'], environment)).code).toBe(0)
  }, 180_000)

  test('is backed up while it runs, and put back when it does not; what only the journal knows is taken over by a person', async () => {
    const port = await freePort()
    const environment = { PORT: String(port), LOG_LEVEL: 'error' }
    const started = run(['start'], environment)
    await ready(started, port)
    const [made, exported, refused] = await Promise.all([
      finish(['backup', 'first.backup'], environment),
      finish(['audit', 'export', 'first.jsonl'], environment),
      finish(['restore', 'first.backup', '--replace'], environment),
    ])
    expect([made.code, made.output]).toEqual([
      0,
      expect.stringMatching(/first\.backup\n\d+ rows, .* read back and whole\. Audit log: \d+ entries/),
    ])
    expect([refused.code, refused.last]).toEqual([1, expect.stringContaining('Stop it first, then restore.')])
    expect([exported.code, exported.last]).toEqual([0, expect.stringMatching(/^public key [\w+/=]+$/)])
    const key = exported.last.replace('public key ', '')
    const verified = await finish(['audit', 'verify', '--file', 'first.jsonl', '--key', key], { STEADYHAND_DATA_DIR: '/nowhere' })
    expect([verified.code, verified.output]).toEqual([
      0,
      expect.stringMatching(/✓ \d+ entries, 1 to \d+, no violations[\s\S]*by the key that was given/),
    ])
    writeFileSync(join(folder, 'cut.jsonl'), readFileSync(join(folder, 'first.jsonl'), 'utf8').split('\n').slice(0, 3).join('\n'))
    const cut = await finish(['audit', 'verify', '--file', 'cut.jsonl'])
    expect([cut.code, cut.output]).toEqual([1, expect.stringMatching(/✗ .*cut off[\s\S]*does not verify/)])
    expect(statSync(join(folder, 'first.backup')).mode & 0o777).toBe(0o600)
    started.child.kill('SIGTERM')
    expect(await started.ended).toBe(0)
    expect((await finish(['backup', 'first.backup'], environment)).last).toContain('nothing is overwritten')
    expect((await finish(['restore', 'first.backup'], environment)).last).toContain('With --replace it is put aside, not deleted.')
    const digest = 'd'.repeat(64)
    const [executionId, planId] = [randomUUID(), randomUUID()]
    appendFileSync(
      join(folder, 'data', 'effects.jsonl'),
      `${JSON.stringify({ executionId, planId, digest, resource: 'local/local/service/payments', at: '2026-03-01T12:00:00Z' })}\n`,
    )
    const restored = await finish(['restore', 'first.backup', '--replace'], environment)
    expect([restored.code, restored.output]).toEqual([
      0,
      expect.stringMatching(
        /Restored: \d+ rows[\s\S]*is kept: .*pglite-before-restore-[\s\S]*no violations[\s\S]*1 effect in the effect journal came after/,
      ),
    ])
    expect((await finish(['audit', 'verify'], environment)).output).toContain('the effect journal knows 1 effect(s)')
    expect((await finish(['admin', 'accept-gap'], environment)).output).toContain(planId)
    const accepted = await finish(['admin', 'accept-gap', '--reason', 'payments runs v41, as it should'], environment)
    expect([accepted.code, accepted.last]).toEqual([0, 'Taken over: 1. It is in the audit log.'])
    expect((await finish(['audit', 'verify'], environment)).code).toBe(0)
  }, 180_000)

  test('with a policy that cannot be read it starts, observes and says so', async () => {
    const port = await freePort()
    const started = run(['start'], { PORT: String(port), LOG_LEVEL: 'silent', STEADYHAND_POLICY: 'nowhere.yaml' })
    const client = await ready(started, port)
    const { json } = await client.get('/readyz')
    expect([json.mode, json.reasons.join()]).toEqual(['observe', expect.stringContaining('cannot be read')])
    await waitFor(async () => (started.output().includes('observes only and runs nothing') ? true : null))
    expect((await client.post('/webhooks/generic', { name: 'still heard' })).status).toBe(202)
  }, 180_000)
})
