import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../storage/database.ts'
import { DatabaseUnavailable, DataDirectoryUnusable } from '../../storage/errors.ts'
import { migrateToLatest } from '../../storage/migrate.ts'
import { keepUp } from '../../storage/pglite-upkeep.ts'

const now = (): Date => new Date()
let dataDir: string

let created: string

/** Creating takes seconds, so most tests begin with a copy of one directory. */
beforeAll(async () => {
  created = mkdtempSync(join(tmpdir(), 'steadyhand-pglite-'))
  const database = await openDatabase({ dataDir: created, now })
  await migrateToLatest(database.db)
  await database.close()
}, 90_000)

afterAll(() => rmSync(created, { recursive: true, force: true }))

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-pglite-'))
})

afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function rowsIn(directory: string): Promise<{ key: string }[]> {
  const database = await openDatabase({ dataDir: directory, now })
  const { rows } = await sql<{ key: string }>`select key from app_meta`.execute(database.db)
  await database.close()
  return rows
}

describe('PGlite on disk', { timeout: 90_000 }, () => {
  test('starts although a process was killed while it wrote the engine’s own lock', async () => {
    cpSync(created, dataDir, { recursive: true })
    writeFileSync(join(dataDir, 'pglite', 'postmaster.pid'), '')
    await expect(rowsIn(dataDir)).resolves.toEqual(expect.any(Array))
  })

  test('is created once, and keeps what was written', async () => {
    const first = await openDatabase({ dataDir, now })
    expect(first.created).toBe(true)
    await migrateToLatest(first.db)
    await sql`insert into app_meta (key, value) values ('kept', '1')`.execute(first.db)
    await expect(openDatabase({ dataDir, now })).rejects.toBeInstanceOf(DataDirectoryUnusable)
    await first.close()

    const second = await openDatabase({ dataDir, now })
    expect(second.created).toBe(false)
    expect((await sql`select key from app_meta`.execute(second.db)).rows).toEqual([{ key: 'kept' }])
    await expect(sql`show fsync`.execute(second.db)).resolves.toMatchObject({ rows: [{ fsync: 'on' }] })
    await second.close()
  })

  test('begins again after a creation that was cut short', async () => {
    mkdirSync(join(dataDir, 'pglite.new'))
    writeFileSync(join(dataDir, 'pglite.new', 'PG_VERSION'), '18\n')
    const database = await openDatabase({ dataDir, now })
    expect(database.created).toBe(true)
    expect(existsSync(join(dataDir, 'pglite.new'))).toBe(false)
    await database.close()
  })

  test('loses no committed row when its process is killed', async () => {
    cpSync(created, dataDir, { recursive: true })
    const committed: string[] = []
    for (let round = 0; round < 2; round += 1) {
      const writer = spawn(process.execPath, [new URL('./programs/write-rows.ts', import.meta.url).pathname, dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      writer.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      await expect.poll(() => text.split('\n').length, { timeout: 30_000 }).toBeGreaterThan(200)
      writer.kill('SIGKILL')
      await once(writer, 'close')
      committed.push(...text.split('\n').slice(0, -1))
    }
    const stored = new Set((await rowsIn(dataDir)).map(({ key }) => key))
    expect(committed.filter((number) => !stored.has(`row-${number}`))).toEqual([])
  })

  test('ends what was begun before it closes, and refuses what comes after', async () => {
    const { db, close } = await openDatabase({ dataDir: ':memory:', now })
    await sql`select 1`.execute(db)
    const slow = sql`select pg_sleep(0.3)`.execute(db)
    const closing = close()
    await expect(slow).resolves.toBeDefined()
    await closing
    await expect(sql`select 1`.execute(db)).rejects.toThrow()
  })

  test('stops for good when it can write its log no more, and keeps what was committed', async () => {
    const lost: string[] = []
    cpSync(created, dataDir, { recursive: true })
    const { db, close } = await openDatabase({ dataDir, now, onLost: ({ message }) => void lost.push(message) })
    await sql`insert into app_meta (key, value) values ('committed', '1')`.execute(db)
    renameSync(join(dataDir, 'pglite', 'pg_wal'), join(dataDir, 'away'))
    const write = async (): Promise<unknown> => {
      await sql`select pg_switch_wal()`.execute(db)
      return await sql`insert into app_meta (key, value) values (gen_random_uuid()::text, '1')`.execute(db)
    }
    await expect(write()).rejects.toBeInstanceOf(DatabaseUnavailable)
    await expect(sql`select 1`.execute(db)).rejects.toBeInstanceOf(DatabaseUnavailable)
    await expect(sql`select 1`.execute(db)).rejects.toThrow('The database stopped: could not')
    expect(lost).toHaveLength(1)
    await close()

    renameSync(join(dataDir, 'away'), join(dataDir, 'pglite', 'pg_wal'))
    expect(await rowsIn(dataDir)).toContainEqual({ key: 'committed' })
  })

  test('keeps its log and its tables small', async () => {
    cpSync(created, dataDir, { recursive: true })
    const { db, close } = await openDatabase({ dataDir, now })
    expect(await keepUp(db)).toMatchObject({ checkpoint: false, vacuumed: [] })
    await sql`insert into app_meta (key, value) select 'key-' || n, '1' from generate_series(1, 2000) n`.execute(db)
    const rewrite = async (): Promise<void> => {
      await sql`update app_meta set value = to_jsonb(repeat(md5(key), 30))`.execute(db)
    }
    for (let round = 0; round < 12; round += 1) await rewrite()
    expect(await keepUp(db)).toMatchObject({ checkpoint: true, vacuumed: ['app_meta'] })
    const size = async (): Promise<number> =>
      Number((await sql<{ size: number }>`select pg_total_relation_size('app_meta') as size`.execute(db)).rows[0]?.size)
    const before = await size()
    await rewrite()
    expect(await size()).toBe(before)
    await close()
  })

  test('analyses tables that only grow', async () => {
    cpSync(created, dataDir, { recursive: true })
    const { db, close } = await openDatabase({ dataDir, now })
    await keepUp(db)
    await sql`insert into app_meta (key, value) select 'key-' || n, '1' from generate_series(1, 600) n`.execute(db)
    expect(await keepUp(db)).toMatchObject({ vacuumed: [], analysed: ['app_meta'] })
    const { rows } = await sql<{ n: number }>`select reltuples::int as n from pg_class where relname = 'app_meta'`.execute(db)
    expect(rows).toEqual([{ n: 600 }])
    expect(await keepUp(db)).toMatchObject({ vacuumed: [], analysed: [] })
    await close()
  })

  test('gives the directory back when the database in it cannot be opened', async () => {
    mkdirSync(join(dataDir, 'pglite'))
    writeFileSync(join(dataDir, 'pglite', 'PG_VERSION'), '12\n')
    const broken = await openDatabase({ dataDir, now }).catch((error: unknown) => error)
    expect(broken).toBeInstanceOf(DatabaseUnavailable)
    rmSync(join(dataDir, 'pglite'), { recursive: true })
    cpSync(created, dataDir, { recursive: true })
    await (await openDatabase({ dataDir, now })).close()
  })
})
