import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { describeKernel, type Kernel } from '../../support/kernel.ts'
import { insertRow, type Row } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const ask = async ({ db }: Kernel, call: string): Promise<boolean> => {
  const { rows } = await sql.raw<{ yes: boolean }>(`select ${call} as yes`).execute(db)
  return rows[0]?.yes ?? false
}

describeKernel('the kill switch: stopping', (kernel) => {
  test('nothing is stopped at first', async () => {
    expect(await kernel().control.stopped()).toEqual([])
  })

  test.each([
    ['ada', 'done'],
    ['max', 'done'],
    ['otto', 'done'],
    ['host', 'done'],
    ['rex', 'refused not-authorised'],
    ['vera', 'refused not-authorised'],
    ['ina', 'refused not-authorised'],
    ['bot', 'refused not-authorised'],
    ['nobody', 'refused not-authorised'],
    ['mallory', 'refused not-authorised'],
  ])('%s stops everything: %s', async (who, expected) => {
    const { control } = kernel()
    expect(await outcomeOf(control.stop('*', who))).toBe(expected)
    expect(await control.stopped()).toEqual(expected === 'done' ? [{ scope: '*', by: who, at: expect.any(Date), startVotes: [] }] : [])
    expect(await outcomeOf(control.stop('env:shop', who))).toBe(expected)
  })

  test.each([
    ['*', [true, true, true]],
    ['env:shop', [true, true, false]],
    ['kind:a.b', [true, false, true]],
    ['env:other', [false, false, true]],
    ['kind:c', [false, true, false]],
  ])('%s stops what it names', async (scope, expected) => {
    await kernel().control.stop(scope, 'ada')
    const calls = ["stopped('shop', 'a.b')", "stopped('shop', 'c')", "stopped('other', 'a.b')"]
    expect(await Promise.all(calls.map((call) => ask(kernel(), call)))).toEqual(expected)
  })

  test('a second stop is written down as well, and is the one that holds', async () => {
    const { control, audit } = kernel()
    await control.stop('*', 'ada')
    await control.stop('*', 'ben')
    expect(await control.stopped()).toMatchObject([{ by: 'ben' }])
    const { items } = await audit.entries({ limit: 2 })
    expect(items.map(({ what, actor }) => [what, actor])).toEqual([
      ['kill_switch-changed', 'ben'],
      ['kill_switch-changed', 'ada'],
    ])
  })

  test.each(['', 'env:', 'env:a b', 'resource:x', 'shop', '**'])('%j is no scope', async (scope) => {
    expect(await outcomeOf(kernel().control.stop(scope, 'ada'))).toBe('constraint kill_switch_scope')
  })
})

describeKernel('the kill switch: starting again', (kernel) => {
  test('takes two people', async () => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: false, votes: ['ada'] })
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: false, votes: ['ada'] })
    expect(await control.stopped()).toHaveLength(1)
    expect(await control.stopped()).toMatchObject([{ startVotes: ['ada'] }])
    expect(await control.start('*', 'ben', 'person')).toEqual({ started: true, votes: ['ada', 'ben'] })
    expect(await control.stopped()).toEqual([])
  })

  test('or the command line on the host', async () => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    expect(await control.start('*', 'root', 'host')).toEqual({ started: true, votes: [] })
    expect(await control.stopped()).toEqual([])
  })

  test.each(['rex', 'vera', 'ina', 'bot', 'nobody', 'mallory', 'host'])('not %s', async (who) => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    expect(await outcomeOf(control.start('*', who, 'person'))).toBe('refused not-authorised')
  })

  test('who lost the role meanwhile does not count, and those who hold it do', async () => {
    const { control, db } = kernel()
    await control.stop('*', 'ada')
    await control.start('*', 'ada', 'person')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(db)
    expect(await control.stopped()).toMatchObject([{ startVotes: [] }])
    expect(await control.start('*', 'ben', 'person')).toEqual({ started: false, votes: ['ben'] })
    expect(await control.start('*', 'cleo', 'person')).toEqual({ started: true, votes: ['ben', 'cleo'] })
  })

  test('votes count for one stop alone', async () => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    await control.start('*', 'ada', 'person')
    await control.start('*', 'root', 'host')
    await control.stop('*', 'ben')
    expect(await control.start('*', 'ben', 'person')).toEqual({ started: false, votes: ['ben'] })
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: true, votes: ['ben', 'ada'] })
  })

  test('who stops again makes every voice for a start void', async () => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: false, votes: ['ada'] })
    await control.stop('*', 'ben')
    expect(await control.stopped()).toMatchObject([{ scope: '*', by: 'ben' }])
    expect(await control.start('*', 'ben', 'person')).toEqual({ started: false, votes: ['ben'] })
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: true, votes: ['ben', 'ada'] })
  })

  test('a voice for a start lapses after ten minutes, and can be given again', async () => {
    const { control, db, later } = kernel()
    await control.stop('*', 'ada')
    await control.start('*', 'ada', 'person')
    await later(599)
    await control.start('*', 'ada', 'person')
    expect(await db.selectFrom('start_vote').selectAll().execute()).toHaveLength(1)
    await later(601)
    expect(await control.start('*', 'ben', 'person')).toEqual({ started: false, votes: ['ben'] })
    const start = sql`update kill_switch set engaged = false, by_whom = 'ben'`
    expect(await rehearse(db, (tx) => start.execute(tx))).toBe('refused quorum-missing')
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: true, votes: ['ben', 'ada'] })
    await control.stop('*', 'ada')
    await control.start('*', 'ada', 'person')
    await control.stop('env:shop', 'ada')
    await control.stop('env:shop', 'ada')
    await control.start('env:shop', 'ada', 'person')
    const rows = await db.selectFrom('start_vote').selectAll().orderBy('at').execute()
    expect(rows.map(({ scope, generation, principal_id, lapsed }) => [scope, generation, principal_id, lapsed])).toEqual([
      ['*', 1, 'ada', 0],
      ['*', 1, 'ben', 0],
      ['*', 1, 'ada', 1],
      ['*', 2, 'ada', 0],
      ['env:shop', 1, 'ada', 0],
    ])
  })

  test('what runs, or was never stopped, is running', async () => {
    const { control } = kernel()
    expect(await control.start('*', 'ada', 'person')).toEqual({ started: true, votes: [] })
    expect(await control.start('env:never', 'ada', 'person')).toEqual({ started: true, votes: [] })
  })

  test('scopes are stopped and started apart', async () => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    await control.stop('env:shop', 'ada')
    await control.start('*', 'root', 'host')
    expect((await control.stopped()).map(({ scope }) => scope)).toEqual(['env:shop'])
    expect(await ask(kernel(), "stopped('shop', 'x')")).toBe(true)
  })
})

