import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { type DatabaseOptions, type OpenDatabase, openDatabase } from '../../storage/database.ts'
import { migrateToLatest } from '../../storage/migrate.ts'
import { makeFresh, rememberFresh } from './fresh-database.ts'

/** What a suite gets of the store it runs on. Every database it opens here is closed, and dropped, by the store. */
export interface TestStore {
  kind: 'pglite' | 'postgres'
  /**
   * A migrated database for each test of the enclosing describe, as it was after the migration; call the result inside a test. It is one database,
   * emptied in between (10 ms), so a test that changes the schema, or closes it, opens one of its own.
   */
  perTest(): () => OpenDatabase
  /** One fresh, migrated database for the whole enclosing describe. */
  perSuite(): () => OpenDatabase
  /** Opens one more, to be closed by the caller: migrated unless told otherwise. */
  open(options?: TestDatabaseOptions): Promise<TestDatabase>
}

export interface TestDatabaseOptions extends Partial<DatabaseOptions> {
  migrated?: boolean
}

export interface TestDatabase extends OpenDatabase {
  /** postgres:// address of this database, to open it a second time; null on PGlite. */
  url: string | null
}

/**
 * Runs one suite on every store there is: PGlite in memory, and PostgreSQL when TEST_DATABASE_URL names a server whose user may create databases.
 * A new one is a copy of one that was migrated once and costs 0.2–0.5 s.
 *
 * @param timeout of each test, in milliseconds
 */
export function describeDatabases(title: string, body: (store: TestStore) => void, timeout = 30_000): void {
  for (const store of testStores()) describe(`${title} (${store.kind})`, { timeout }, () => body(store))
}

/** Runs a suite of what only a server can do; without TEST_DATABASE_URL it is skipped, and says so. */
export function describePostgres(title: string, body: (store: TestStore) => void): void {
  const server = testStores().find(({ kind }) => kind === 'postgres')
  if (server) describe(`${title} (${server.kind})`, { timeout: 30_000 }, () => body(server))
  else describe(title, () => test('on a server', (context) => context.skip('it needs a server: PostgreSQL only')))
}

function testStores(): TestStore[] {
  const server = process.env['TEST_DATABASE_URL']
  return [createStore('pglite', openPglite), ...(server ? [createStore('postgres', (options) => openPostgres(server, options))] : [])]
}

type Open = (options: TestDatabaseOptions) => Promise<TestDatabase>

function createStore(kind: TestStore['kind'], open: Open): TestStore {
  const perSuite = (): (() => OpenDatabase) => {
    let database: OpenDatabase | null = null
    beforeAll(async () => {
      database = await open({})
    }, 60_000)
    afterAll(() => database?.close(), 60_000)
    return () => {
      if (!database) throw new Error('the database is open only while a test runs')
      return database
    }
  }
  const perTest = (): (() => OpenDatabase) => {
    const database = perSuite()
    beforeAll(() => rememberFresh(database().db))
    beforeEach(() => makeFresh(database().db))
    return database
  }
  return { kind, perTest, perSuite, open: (options = {}) => open(options) }
}

const now = (): Date => new Date()

/** Read when the migrations were loaded: one that is edited while a test runs must not be taken for the one that ran. */
const SCHEMA = schemaHash()
const CACHE = new URL('../../node_modules/.cache/steadyhand/', import.meta.url).pathname

async function openPglite({ migrated = true, ...options }: TestDatabaseOptions): Promise<TestDatabase> {
  const template = await readTemplate(migrated)
  return { ...(await openDatabase({ dataDir: ':memory:', now, template, ...options })), url: null }
}

/** The tar of an empty or a migrated database, made once for all test files and runs until a migration or PGlite changes. */
async function readTemplate(migrated: boolean): Promise<Uint8Array> {
  const name = migrated ? `migrated-${SCHEMA}.tar` : `empty-${pgliteVersion()}.tar`
  const file = join(CACHE, name)
  if (!existsSync(file))
    await once(
      `${file}.lock`,
      () => existsSync(file),
      () => makeTemplate(file, migrated),
    )
  return readFileSync(file)
}

