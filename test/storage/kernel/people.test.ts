import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { describeKernel, type Kernel } from '../../support/kernel.ts'
import { given } from '../../support/kernel-power.ts'
import { outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const may = async ({ db }: Kernel, who: string, role: string, environment: string): Promise<boolean> => {
  const { rows } = await sql<{ yes: boolean }>`select may(${who}, ${role}, ${environment}) as yes`.execute(db)
  return rows[0]?.yes ?? false
}

describeKernel('people: who may decide', (kernel) => {
  test.each([
    ['ada', 'approver', 'shop', true],
    ['ada', 'viewer', 'shop', true],
    ['ada', 'admin', 'shop', false],
    ['ada', 'approver', 'other', false],
    ['max', 'approver', 'shop', true],
    ['max', 'admin', 'anywhere', true],
    ['vera', 'viewer', 'shop', true],
    ['vera', 'approver', 'shop', false],
    ['rex', 'approver', 'shop', false],
    ['otto', 'approver', 'shop', false],
    ['ina', 'approver', 'shop', false],
    ['bot', 'approver', 'shop', false],
    ['nobody', 'viewer', 'shop', false],
    ['unknown', 'viewer', 'shop', false],
    ['ada', 'superuser', 'shop', false],
  ])('may(%s, %s, %s) is %s', async (who, role, environment, expected) => {
    expect(await may(kernel(), who, role, environment)).toBe(expected)
  })

  test('a grant that lapsed or was revoked is a no', async () => {
    const { db, later } = kernel()
    await sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until)
      values ('nobody', 'approver', 'shop', 'configuration', clk() + interval '1 hour')`.execute(db)
    expect(await may(kernel(), 'nobody', 'approver', 'shop')).toBe(true)
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(db)
    expect(await may(kernel(), 'ada', 'viewer', 'shop')).toBe(false)
    await later(3_601)
    expect(await may(kernel(), 'nobody', 'approver', 'shop')).toBe(false)
  })

  test('may_anywhere asks every environment the person has a grant for', async () => {
    const { db } = kernel()
    const { rows } = await sql<{ id: string }>`select id from principal where may_anywhere(id, 'approver') order by id`.execute(db)
    expect(rows.map(({ id }) => id)).toEqual(['ada', 'ben', 'cleo', 'max', 'nora', 'otto'])
  })

  test('an empty table of grants lets nobody decide', async () => {
    const { db } = kernel()
    await sql`update role_grant set revoked_at = clk()`.execute(db)
    const { rows } = await sql`select id from principal where may(id, 'viewer', 'shop')`.execute(db)
    expect(rows).toEqual([])
    expect(await outcomeOf(kernel().propose())).toBe('refused nobody-may-approve')
  })

  test('an account resolves to its person with roles, and to nobody once it is revoked', async () => {
    const { db, people } = kernel()
    const account = { surface: 'slack', tenant: 'T1', externalId: 'U-ada' } as const
    expect(await people.byActor(account)).toEqual({
      id: 'ada',
      kind: 'human',
      name: 'Ada',
      active: true,
      roles: ['approver'],
      everywhere: [],
    })
    expect(await people.byActor({ ...account, externalId: 'U-max' })).toMatchObject({ roles: ['admin'], everywhere: ['admin'] })
    for (const other of [
      { ...account, tenant: 'T2' },
      { ...account, surface: 'teams' as const },
      { ...account, externalId: 'u-ada' },
      { ...account, externalId: 'Ada' },
    ])
      expect(await people.byActor(other)).toBeNull()
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db)
    expect(await people.byActor(account)).toBeNull()
  })
})

describeKernel('people: from the configuration', (kernel) => {
  const person = (id: string, over: Partial<Parameters<Kernel['people']['sync']>[0][number]> = {}) => ({
    id,
    name: id,
    roles: ['approver' as const],
    environments: ['shop'],
    links: [{ surface: 'slack' as const, tenant: 'T1', externalId: `U-${id}` }],
    ...over,
  })
  const active = async () => {
    const { db } = kernel()
    const links = await sql<{ link: string }>`
      select external_id || '=' || principal_id as link from identity_link where revoked_at is null and linked_by = 'configuration' order by 1`.execute(
      db,
    )
    const grants = await sql<{ grant: string }>`
      select principal_id || ':' || role || '@' || environment as grant from role_grant where revoked_at is null and granted_by = 'configuration' order by 1`.execute(
      db,
    )
    return { links: links.rows.map(({ link }) => link), grants: grants.rows.map(({ grant }) => grant) }
  }

  test('what is no longer configured is revoked, never deleted', async () => {
    const { people, db } = kernel()
    await people.sync([person('ada', { roles: ['viewer'] }), person('dora')])
    expect(await active()).toEqual({ links: ['U-ada=ada', 'U-dora=dora'], grants: ['ada:viewer@shop', 'dora:approver@shop'] })
    const { rows } = await sql<{
      n: number
    }>`select count(*) as n from role_grant where principal_id = 'ada' and revoked_at is not null`.execute(db)
    expect(rows).toEqual([{ n: 1 }])
    expect((await people.list()).find(({ id }) => id === 'ben')?.roles).toEqual([])
  })

  test('the same configuration again writes nothing', async () => {
    const { people, db } = kernel()
    const wanted = [person('ada'), person('dora', { roles: ['approver', 'approver'], environments: ['shop', 'shop'] })]
    await people.sync(wanted)
    const before = await sql<{ n: number }>`select count(*) as n from audit_entry`.execute(db)
    await people.sync(wanted)
    expect(await sql`select count(*) as n from audit_entry`.execute(db)).toEqual(before)
  })

  test('a name follows, and who was deactivated by hand is active again', async () => {
    const { people } = kernel()
    await people.sync([person('ina', { name: 'Ina Berg' })])
    expect((await people.list()).find(({ id }) => id === 'ina')).toMatchObject({ name: 'Ina Berg', active: true, roles: ['approver'] })
  })

  test('an account moves from one person to another', async () => {
    const { people } = kernel()
    const shared = [{ surface: 'slack' as const, tenant: 'T1', externalId: 'U-oncall' }]
    await people.sync([person('ada', { links: shared }), person('ben', { links: [] })])
    await people.sync([person('ada', { links: [] }), person('ben', { links: shared })])
    expect((await active()).links).toEqual(['U-oncall=ben'])
  })

  test('what two admins linked or granted stays, and may be configured as well', async () => {
    const { people } = kernel()
    await given(kernel(), { kind: 'grant', person: 'nobody', role: 'viewer', environment: 'shop' })
    await given(kernel(), { kind: 'link', person: 'nobody', name: null, surface: 'teams', tenant: 'T9', account: 'x' })
    await people.sync([person('nobody', { roles: ['viewer'], links: [{ surface: 'teams', tenant: 'T9', externalId: 'x' }] })])
    await people.sync([])
    expect(await people.byActor({ surface: 'teams', tenant: 'T9', externalId: 'x' })).toMatchObject({ id: 'nobody', roles: ['viewer'] })
    expect(await active()).toEqual({ links: [], grants: [] })
  })

  test('an account that is linked to somebody else already is said in words', async () => {
    const { people } = kernel()
    await given(kernel(), { kind: 'link', person: 'nobody', name: null, surface: 'teams', tenant: 'T9', account: 'x' })
    await expect(people.sync([person('ada', { links: [{ surface: 'teams', tenant: 'T9', externalId: 'x' }] })])).rejects.toThrow(
      'the account teams/T9/x is linked to nobody already',
    )
    expect((await active()).links).toContain('U-ben=ben')
  })

  test('a grant that lapsed is granted anew when it is configured', async () => {
    const { people, db, later } = kernel()
    await sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until)
      values ('nobody', 'approver', 'shop', 'configuration', clk() + interval '1 minute')`.execute(db)
    await later(61)
    await people.sync([person('nobody')])
    expect(await may(kernel(), 'nobody', 'approver', 'shop')).toBe(true)
  })
})