describeKernel('the kill switch: rows written past every store', (kernel) => {
  const engaged = async (): Promise<void> => void (await kernel().control.stop('*', 'ada'))

  test.each<[string, ReturnType<typeof sql>, string]>([
    ['started by one person', sql`update kill_switch set engaged = false, by_whom = 'ada'`, 'refused quorum-missing'],
    ['started by who does not exist', sql`update kill_switch set engaged = false, by_whom = 'mallory'`, 'refused quorum-missing'],
    ['moved to another scope', sql`update kill_switch set scope = 'kind:none'`, 'kept a kill switch keeps its scope'],
    [
      'moved while it starts',
      sql`update kill_switch set scope = 'kind:none', engaged = false, by_whom = 'host'`,
      'kept a kill switch keeps its scope',
    ],
    ['deleted', sql`delete from kill_switch`, 'kept kill_switch is append-only'],
    [
      'stopped by a viewer',
      sql`insert into kill_switch (scope, engaged, by_whom) values ('env:shop', true, 'vera')`,
      'refused not-authorised',
    ],
    ['stopped again by a viewer', sql`update kill_switch set by_whom = 'vera'`, 'refused not-authorised'],
    ['no scope', sql`insert into kill_switch (scope, engaged, by_whom) values ('x', true, 'host')`, 'constraint kill_switch_scope'],
  ])('%s', async (_, statement, expected) => {
    await engaged()
    expect(await rehearse(kernel().db, (tx) => statement.execute(tx))).toBe(expected)
  })

  test('two voices of one person are one', async () => {
    const { control, db } = kernel()
    await engaged()
    await control.start('*', 'ada', 'person')
    const again = { scope: '*', generation: 1, principal_id: 'ada', lapsed: 1 }
    const both = async (tx: Parameters<Parameters<typeof rehearse>[1]>[0]) => {
      await insertRow(tx, 'start_vote', again)
      await sql`update kill_switch set engaged = false, by_whom = 'ada'`.execute(tx)
    }
    expect(await rehearseUnguarded(db, ['start_vote'], both)).toBe('refused quorum-missing')
  })

  test('one vote and a second of somebody who lost the role', async () => {
    const { control, db } = kernel()
    await engaged()
    await control.start('*', 'ada', 'person')
    await insertRow(db, 'start_vote', { scope: '*', generation: 1, principal_id: 'ben' })
    const start = sql`update kill_switch set engaged = false, by_whom = 'ada'`
    expect(await rehearse(db, (tx) => start.execute(tx))).toBe('done')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ben'`.execute(db)
    expect(await rehearse(db, (tx) => start.execute(tx))).toBe('refused quorum-missing')
  })

  test('votes to start something else, or for an earlier stop, start nothing', async () => {
    const { control, db } = kernel()
    const start = (scope: string) => sql`update kill_switch set engaged = false, by_whom = 'ada' where scope = ${scope}`
    const voted = async (scope: string): Promise<void> => {
      for (const person of ['ada', 'ben']) await insertRow(db, 'start_vote', { scope, generation: 1, principal_id: person })
    }
    await engaged()
    await control.stop('env:shop', 'ada')
    await control.start('env:shop', 'cli', 'host')
    await control.stop('env:shop', 'ada')
    await voted('env:shop')
    expect(await rehearse(db, (tx) => start('*').execute(tx))).toBe('refused quorum-missing')
    await start('env:shop').execute(db)
    await control.stop('env:shop', 'ada')
    expect(await rehearse(db, (tx) => start('env:shop').execute(tx))).toBe('refused quorum-missing')
  })

  test('a switch that was never on is written down without votes', async () => {
    const row = { scope: 'env:new', engaged: false, by_whom: 'ada' }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'kill_switch', row))).toBe('done')
  })

  test('a generation is counted by the database', async () => {
    const { control, db } = kernel()
    await engaged()
    const generation = async () =>
      (await db.selectFrom('kill_switch').select('generation').where('scope', '=', '*').executeTakeFirstOrThrow()).generation
    expect(await generation()).toBe(1)
    await sql`update kill_switch set generation = 0, engaged = false, by_whom = 'host' where scope = '*'`.execute(db)
    expect(await generation()).toBe(1)
    await control.stop('*', 'ada')
    expect(await generation()).toBe(2)
    await insertRow(db, 'kill_switch', { scope: 'env:new', engaged: true, by_whom: 'ada', generation: 9 })
    expect(await db.selectFrom('kill_switch').select('generation').where('scope', '=', 'env:new').executeTakeFirst()).toEqual({
      generation: 0,
    })
  })

  test.each<[string, Row, string]>([
    ['by a viewer', { principal_id: 'vera' }, 'refused not-authorised'],
    ['by who does not exist', { principal_id: 'eve' }, 'refused not-authorised'],
    ['for an earlier stop', { generation: 0 }, 'refused too-late'],
    ['for a stop to come', { generation: 2 }, 'refused too-late'],
    ['for what runs', { scope: 'env:shop' }, 'refused too-late'],
  ])('a vote to start, %s', async (_, over, expected) => {
    await engaged()
    const row = { scope: '*', generation: 1, principal_id: 'ada', ...over }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'start_vote', row))).toBe(expected)
  })

  test('a vote to start counts once, at the database’s time', async () => {
    const { db } = kernel()
    await engaged()
    const row = { scope: '*', generation: 1, principal_id: 'ada', at: new Date(0) }
    await insertRow(db, 'start_vote', row)
    expect((await db.selectFrom('start_vote').select('at').executeTakeFirstOrThrow()).at.getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect(await rehearse(db, (tx) => insertRow(tx, 'start_vote', row))).toBe('constraint start_vote_pkey')
    expect(await rehearseUnguarded(db, ['start_vote'], (tx) => insertRow(tx, 'start_vote', { ...row, scope: 'env:x' }))).toBe(
      'constraint start_vote_scope_fkey',
    )
    expect(await rehearseUnguarded(db, ['start_vote'], (tx) => insertRow(tx, 'start_vote', { ...row, principal_id: 'x' }))).toBe(
      'constraint start_vote_principal_id_fkey',
    )
  })

  test('the time of a stop is the database’s', async () => {
    const { db } = kernel()
    await insertRow(db, 'kill_switch', { scope: 'env:new', engaged: true, by_whom: 'ada', at: new Date(0) })
    const { at } = await db.selectFrom('kill_switch').select('at').where('scope', '=', 'env:new').executeTakeFirstOrThrow()
    expect(at.getTime()).toBeGreaterThan(Date.now() - 60_000)
  })
})