async function makeTemplate(file: string, migrated: boolean): Promise<void> {
  const source = migrated ? { template: await readTemplate(false) } : {}
  const database = await openDatabase({ dataDir: ':memory:', now, ...source })
  if (migrated) await migrateToLatest(database.db)
  const bytes = await database.dump()
  await database.close()
  writeFileSync(`${file}.${process.pid}`, bytes)
  renameSync(`${file}.${process.pid}`, file)
  for (const old of readdirSync(CACHE)) {
    const path = join(CACHE, old)
    if (old.startsWith('migrated-') && path !== file && Date.now() - statSync(path).mtimeMs > 3_600_000)
      rmSync(path, { force: true, recursive: true })
  }
}

/** Lets one of many test processes do the work; a lock that was left behind counts for a minute. */
async function once(lock: string, done: () => boolean, work: () => Promise<void>): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  while (!done()) {
    if (tryLock(lock)) {
      try {
        if (!done()) await work()
      } finally {
        rmSync(lock, { recursive: true, force: true })
      }
      return
    }
    await pause(50)
  }
}

function tryLock(lock: string): boolean {
  if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 60_000) rmSync(lock, { recursive: true, force: true })
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}

function pgliteVersion(): string {
  const text = readFileSync(new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: string }).version)
}

function schemaHash(): string {
  const folder = new URL('../../storage/migrations/', import.meta.url).pathname
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') || file.endsWith('.sql'))
  const hash = createHash('sha256').update(pgliteVersion())
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 16)
}

async function openPostgres(server: string, { migrated = true, ...options }: TestDatabaseOptions): Promise<TestDatabase> {
  const template = migrated ? `steadyhand_test_${SCHEMA}` : 'template0'
  const name = `steadyhand_test_${randomBytes(6).toString('hex')}`
  const url = withDatabase(server, name)
  await withAdmin(server, async (admin) => {
    if (migrated) await makePostgresTemplate(admin, server, template)
    await admin.query(`create database ${name} template ${template}`)
  })
  const database = await openDatabase({ dataDir: ':memory:', now, databaseUrl: url, ...options })
  return {
    ...database,
    url,
    async close() {
      await database.close()
      await withAdmin(server, async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`)))
    },
  }
}

/** An advisory lock keeps two test processes from making, or copying half of, the same template. */
async function makePostgresTemplate(admin: pg.Client, server: string, template: string): Promise<void> {
  await admin.query("select pg_advisory_lock(hashtext('steadyhand test template'))")
  const known = await admin.query('select 1 from pg_database where datname = $1 and datistemplate', [template])
  if (known.rowCount === 0) {
    await admin.query(`drop database if exists ${template} with (force)`)
    await admin.query(`create database ${template} template template0`)
    const database = await openDatabase({ dataDir: ':memory:', now, databaseUrl: withDatabase(server, template) })
    await migrateToLatest(database.db)
    await database.close()
    await admin.query(`alter database ${template} is_template true`)
  }
  await admin.query("select pg_advisory_unlock(hashtext('steadyhand test template'))")
}

async function withAdmin(server: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.end()
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.toString()
}

/** Moves the database's clock: every rule of the database sees `seconds` later than now, until it is called again. */
export async function moveClock({ db }: Pick<OpenDatabase, 'db'>, seconds: number): Promise<void> {
  await sql`create or replace function clk() returns timestamptz language sql volatile as ${sql.lit(
    `select clock_timestamp() + interval '${seconds} seconds'`,
  )}`.execute(db)
}

/** Stops the database's clock at a moment. */
export async function stopClock({ db }: Pick<OpenDatabase, 'db'>, at: Date): Promise<void> {
  await sql`create or replace function clk() returns timestamptz language sql volatile as ${sql.lit(
    `select timestamptz '${at.toISOString()}'`,
  )}`.execute(db)
}