describeKernel('people: what the tables refuse', (kernel) => {
  const link = (account: string, who: string, surface = 'slack', tenant = 'T1') =>
    sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values (${surface}, ${tenant}, ${account}, ${who}, 'configuration')`
  const grant = (who: string, role: string) =>
    sql`insert into role_grant (principal_id, role, environment, granted_by) values (${who}, ${role}, 'shop', 'configuration')`
  const principal = (id: string, kind = 'human', name = 'N') => sql`insert into principal (id, kind, name) values (${id}, ${kind}, ${name})`

  test.each([
    ['an id with capitals', principal('Ada'), 'constraint principal_id_is_plain'],
    ['an id with a space', principal('a b'), 'constraint principal_id_is_plain'],
    ['an id of 65 characters', principal('a'.repeat(65)), 'constraint principal_id_is_plain'],
    ['the name of the host', principal('host'), 'constraint principal_id_is_not_reserved'],
    ['the name of the configuration', principal('configuration'), 'constraint principal_id_is_not_reserved'],
    ['our own name', principal('steadyhand', 'service'), 'constraint principal_id_is_not_reserved'],
    ['another kind', principal('x', 'robot'), 'constraint principal_is_person_or_service'],
    ['no name', principal('x', 'human', ''), 'constraint principal_name_is_short'],
    ['a name of 101 characters', principal('x', 'human', 'x'.repeat(101)), 'constraint principal_name_is_short'],
    ['a second person of one account', link('U-ada', 'ben'), 'constraint identity_link_is_one_person'],
    ['the same link again', link('U-ada', 'ada'), 'constraint identity_link_is_one_person'],
    ['a link on another surface', link('x', 'ada', 'mail'), 'constraint identity_link_surface'],
    ['a link to nobody', link('x', 'missing'), 'constraint identity_link_principal_id_fkey'],
    ['the same grant twice', grant('ada', 'approver'), 'constraint role_grant_once'],
    ['a role there is not', grant('ada', 'owner'), 'constraint role_grant_role_fkey'],
    ['a grant to nobody', grant('missing', 'viewer'), 'constraint role_grant_principal_id_fkey'],
    [
      'a bot made a person',
      sql`update principal set kind = 'human' where id = 'bot'`,
      'kept a principal may only change its name and be deactivated',
    ],
    [
      'another id',
      sql`update principal set id = 'eve' where id = 'nobody'`,
      'kept a principal may only change its name and be deactivated',
    ],
    [
      'an earlier beginning',
      sql`update principal set created_at = 'epoch' where id = 'ada'`,
      'kept a principal may only change its name and be deactivated',
    ],
    ['a deleted person', sql`delete from principal where id = 'nobody'`, 'kept principal is append-only'],
    ['a deleted link', sql`delete from identity_link where principal_id = 'ada'`, 'kept identity_link is revoked, never deleted'],
    ['a deleted grant', sql`delete from role_grant where principal_id = 'ada'`, 'kept role_grant is revoked, never deleted'],
    [
      'a link turned to another person',
      sql`update identity_link set principal_id = 'vera' where external_id = 'U-ada'`,
      'kept identity_link may only be revoked',
    ],
    [
      'a link of another tenant',
      sql`update identity_link set tenant = 'T2' where external_id = 'U-ada'`,
      'kept identity_link may only be revoked',
    ],
    ['a raised role', sql`update role_grant set role = 'admin' where principal_id = 'ada'`, 'kept role_grant may only be revoked'],
    [
      'a longer grant',
      sql`update role_grant set valid_until = clk() + interval '1 day' where principal_id = 'ada'`,
      'kept role_grant may only be revoked',
    ],
    ['a new role', sql`insert into role values ('owner', 9)`, 'kept role is part of the rules'],
    ['a role of another rank', sql`update role set rank = 9 where name = 'viewer'`, 'kept role is part of the rules'],
    ['a role that is gone', sql`delete from role where name = 'viewer'`, 'kept role is part of the rules'],
  ])('%s', async (_, statement, expected) => {
    expect(await rehearse(kernel().db, (tx) => statement.execute(tx))).toBe(expected)
  })

  test('a revoked link or grant is not taken back', async () => {
    const { db } = kernel()
    for (const table of ['identity_link', 'role_grant']) {
      await sql`update ${sql.id(table)} set revoked_at = clk() where principal_id = 'ada'`.execute(db)
      const again = sql`update ${sql.id(table)} set revoked_at = null where principal_id = 'ada'`.execute(db)
      expect(await outcomeOf(again)).toBe(`kept ${table} may only be revoked`)
    }
    expect(await rehearse(db, (tx) => link('U-ada', 'ada').execute(tx))).toBe('done')
    expect(await rehearse(db, (tx) => grant('ada', 'approver').execute(tx))).toBe('done')
  })

  describe('times are the database’s', () => {
    test('nothing is dated back, or begins revoked', async () => {
      const { db } = kernel()
      await sql`insert into principal (id, kind, name, created_at) values ('dora', 'human', 'Dora', 'epoch')`.execute(db)
      await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by, linked_at, revoked_at)
        values ('slack', 'T1', 'U-dora', 'dora', 'configuration', 'epoch', 'epoch')`.execute(db)
      await sql`insert into role_grant (principal_id, role, environment, granted_by, granted_at, revoked_at)
        values ('dora', 'viewer', 'shop', 'configuration', 'epoch', 'epoch')`.execute(db)
      const { rows } =
        await sql`select p.created_at > clk() - interval '1 minute' as person, l.linked_at > clk() - interval '1 minute' and l.revoked_at is null as link,
          g.granted_at > clk() - interval '1 minute' and g.revoked_at is null as role
        from principal p join identity_link l on l.principal_id = p.id join role_grant g on g.principal_id = p.id where p.id = 'dora'`.execute(
          db,
        )
      expect(rows).toEqual([{ person: true, link: true, role: true }])
    })

    test('a revocation is now, whatever the statement says', async () => {
      const { db } = kernel()
      await sql`update role_grant set revoked_at = 'epoch' where principal_id = 'ada'`.execute(db)
      await sql`update identity_link set revoked_at = 'infinity' where principal_id = 'ada'`.execute(db)
      const { rows } =
        await sql`select (select bool_and(abs(extract(epoch from clk() - revoked_at)) < 60) from role_grant where principal_id = 'ada') as grants,
        (select bool_and(abs(extract(epoch from clk() - revoked_at)) < 60) from identity_link where principal_id = 'ada') as links`.execute(
          db,
        )
      expect(rows).toEqual([{ grants: true, links: true }])
    })
  })

  test('ids have to be plain even where no guard looks', async () => {
    expect(await rehearseUnguarded(kernel().db, ['principal'], (tx) => principal('host').execute(tx))).toBe(
      'constraint principal_id_is_not_reserved',
    )
  })
})