describeKernel('freezes', (kernel) => {
  const window = (from: number, to: number, over: Partial<Parameters<Kernel['control']['freeze']>[0]> = {}) => {
    const now = kernel().now().getTime()
    return { scope: '*', from: new Date(now + from * 1_000), to: new Date(now + to * 1_000), reason: 'launch', by: 'rex', ...over }
  }

  test('hold from their beginning to their end', async () => {
    const { control, later } = kernel()
    await control.freeze(window(60, 120, { scope: 'env:shop' }))
    const frozen = () => ask(kernel(), "frozen('shop', 'r')")
    expect(await frozen()).toBe(false)
    await later(61)
    expect(await frozen()).toBe(true)
    expect(await ask(kernel(), "frozen('other', 'r')")).toBe(false)
    await later(60)
    expect(await frozen()).toBe(false)
    expect(await control.freezes()).toEqual([])
  })

  test('are listed until they are over, and end early by a person with a role', async () => {
    const { control } = kernel()
    const id = await control.freeze(window(-10, 600, { scope: 'resource:sample/shop/service/payments' }))
    expect(await control.freezes()).toEqual([
      { id, scope: 'resource:sample/shop/service/payments', from: expect.any(Date), to: expect.any(Date), reason: 'launch', by: 'rex' },
    ])
    expect(await ask(kernel(), "frozen('shop', 'sample/shop/service/payments')")).toBe(true)
    expect(await outcomeOf(control.unfreeze(id, 'vera'))).toBe('refused not-authorised')
    await control.unfreeze(id, 'ada')
    expect(await ask(kernel(), "frozen('shop', 'sample/shop/service/payments')")).toBe(false)
    expect(await control.freezes()).toEqual([])
    expect(await outcomeOf(control.unfreeze(id, 'ada'))).toBe('refused too-late')
    expect(await outcomeOf(control.unfreeze('00000000-0000-4000-8000-000000000000', 'ada'))).toBe('refused too-late')
  })

  test.each([
    ['rex', 'done'],
    ['ada', 'done'],
    ['host', 'done'],
    ['vera', 'refused not-authorised'],
    ['ina', 'refused not-authorised'],
    ['bot', 'refused not-authorised'],
    ['mallory', 'refused not-authorised'],
  ])('%s freezes: %s', async (by, expected) => {
    expect(await outcomeOf(kernel().control.freeze(window(0, 60, { by })))).toBe(expected)
  })

  test.each<[string, number, number, object, string]>([
    ['ends before it starts', 60, 0, {}, 'constraint freeze_ends_after_it_starts'],
    ['lasts over 90 days', 0, 90 * 86_400 + 1, {}, 'constraint freeze_ends_after_it_starts'],
    ['has no scope', 0, 60, { scope: 'kind:x' }, 'constraint freeze_scope'],
    ['gives no reason', 0, 60, { reason: '' }, 'constraint freeze_reason_is_short'],
    ['gives a reason of 301 characters', 0, 60, { reason: 'x'.repeat(301) }, 'constraint freeze_reason_is_short'],
    ['lasts 90 days', 0, 90 * 86_400, {}, 'done'],
  ])('one that %s: %s', async (_, from, to, over, expected) => {
    expect(await outcomeOf(kernel().control.freeze(window(from, to, over)))).toBe(expected)
  })

  describe('rows written past every store', () => {
    test.each<[string, ReturnType<typeof sql>, string]>([
      ['a shorter one', sql`update freeze_window set ends_at = clk()`, 'kept a freeze may only be ended'],
      ['another scope', sql`update freeze_window set scope = 'env:x'`, 'kept a freeze may only be ended'],
      [
        'an end with another reason',
        sql`update freeze_window set ended_at = clk(), ended_by = 'rex', reason = 'x'`,
        'kept a freeze may only be ended',
      ],
      ['an end by nobody', sql`update freeze_window set ended_at = clk()`, 'constraint freeze_end_has_a_person'],
      ['an end by a viewer', sql`update freeze_window set ended_at = clk(), ended_by = 'vera'`, 'refused not-authorised'],
      ['a person without an end', sql`update freeze_window set ended_by = 'rex'`, 'constraint freeze_end_has_a_person'],
      ['a deleted one', sql`delete from freeze_window`, 'kept freeze_window is append-only'],
    ])('%s', async (_, statement, expected) => {
      await kernel().control.freeze(window(-10, 600))
      expect(await rehearse(kernel().db, (tx) => statement.execute(tx))).toBe(expected)
    })

    test('an end is not taken back', async () => {
      const { control, db } = kernel()
      await control.unfreeze(await control.freeze(window(-10, 600)), 'ada')
      const again = sql`update freeze_window set ended_at = null, ended_by = null`
      expect(await rehearse(db, (tx) => again.execute(tx))).toBe('kept a freeze may only be ended')
    })

    test('its times are the database’s', async () => {
      const { control, db } = kernel()
      const { from, to, ...rest } = window(-10, 600)
      await insertRow(db, 'freeze_window', {
        scope: rest.scope,
        starts_at: from,
        ends_at: to,
        reason: 'x',
        by_whom: 'rex',
        created_at: new Date(0),
      })
      await sql`update freeze_window set ended_at = 'infinity', ended_by = 'rex'`.execute(db)
      const row = await db.selectFrom('freeze_window').select(['created_at', 'ended_at']).executeTakeFirstOrThrow()
      expect(row.created_at.getTime()).toBeGreaterThan(Date.now() - 60_000)
      expect(Math.abs(Number(row.ended_at) - Date.now())).toBeLessThan(60_000)
      expect(await control.freezes()).toEqual([])
    })
  })
})
