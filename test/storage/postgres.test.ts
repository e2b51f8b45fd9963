import { createServer } from 'node:net'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../storage/database.ts'
import { DatabaseUnavailable } from '../../storage/errors.ts'
import { describePostgres } from '../support/database.ts'

const now = (): Date => new Date()

async function refusalOf(databaseUrl: string): Promise<DatabaseUnavailable> {
  const error = await openDatabase({ dataDir: ':memory:', databaseUrl, now, limits: { connectMs: 500 } }).catch((caught: unknown) => caught)
  if (error instanceof DatabaseUnavailable) return error
  throw new Error('the database was opened', { cause: error })
}

describe('a PostgreSQL server that cannot be used', () => {
  test('is named without the password when nobody listens', async () => {
    const { message } = await refusalOf('postgres://anna:secret@127.0.0.1:1/steadyhand')
    expect(message).toMatch(/^PostgreSQL at 127\.0\.0\.1:1\/steadyhand cannot be used: .+ Check DATABASE_URL/)
    expect(message).not.toContain('secret')
  })

  test('is given up when it never answers', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    const address = await new Promise<{ port: number }>((resolve) => {
      silent.once('listening', () => resolve(silent.address() as { port: number }))
    })
    expect((await refusalOf(`postgres://anna@127.0.0.1:${address.port}/steadyhand`)).message).toContain('timeout')
    silent.close()
  })

  test('is refused when the address makes no sense', async () => {
    expect((await refusalOf('postgres://[')).message).toContain('the given address')
  })
})

describePostgres('a server under limits', (store) => {
  test('ends a statement that takes too long, and keeps the connection', async () => {
    const { db, close } = await store.open({ limits: { statementMs: 100, connections: 1 } })
    await expect(sql`select pg_sleep(5)`.execute(db)).rejects.toMatchObject({ code: '57014' })
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
    await close()
  })

  test('a connection that breaks between two statements fails their transaction, and nothing else', async () => {
    const lines: string[] = []
    const log = { info: () => {}, error: (detail: { error?: unknown }) => void lines.push(String(detail.error)) }
    const { db, close } = await store.open({ log })
    const broken = db.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction)
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(db)
      await expect.poll(() => lines.length, { timeout: 10_000 }).toBeGreaterThan(0)
      await sql`select 1`.execute(transaction)
    })
    await expect(broken).rejects.toThrow()
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
    await close()
  })

  test('goes on after the server ended every connection, also to listen', async () => {
    const database = await store.open()
    let heard = 0
    await database.listen('steadyhand_test', () => {
      heard += 1
    })
    const other = await openDatabase({ dataDir: ':memory:', databaseUrl: database.url ?? '', now })
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
      other.db,
    )
    await expect.poll(() => heard, { timeout: 10_000 }).toBe(1)
    await sql`select pg_notify('steadyhand_test', '')`.execute(other.db)
    await expect.poll(() => heard).toBe(2)
    expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }])
    await other.close()
    await database.close()
  })
})
