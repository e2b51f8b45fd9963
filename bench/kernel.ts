import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import type { SealedPlan } from '../agent/domain/plan.ts'
import type { ApprovalKernel } from '../agent/ports.ts'
import { createApprovalKernel } from '../storage/approvals.ts'
import { createAuditStore } from '../storage/audit.ts'
import { type OpenDatabase, openDatabase } from '../storage/database.ts'
import { createExecutionKernel } from '../storage/execution.ts'
import { createLeases } from '../storage/leases.ts'
import { migrateToLatest } from '../storage/migrate.ts'
import { createPeopleStore } from '../storage/people.ts'
import { SAMPLE_ACTIONS, samplePlan } from '../test/support/kernel-plans.ts'
import { distribution, type Figure } from './report.ts'

const ROUNDS = 500
/** Not measured: caches fill and plans are prepared. */
const WARM_UP = 50
const EPOCH = 1
const CARD = { surface: 'console', tenant: 'console', place: 'main' } as const
const now = (): Date => new Date(performance.timeOrigin + performance.now())

/** The kernel's part of a click, with every commit: on PGlite with its files on disk, and on the server that DATABASE_URL names. */
export async function run(): Promise<readonly Figure[]> {
  const url = process.env['DATABASE_URL']
  return [...(await onPglite()), ...(url ? await onPostgres(url) : [])]
}

async function onPglite(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  try {
    return await measureKernel(await openDatabase({ dataDir, now }), 'PGlite')
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function onPostgres(server: string): Promise<Figure[]> {
  const name = `steadyhand_bench_${randomUUID().replaceAll('-', '')}`
  const address = new URL(server)
  address.pathname = `/${name}`
  await query(server, `create database ${name}`)
  try {
    return await measureKernel(await openDatabase({ dataDir: ':memory:', databaseUrl: address.href, now }), 'PostgreSQL')
  } finally {
    await query(server, `drop database ${name} with (force)`)
  }
}

async function query(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(statement)
  await client.end()
}

async function measureKernel(database: OpenDatabase, store: string): Promise<Figure[]> {
  const { db } = database
  await prepare(database)
  const clicks: number[] = []
  const sends: number[] = []
  for (let round = 1; round <= WARM_UP + ROUNDS; round += 1) {
    const asked = await propose(createApprovalKernel({ db }), round)
    const click = await timed(async () => await approve(createApprovalKernel({ db }), asked))
    const [claimable] = await createExecutionKernel({ db }).claimable(1)
    const send = await timed(async () => await claimAndSend(database, claimable?.authorisationId ?? ''))
    if (round > WARM_UP) clicks.push(click)
    if (round > WARM_UP) sends.push(send)
  }
  const verification = await timed(async () => {
    const { violations } = await createAuditStore({ db }).verify()
    if (violations.length > 0) throw new Error(violations.join('\n'))
  })
  await database.close()
  return [
    distribution(`click to authorised (${store})`, 'ms', clicks),
    distribution(`claim to sent (${store})`, 'ms', sends),
    { name: `the whole proof over them (${store})`, value: verification, unit: 'ms', n: 1 },
  ]
}

async function prepare({ db }: OpenDatabase): Promise<void> {
  await migrateToLatest(db)
  const links = [{ surface: CARD.surface, tenant: CARD.tenant, externalId: 'alice' }]
  await createPeopleStore({ db }).sync([{ id: 'alice', name: 'Alice', roles: ['approver'], environments: ['shop'], links }])
  await createApprovalKernel({ db }).registerActions(Object.values(SAMPLE_ACTIONS))
  await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
    select 'inc-' || n, n, 'errors', 'payments', 'shop', 2, 'rule', clk() from generate_series(1, ${WARM_UP + ROUNDS}) n`.execute(db)
  await createLeases({ db }).acquire('executor', 'bench', 3_600)
}

interface Asked {
  requestId: string
  parent: SealedPlan
}

async function propose(kernel: ApprovalKernel, round: number): Promise<Asked> {
  const { parent, undo } = samplePlan(now(), { incident: `inc-${round}`, target: { name: `payments-${round}` } })
  const { id } = await kernel.propose({ parent, undo, presentations: [CARD], renderHash: 'a'.repeat(64), renderVersion: 1 })
  return { requestId: id, parent }
}

async function approve(kernel: ApprovalKernel, { requestId, parent }: Asked): Promise<void> {
  const approval = await kernel.vote({
    requestId,
    digest: parent.digest,
    decision: 'approve',
    actor: { surface: CARD.surface, tenant: CARD.tenant, externalId: 'alice' },
    place: CARD.place,
    confirm: null,
    reason: null,
    deliveryKey: randomUUID(),
  })
  if (approval.requestState !== 'authorised') throw new Error(`the click left the request ${approval.requestState}`)
}

/** What the executor writes between an authorisation and the effect. */
async function claimAndSend({ db }: OpenDatabase, authorisationId: string): Promise<void> {
  const kernel = createExecutionKernel({ db })
  const { executionId } = await kernel.claim(authorisationId, EPOCH)
  const refusal = await kernel.refusalToAct(executionId)
  if (refusal) throw new Error(refusal.code)
  await kernel.advance(executionId, 'intent', EPOCH, {})
  await kernel.advance(executionId, 'sent', EPOCH, {})
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
