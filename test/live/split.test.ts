import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, type TestContext, test } from 'vitest'
import { loadConfig } from '../../bot/config.ts'
import { peopleRows } from '../../bot/configured-people.ts'
import { openDatabase } from '../../storage/database.ts'
import { migrateToLatest } from '../../storage/migrate.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { grantProcessRoles, PROCESS_ROLES, type ProcessRole } from '../../storage/process-roles.ts'
import { Client } from '../support/edge/client.ts'
import { anAlert } from '../support/edge/edge-harness.ts'
import { freePort } from '../support/edge/free-port.ts'
import { auditViolations } from '../support/live/drill.ts'
import { install } from '../support/live/product.ts'
import { createSharedState, readShared } from '../support/live/shared-target.ts'
import { until } from '../support/live/until.ts'
import { temporaryFolder } from '../support/peer-process.ts'
import { createDatabase, postgresServers } from '../support/peers.ts'
import { createLogins } from '../support/process-roles.ts'

const MINUTES = 60_000
const ROLE_PROCESS = join(import.meta.dirname, '..', 'support', 'live', 'role-process.ts')

for (const { name, start } of postgresServers()) {
  /** An empty database and, once it is prepared, a login for each process. */
  const databaseFor = async (context: TestContext) => {
    const server = await start()
    if ('missing' in server) return context.skip(server.missing)
    context.onTestFinished(server.stop)
    const database = await createDatabase(server.url)
    context.onTestFinished(database.drop)
    const owner = await openDatabase({ dataDir: ':memory:', databaseUrl: database.url, now: () => new Date() })
    context.onTestFinished(owner.close)
    return {
      url: database.url,
      owner,
      async logins(): Promise<Record<ProcessRole, string>> {
        const { urls, drop } = await createLogins(owner.db, database.url)
        context.onTestFinished(drop)
        return urls
      },
    }
  }

  describe(`three processes on ${name}`, () => {
    test(
      'carry one action from the alert to its verification',
      async (context) => {
        const { owner, logins } = await databaseFor(context)
        await migrateToLatest(owner.db)
        await grantProcessRoles(owner.db)
        await createPeopleStore({ db: owner.db }).sync(peopleRows(loadConfig({}, '/nonexistent').people, true))
        const folder = temporaryFolder()
        context.onTestFinished(folder.remove)
        const target = join(folder.path, 'target.json')
        createSharedState(target)
        const urls = await logins()
        const started = await Promise.all(PROCESS_ROLES.map((role) => startRole(context, role, urls[role], target)))
        const client = new Client(started[0]?.url ?? '')

        expect((await client.post('/webhooks/alertmanager', anAlert())).status).toBe(202)
        const asked = await until(
          'it is asked',
          async () => (await client.get('/api/v1/approvals?state=pending')).json.items[0] ?? null,
          60,
        )
        const [bob, alice] = [new Client(client.url), new Client(client.url)]
        await bob.signIn('bob')
        await alice.signIn('alice')
        const click = { decision: 'approve', digest: asked.digest }
        expect(await bob.post(`/api/v1/approvals/${asked.id}/votes`, click)).toMatchObject({
          status: 403,
          json: { code: 'not-authorised' },
        })
        expect((await alice.post(`/api/v1/approvals/${asked.id}/votes`, click)).status).toBe(200)
        const done = await until(
          'it is verified',
          async () => {
            const { json } = await client.get(`/api/v1/approvals/${asked.id}`)
            return json.state === 'done' && json
          },
          60,
        )
        expect(done.execution.outcome).toBe('verified')
        expect(readShared(target)).toMatchObject({ version: 'v1', ledger: [{ version: 'v1' }] })
        await until('the incident is over', async () => (await client.get('/api/v1/incidents/inc-1')).json.state === 'resolved', 30)
        expect(await auditViolations(client)).toEqual([])
        for (const { stop } of started) expect(await stop()).not.toMatch(/^error /m)
      },
      5 * MINUTES,
    )

    test(
      'are prepared by the owner of the database, start apart, and take an alert in together',
      async (context) => {
        const { url, logins } = await databaseFor(context)
        const here = install(context)
        const early = await here.run(['start', '--role', 'agent'], { DATABASE_URL: url })
        expect([early.code, early.last]).toEqual([1, expect.stringContaining('run "steadyhand migrate --split" as its owner')])
        expect(await here.run(['migrate', '--split'], { DATABASE_URL: url })).toMatchObject({
          code: 0,
          output: expect.stringContaining('in role steadyhand_executor;'),
        })
        const urls = await logins()
        const ports = { executor: String(await freePort()), agent: String(await freePort()) }
        const executor = here.begin(['start', '--role', 'executor'], { DATABASE_URL: urls.executor, HEALTH_PORT: ports.executor })
        const agent = here.begin(['start', '--role', 'agent'], { DATABASE_URL: urls.agent, HEALTH_PORT: ports.agent })
        const edge = await here.start({ DATABASE_URL: urls.edge }, ['start', '--role', 'edge'])
        for (const [role, { output }] of [['executor', executor] as const, ['agent', agent] as const])
          await until(`the ${role} runs`, async () => output().includes(`the ${role} runs`), 60, output)
        for (const port of Object.values(ports)) {
          const probe = new Client(`http://127.0.0.1:${port}`)
          expect([(await probe.get('/healthz')).status, (await probe.get('/readyz')).json.status]).toEqual([200, 'ready'])
          expect((await probe.get('/metrics')).text).toMatch(/^steadyhand_jobs_waiting \d+$/m)
        }
        expect((await edge.client.post('/webhooks/alertmanager', anAlert())).status).toBe(202)
        await until(
          'the agent looked into it',
          async () => {
            const { json } = await edge.client.get('/api/v1/incidents/inc-1')
            return json.hypotheses?.length > 0
          },
          60,
          () => agent.output(),
        )
        const alice = await edge.as('alice')
        expect((await alice.post('/api/v1/commands', { text: 'stop' })).json.text).toContain('Stopped')
        const { port } = new URL(edge.url)
        expect((await here.run(['admin', 'start-again'], { DATABASE_URL: urls.edge, PORT: port })).code).toBe(1)
        expect((await here.run(['admin', 'start-again'], { DATABASE_URL: url, PORT: port })).last).toContain('Started')
        const first = await here.run(['admin', 'first', 'alice'], { DATABASE_URL: urls.edge, PORT: port })
        expect([first.code, first.last]).toEqual([1, expect.stringContaining('as the owner of the database')])
        expect((await here.run(['admin', 'first', 'alice'], { DATABASE_URL: url, PORT: port })).last).toContain('alice is an admin now')
        expect((await alice.post('/api/v1/commands', { text: 'admin grant bob approver' })).json.text).toContain('Waits for another admin')
        expect(await auditViolations(edge.client)).toEqual([])
        expect([await edge.stop(), await agent.stop(), await executor.stop()]).toEqual([0, 0, 0])
        expect([edge, agent, executor].map(({ output }) => output()).join('\n')).not.toContain('permission denied')
      },
      5 * MINUTES,
    )
  })
}

