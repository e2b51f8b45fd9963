import { randomUUID } from 'node:crypto'
import { describe, expect, type TestContext, test } from 'vitest'
import { openDatabase } from '../../storage/database.ts'
import { enableVectors } from '../../storage/vectors.ts'
import { askedBy, auditViolations, readApproval, runEnded, startDrill, vote } from '../support/live/drill.ts'
import { install } from '../support/live/product.ts'
import { runSuitesOn } from '../support/live/suites.ts'
import { startTcpProxy } from '../support/live/tcp-proxy.ts'
import { until } from '../support/live/until.ts'
import { createDatabase, postgresServers } from '../support/peers.ts'

const MINUTES = 60_000
/** Every test file of the unit lane that has suites on every store. */
const SUITES = ['test/storage', 'test/agent', 'test/bot']
/** On the second server only those of the folder that speaks SQL: all others see a server through it. */
const SQL_SUITES = ['test/storage']
const FEWEST_TESTS = 250

for (const [place, { name, start }] of postgresServers().entries()) {
  const suites = place === 0 ? SUITES : SQL_SUITES
  /** The server for one test; skips where it is missing. */
  const serverFor = async (context: TestContext): Promise<string> => {
    const server = await start()
    if ('missing' in server) return context.skip(server.missing)
    context.onTestFinished(server.stop)
    return server.url
  }

  describe(name, () => {
    test(
      `every suite of ${suites.join(', ')}`,
      async (context) => {
        const { passed, failed, success, output } = await runSuitesOn(await serverFor(context), suites)
        await context.annotate(`${passed} passed, ${failed} failed`)
        if (!success) throw new Error(output)
        expect(failed).toBe(0)
        expect(passed).toBeGreaterThanOrEqual(FEWEST_TESTS)
      },
      20 * MINUTES,
    )

    test(
      'the whole product once, with the database gone in between, and what is there of pgvector',
      async (context) => {
        const server = await serverFor(context)
        const database = await createDatabase(server)
        context.onTestFinished(database.drop)
        const direct = new URL(database.url)
        const proxy = await startTcpProxy({ host: direct.hostname, port: Number(direct.port) })
        context.onTestFinished(proxy.cut)
        const through = new URL(database.url)
        through.hostname = '127.0.0.1'
        through.port = String(proxy.port)
        const here = install(context, { settings: { DATABASE_URL: through.href } })
        const product = await here.start()
        const { client } = product

        const run = await startDrill(client, 'bad-release')
        const asked = await askedBy(client, run)
        const alice = await product.as('alice')
        await proxy.cut()
        expect(await vote(alice, asked).catch(() => null)).toMatchObject({ status: 503, json: { code: 'unavailable' } })
        expect((await client.get('/healthz')).status).toBe(200)
        expect((await client.post('/webhooks/generic', { name: randomUUID() })).status).toBe(503)
        await proxy.mend()
        await until('it answers again', async () => (await client.get(`/api/v1/approvals/${asked.id}`)).status === 200, 60)

        expect((await vote(alice, asked)).status).toBe(200)
        expect(await runEnded(client, run)).toMatchObject({ state: 'passed' })
        expect((await readApproval(client, asked.id)).execution?.outcome).toBe('verified')
        expect(await auditViolations(client)).toEqual([])
        expect(await product.stop()).toBe(0)
        expect(await here.run(['audit', 'verify'])).toMatchObject({ code: 0, last: expect.stringContaining('no violations') })
        await expectVectors(database.url, name)
      },
      10 * MINUTES,
    )
  })
}

async function expectVectors(databaseUrl: string, name: string): Promise<void> {
  const { db, close } = await openDatabase({ dataDir: ':memory:', databaseUrl, now: () => new Date() })
  try {
    const { available, notice } = await enableVectors(db)
    if (name.includes('with pgvector')) expect(notice).toMatch(/^pgvector \S+ is available\.$/)
    if (name.includes('without pgvector')) expect([available, notice]).toEqual([false, expect.stringContaining('full text only')])
  } finally {
    await close()
  }
}

test(
  'a database that is not there: it ends, and says what to do',
  async (context) => {
    const here = install(context, { settings: { DATABASE_URL: 'postgres://steadyhand@127.0.0.1:1/steadyhand' } })
    const { code, last } = await here.run(['start'], { PORT: '0' })
    expect([code, last]).toEqual([1, expect.stringMatching(/127\.0\.0\.1:1/)])
  },
  2 * MINUTES,
)
