import { setTimeout as pause } from 'node:timers/promises'
import { AbortedTransactionError, sql } from 'kysely'
import { expect, test } from 'vitest'
import { DatabaseBusy, isUniqueViolation, sqlFaultOf } from '../../storage/errors.ts'
import { describeDatabases } from '../support/database.ts'

describeDatabases('database', (store) => {
  const database = store.perSuite()

  test('reads the same JavaScript values', async () => {
    const { rows } = await sql<Record<string, unknown>>`
      select 42::int8 as int8, 9007199254740993::int8 as large, 1.50::numeric as numeric, 0.5::float8 as float8, true as bool,
        timestamptz '2026-03-01 10:00:00.123+02' as timestamptz, timestamp '2026-03-01 10:00:00' as timestamp, date '2026-03-01' as date,
        '{"a":[1,null]}'::jsonb as jsonb, '\\x00ff'::bytea as bytea, array[1,2]::int8[] as int8s, array['a,b','"c"',null] as texts,
        array[timestamptz '2026-03-01 10:00:00+00'] as moments, '1 day'::interval as interval, null::text as nothing, count(*) as count`.execute(
      database().db,
    )
    expect(rows).toEqual([
      {
        int8: 42,
        large: 9007199254740993n,
        numeric: '1.50',
        float8: 0.5,
        bool: true,
        timestamptz: new Date('2026-03-01T08:00:00.123Z'),
        timestamp: new Date('2026-03-01T10:00:00Z'),
        date: '2026-03-01',
        jsonb: { a: [1, null] },
        bytea: new Uint8Array([0, 255]),
        int8s: [1, 2],
        texts: ['a,b', '"c"', null],
        moments: [new Date('2026-03-01T10:00:00Z')],
        interval: '1 day',
        nothing: null,
        count: 1,
      },
    ])
    expect(rows[0]?.['bytea']).not.toBeInstanceOf(Buffer)
  })

  test('sends every kind of parameter unchanged', async () => {
    const at = new Date('2026-03-01T10:00:00.123Z')
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const { rows } = await sql`
      select ${at}::timestamptz as at, ${bytes}::bytea as bytes, ${9007199254740993n}::int8 as large, ${1.5}::float8 as half, ${false}::boolean as no,
        ${{ a: 'ü"\\' }}::jsonb as json, ${JSON.stringify([1, 'x'])}::jsonb as list, ${['a,b', '"c"\\', null]}::text[] as texts, ${[1, 2]}::int8[] as ids,
        ${null}::text as nothing, ${'text: $1 ? 😀'}::text as text`.execute(database().db)
    expect(rows).toEqual([
      {
        at,
        bytes,
        large: 9007199254740993n,
        half: 1.5,
        no: false,
        json: { a: 'ü"\\' },
        list: [1, 'x'],
        texts: ['a,b', '"c"\\', null],
        ids: [1, 2],
        nothing: null,
        text: 'text: $1 ? 😀',
      },
    ])
  })

  test('counts the rows of writes, and only of writes', async () => {
    const { db } = database()
    const insert = await sql`insert into app_meta (key, value) values ('count-1', '1'), ('count-2', '2')`.execute(db)
    const update = await sql`update app_meta set value = ${'3'}::jsonb where key like 'count-%'`.execute(db)
    const select = await sql`select * from app_meta where key like 'count-%'`.execute(db)
    expect([insert.numAffectedRows, update.numAffectedRows, select.numAffectedRows]).toEqual([2n, 2n, undefined])
    expect(select.rows).toHaveLength(2)
  })

  test('runs several statements in one text, without rows', async () => {
    const { db } = database()
    const result = await sql
      .raw("create table several (a int); insert into several values (1), (2); comment on table several is 'a; b'; select * from several")
      .execute(db)
    expect(result.rows).toEqual([])
    expect((await sql`select count(*) as n from several`.execute(db)).rows).toEqual([{ n: 2 }])
  })

  test("keeps the database's words in an error", async () => {
    const { db } = database()
    await sql`insert into app_meta (key, value) values ('twice', '1')`.execute(db)
    const error = await sql`insert into app_meta (key, value) values (${'twice'}, '1')`.execute(db).catch((caught: unknown) => caught)
    expect(sqlFaultOf(error)).toEqual({
      code: '23505',
      message: 'duplicate key value violates unique constraint "app_meta_pkey"',
      constraint: 'app_meta_pkey',
      table: 'app_meta',
      detail: 'Key (key)=(twice) already exists.',
      hint: null,
    })
    expect(isUniqueViolation(error, 'app_meta_pkey')).toBe(true)
    expect(isUniqueViolation(error, 'another')).toBe(false)
    expect(error instanceof Error && error.stack).toContain('database.test.ts')
  })

  test('keeps the fields that a function raises with', async () => {
    const raise = sql`do $$ begin raise exception 'self-approval' using errcode = 'SH001', detail = 'anna', hint = 'ask', constraint = 'rule'; end $$`
    const error = await raise.execute(database().db).catch((caught: unknown) => caught)
    expect(sqlFaultOf(error)).toEqual({
      code: 'SH001',
      message: 'self-approval',
      detail: 'anna',
      hint: 'ask',
      constraint: 'rule',
      table: null,
    })
  })

  test('refuses a value that does not fit its type, and goes on', async () => {
    const { db } = database()
    const wrong = await sql`select ${'maybe'}::boolean`.execute(db).catch((caught: unknown) => caught)
    expect(sqlFaultOf(wrong)?.code).toBe('22P02')
    const zero = await sql`select ${'a\0b'}::text`.execute(db).catch((caught: unknown) => caught)
    expect(sqlFaultOf(zero)?.code).toBe('22021')
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  })

  test('rolls a failed transaction back', async () => {
    const { db } = database()
    const failing = db.transaction().execute(async (tx) => {
      await sql`insert into app_meta (key, value) values ('undone', '1')`.execute(tx)
      throw new Error('boom')
    })
    await expect(failing).rejects.toThrow('boom')
    expect((await sql`select 1 from app_meta where key = 'undone'`.execute(db)).rows).toEqual([])
  })

  test('refuses to commit a transaction in which a statement failed', async () => {
    const { db } = database()
    const swallowing = db.transaction().execute(async (tx) => {
      await sql`insert into app_meta (key, value) values ('swallowed', '1')`.execute(tx)
      await sql`select 1 / 0`.execute(tx).catch(() => undefined)
    })
    await expect(swallowing).rejects.toBeInstanceOf(AbortedTransactionError)
    expect((await sql`select 1 from app_meta where key = 'swallowed'`.execute(db)).rows).toEqual([])
  })

  test('goes back to a savepoint', async () => {
    const { db } = database()
    const transaction = await db.startTransaction().execute()
    await sql`insert into app_meta (key, value) values ('kept', '1')`.execute(transaction)
    const saved = await transaction.savepoint('before "it"').execute()
    await sql`select 1 / 0`.execute(saved).catch(() => undefined)
    await saved.rollbackToSavepoint('before "it"').execute()
    await transaction.commit().execute()
    expect((await sql`select 1 as there from app_meta where key = 'kept'`.execute(db)).rows).toEqual([{ there: 1 }])
  })

  test('keeps racing transactions apart', async () => {
    const { db } = database()
    await sql`insert into app_meta (key, value) values ('counter', '0')`.execute(db)
    const add = (index: number): Promise<unknown> =>
      db
        .transaction()
        .execute(async (tx) => {
          const { rows } = await sql<{ value: number }>`select value from app_meta where key = 'counter' for update`.execute(tx)
          await sql`update app_meta set value = to_jsonb(${(rows[0]?.value ?? 0) + 1}::int) where key = 'counter'`.execute(tx)
          if (index % 3 === 0) throw new Error('undo')
        })
        .catch(() => undefined)
    await Promise.all(Array.from({ length: 60 }, (_, index) => add(index)))
    expect((await sql`select value from app_meta where key = 'counter'`.execute(db)).rows).toEqual([{ value: 40 }])
  })

  test('runs a transaction at the isolation that is asked for', async () => {
    const show = await database()
      .db.transaction()
      .setIsolationLevel('serializable')
      .setAccessMode('read only')
      .execute((tx) =>
        sql`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as locked`.execute(tx),
      )
    expect(show.rows).toEqual([{ level: 'serializable', locked: 'on' }])
  })

  test('tells of a notification once it is committed', async () => {
    const { db, listen } = database()
    let heard = 0
    const stop = await listen('steadyhand_test', () => {
      heard += 1
    })
    await db.transaction().execute(async (tx) => {
      await sql`select pg_notify('steadyhand_test', '')`.execute(tx)
      await sql`select pg_notify('steadyhand_other', '')`.execute(tx)
    })
    await expect.poll(() => heard).toBe(1)
    stop()
    await sql`select pg_notify('steadyhand_test', '')`.execute(db)
    await pause(50)
    expect(heard).toBe(1)
  })
})

describeDatabases('a database with every connection taken', (store) => {
  test('says so after the waiting time', async () => {
    const database = await store.open({ waitMs: 200, limits: { connections: 1 } })
    const nested = database.db.transaction().execute(() => sql`select 1`.execute(database.db))
    const error = await nested.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(store.kind === 'pglite' ? DatabaseBusy : Error)
    expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }])
    await database.close()
  })
})