test(
  'on the embedded database a part of the whole does not start, and says why',
  async (context) => {
    const here = install(context)
    for (const role of PROCESS_ROLES)
      expect(await here.run(['start', '--role', role])).toMatchObject({
        code: 1,
        last: expect.stringContaining('needs a PostgreSQL server'),
      })
    expect(await here.run(['start', '--role', 'all-of-it'])).toMatchObject({ code: 2, last: expect.stringContaining('There is no role') })
    expect(await here.run(['migrate', '--split'])).toMatchObject({ code: 2, last: expect.stringContaining('needs a PostgreSQL server') })
  },
  2 * MINUTES,
)

/** Starts one of the processes; `stop` resolves with what it logged as warnings and errors. */
async function startRole(
  context: TestContext,
  role: ProcessRole,
  databaseUrl: string,
  target: string,
): Promise<{ url: string; stop(): Promise<string> }> {
  const child = spawn(process.execPath, [ROLE_PROCESS, role, databaseUrl, target], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  context.onTestFailed(() => void process.stderr.write(`${role}:\n${said}`))
  context.onTestFinished(() => ended(child, 'SIGKILL'))
  const first = once(child.stdout, 'data') as Promise<[Buffer]>
  const [line] = await Promise.race([
    first,
    once(child, 'exit').then(() => Promise.reject(new Error(`the ${role} ended instead of starting:\n${said}`))),
  ])
  return {
    url: JSON.parse(line.toString('utf8')).url,
    async stop() {
      await ended(child, 'SIGTERM')
      return said
    },
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
