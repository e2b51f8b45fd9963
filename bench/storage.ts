import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { sql } from 'kysely'
import { type OpenDatabase, openDatabase } from '../storage/database.ts'
import { createInbox } from '../storage/inbox.ts'
import { migrateToLatest } from '../storage/migrate.ts'
import { createOutbox } from '../storage/outbox.ts'
import { distribution, type Figure } from './report.ts'

const ROUNDS = 2_000
const REOPENINGS = 5
const now = (): Date => new Date(performance.timeOrigin + performance.now())

/** PGlite on disk, with fsync: creation, reopening, memory, single statements, batches, and what a heavy statement does to the event loop. */
export async function run(): Promise<readonly Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  try {
    const [created, creation] = await timed(() => openDatabase({ dataDir, now }))
    await migrateToLatest(created.db)
    await created.close()
    const reopenings = await measure(REOPENINGS, async () => (await openDatabase({ dataDir, now })).close())
    const database = await openDatabase({ dataDir, now })
    const figures = [
      single('create the database and open it', 'ms', creation),
      distribution('reopen and close', 'ms', reopenings),
      single('memory of the process, reopened', 'MB', process.memoryUsage().rss / 1e6),
      ...(await measureStatements(database)),
      single('memory of the process, after', 'MB', process.memoryUsage().rss / 1e6),
    ]
    await database.close()
    return figures
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function measureStatements({ db }: OpenDatabase): Promise<Figure[]> {
  const inbox = createInbox({ db })
  const outbox = createOutbox({ db })
  const body = new Uint8Array(500)
  const accept = (key: string): Promise<unknown> => inbox.accept({ source: 'bench', deliveryKey: key, body, headers: {} })
  const singles = await measure(ROUNDS, (round) => accept(`single-${round}`))
  const [, batch] = await timed(() => acceptAll(accept))
  const transactions = await measure(ROUNDS, (round) =>
    db.transaction().execute((tx) => outbox.enqueue(tx, { dedupe: `bench-${round}`, topic: 'bench', incidentId: null, body: {} })),
  )
  const claims = await measure(ROUNDS / 10, async () => {
    for (const { id } of await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })) await outbox.done(id)
  })
  return [
    distribution('one delivery stored', 'ms', singles),
    single('deliveries stored, all at once', '1/s', (ROUNDS / batch) * 1_000, ROUNDS),
    distribution('one notice in a transaction', 'ms', transactions),
    distribution('one notice claimed and done', 'ms', claims),
    ...(await measureStall(db)),
  ]
}

/** As many at once as the inbox holds, then the rest. */
async function acceptAll(accept: (key: string) => Promise<unknown>): Promise<void> {
  const half = ROUNDS / 2
  for (const offset of [0, half]) await Promise.all(Array.from({ length: half }, (_, index) => accept(`many-${offset + index}`)))
}

async function measureStall(db: OpenDatabase['db']): Promise<Figure[]> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const [, heavy] = await timed(() =>
    sql`select count(*) from generate_series(1, 3000) a, generate_series(1, 3000) b where a * b > 7`.execute(db),
  )
  delay.disable()
  return [single('a heavy statement', 'ms', heavy), single('the longest stall of the event loop meanwhile', 'ms', delay.max / 1e6)]
}

async function measure(rounds: number, work: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) times.push((await timed(() => work(round)))[1])
  return times
}

async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const began = performance.now()
  const result = await work()
  return [result, performance.now() - began]
}

function single(name: string, unit: string, value: number, n = 1): Figure {
  return { name, value, unit, n }
}
