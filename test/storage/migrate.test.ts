import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../storage/database.ts'
import { MigrationFailed } from '../../storage/errors.ts'
import { MIGRATIONS, migrateToLatest, pendingMigrations } from '../../storage/migrate.ts'
import { describeDatabases, type TestDatabase } from '../support/database.ts'

const NAMES = Object.keys(MIGRATIONS)

describeDatabases('migrate', (store) => {
  const withEmpty = async (work: (database: TestDatabase) => Promise<void>): Promise<void> => {
    const database = await store.open({ migrated: false })
    try {
      await work(database)
    } finally {
      await database.close()
    }
  }

  test('brings an empty database to the newest schema, once', () =>
    withEmpty(async ({ db }) => {
      expect(await pendingMigrations(db)).toEqual(NAMES)
      expect(await migrateToLatest(db)).toEqual(NAMES)
      expect(await pendingMigrations(db)).toEqual([])
      expect(await migrateToLatest(db)).toEqual([])
    }))

  test('survives two starters at once', () =>
    withEmpty(async (database) => {
      const second = database.url ? await openDatabase({ dataDir: ':memory:', databaseUrl: database.url, now: () => new Date() }) : null
      const ran = await Promise.all([migrateToLatest(database.db), migrateToLatest((second ?? database).db), migrateToLatest(database.db)])
      await second?.close()
      expect(ran.flat()).toEqual(NAMES)
      expect(await pendingMigrations(database.db)).toEqual([])
    }))

  test('takes back all of a failed migration, and names it', () =>
    withEmpty(async ({ db }) => {
      const up = async (tx: Kysely<never>): Promise<void> => void (await sql.raw('create table half (a int); select 1 / 0').execute(tx))
      const error = await migrateToLatest(db, { ...MIGRATIONS, '9999-broken': { up } }).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(MigrationFailed)
      expect(error).toMatchObject({
        migration: '9999-broken',
        message: 'Migration 9999-broken failed and was taken back: division by zero',
      })
      expect((await sql`select to_regclass('half') as half, to_regclass('inbox') as inbox`.execute(db)).rows).toEqual([
        { half: null, inbox: null },
      ])
    }))

  test('refuses a database that is newer than the program', () =>
    withEmpty(async ({ db }) => {
      await migrateToLatest(db, { ...MIGRATIONS, '9999-future': { up: async () => {} } })
      const error = await migrateToLatest(db).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(MigrationFailed)
      expect(error).toMatchObject({ migration: null, message: expect.stringContaining('9999-future') })
    }))

  test('leaves the limits of the connection as they were', () =>
    withEmpty(async ({ db }) => {
      const limit = () => sql<{ limit: string }>`select current_setting('statement_timeout') as limit`.execute(db)
      const before = await limit()
      await migrateToLatest(db)
      expect((await limit()).rows).toEqual(before.rows)
    }))
})
