import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { codeOf, type PowerChange, sealChange } from '../../../agent/domain/power.ts'
import { actorOf, describeKernel, type Kernel, openKernel, tampers, verified, violationsOf } from '../../support/kernel.ts'
import { askedFor, confirmed, given, offered } from '../../support/kernel-power.ts'
import { insertRow, linkOf, type Row } from '../../support/kernel-rows.ts'
import { behind, disable, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const GRANT: PowerChange = { kind: 'grant', person: 'vera', role: 'approver', environment: 'shop' }
const LINK: PowerChange = { kind: 'link', person: 'dora', name: 'Dora', surface: 'teams', tenant: 'T9', account: 'U-dora' }
const UNLINK: PowerChange = { kind: 'unlink', surface: 'slack', tenant: 'T1', account: 'U-ben' }
const DORA = { surface: 'teams', tenant: 'T9', externalId: 'U-dora' } as const

const may = async ({ db }: Kernel, who: string, role: string, environment: string): Promise<boolean> => {
  const { rows } = await sql<{ yes: boolean }>`select may(${who}, ${role}, ${environment}) as yes`.execute(db)
  return rows[0]?.yes ?? false
}
const revoke = (person: string, role: 'viewer' | 'approver' | 'admin' | null = null, environment: string | null = null): PowerChange => ({
  kind: 'revoke',
  person,
  role,
  environment,
})
/** Makes somebody an admin by the configuration. */
const madeAdmin = async ({ db }: Kernel, person: string, environment = '*'): Promise<void> =>
  await insertRow(db, 'role_grant', { principal_id: person, role: 'admin', environment, granted_by: 'configuration' })
/** The row that asking would write. */
const changeRow = async (db: Kernel['db'], change: PowerChange, over: Row = {}): Promise<Row> => ({
  ...sealChange(randomUUID(), change),
  asked_by: 'max',
  link_id: await linkOf(db, 'U-max'),
  ...over,
})

describeKernel('power: giving', (kernel) => {
  test('a role takes two admins', async () => {
    const asked = await askedFor(kernel(), GRANT)
    expect(await kernel().power.pending()).toMatchObject([{ ...asked, change: GRANT, askedBy: 'max', confirmedBy: [], needed: 1 }])
    expect(await may(kernel(), 'vera', 'approver', 'shop')).toBe(false)
    expect(await confirmed(kernel(), asked)).toMatchObject({ state: 'done', confirmedBy: ['nora'] })
    expect(await may(kernel(), 'vera', 'approver', 'shop')).toBe(true)
    expect(await may(kernel(), 'vera', 'approver', 'other')).toBe(false)
    expect(await kernel().power.pending()).toEqual([])
  })

  test('an account takes two admins, and makes its person when there is none', async () => {
    await given(kernel(), LINK)
    expect(await kernel().people.byActor(DORA)).toMatchObject({ id: 'dora', name: 'Dora', kind: 'human', roles: [] })
    await given(kernel(), { ...LINK, name: null, account: 'U-second', person: 'eve' })
    expect((await kernel().people.list()).find(({ id }) => id === 'eve')?.name).toBe('eve')
  })

  test('who asked confirms nothing', async () => {
    const asked = await askedFor(kernel(), GRANT)
    expect(await outcomeOf(confirmed(kernel(), asked, 'max'))).toBe('refused same-person')
    expect(await may(kernel(), 'vera', 'approver', 'shop')).toBe(false)
  })

  test.each(['ada', 'rex', 'ina', 'nobody'])('%s neither asks nor confirms', async (who) => {
    expect(await outcomeOf(askedFor(kernel(), GRANT, who))).toBe('refused not-authorised')
    expect(await outcomeOf(confirmed(kernel(), await askedFor(kernel(), GRANT), who))).toBe('refused not-authorised')
  })

  test('an account nobody is linked to neither asks nor confirms nor withdraws', async () => {
    const asked = await askedFor(kernel(), GRANT)
    expect(await outcomeOf(askedFor(kernel(), GRANT, 'mallory'))).toBe('refused not-linked')
    expect(await outcomeOf(confirmed(kernel(), asked, 'mallory'))).toBe('refused not-linked')
    expect(await outcomeOf(kernel().power.withdraw(codeOf(asked), actorOf('mallory')))).toBe('refused not-linked')
  })

  test('an admin of one environment gives there, and nowhere else', async () => {
    await madeAdmin(kernel(), 'ben', 'shop')
    const there = await askedFor(kernel(), GRANT, 'ben')
    expect(await confirmed(kernel(), there)).toMatchObject({ state: 'done' })
    expect(await outcomeOf(askedFor(kernel(), { ...GRANT, environment: 'other' }, 'ben'))).toBe('refused not-authorised')
    expect(await outcomeOf(askedFor(kernel(), LINK, 'ben'))).toBe('refused not-authorised')
    expect(await outcomeOf(confirmed(kernel(), await askedFor(kernel(), LINK), 'ben'))).toBe('refused not-authorised')
  })

  test('a day later nobody confirms', async () => {
    const asked = await askedFor(kernel(), GRANT)
    await kernel().later(86_399)
    expect(await kernel().power.expireDue()).toBe(0)
    await kernel().later(1)
    expect(await kernel().power.pending()).toEqual([])
    expect(await outcomeOf(confirmed(kernel(), asked))).toBe('refused change-over')
    expect(await kernel().power.expireDue()).toBe(1)
    expect(await kernel().power.expireDue()).toBe(0)
    expect(await outcomeOf(confirmed(kernel(), asked))).toBe('refused change-over')
  })

  test.each([
    ['the role', revoke('max', 'admin')],
    ['the account', { kind: 'unlink', surface: 'slack', tenant: 'T1', account: 'U-max' } satisfies PowerChange],
  ])('who asked and lost %s counts no longer, also when it is given again', async (_, loss) => {
    const asked = await askedFor(kernel(), GRANT)
    await askedFor(kernel(), loss, 'nora')
    if (loss.kind === 'revoke') await madeAdmin(kernel(), 'max', 'shop')
    else
      await insertRow(kernel().db, 'identity_link', {
        surface: 'slack',
        tenant: 'T1',
        external_id: 'U-max-2',
        principal_id: 'max',
        linked_by: 'configuration',
      })
    expect(await confirmed(kernel(), asked)).toMatchObject({ state: 'pending' })
    await madeAdmin(kernel(), 'ben')
    expect(await confirmed(kernel(), asked, 'ben')).toMatchObject({ state: 'done', confirmedBy: ['nora', 'ben'] })
  })

  test('a grant that was given to who asked after asking is not behind it, in another environment neither', async () => {
    await madeAdmin(kernel(), 'ben', 'shop')
    await madeAdmin(kernel(), 'ben', 'other')
    const asked = await askedFor(kernel(), GRANT, 'ben')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ben' and environment = 'shop'`.execute(kernel().db)
    await madeAdmin(kernel(), 'ben', 'shop')
    expect(await confirmed(kernel(), asked)).toMatchObject({ state: 'pending' })
  })

  test('a lesser role, one that lapsed, or an account of somebody else stands behind nothing', async () => {
    const { db } = kernel()
    const stands = async (who: string, link: string): Promise<boolean> => {
      const { rows } = await sql<{ yes: boolean }>`select admin_stands(${who}, ${await linkOf(db, link)}, 1000000, '*') as yes`.execute(db)
      return rows[0]?.yes ?? false
    }
    expect([await stands('max', 'U-max'), await stands('max', 'U-nora'), await stands('ada', 'U-ada')]).toEqual([true, false, false])
    await sql`insert into role_grant (principal_id, role, environment, granted_by, valid_until)
      values ('cleo', 'admin', '*', 'configuration', clk() + interval '1 minute')`.execute(db)
    const asked = await askedFor(kernel(), GRANT, 'cleo')
    await kernel().later(61)
    await madeAdmin(kernel(), 'cleo', 'shop')
    expect(await confirmed(kernel(), asked)).toMatchObject({ state: 'pending' })
  })

  test('a person confirms once', async () => {
    const asked = await askedFor(kernel(), GRANT)
    await sql`update role_grant set revoked_at = clk() where principal_id = 'max'`.execute(kernel().db)
    await confirmed(kernel(), asked)
    expect(await outcomeOf(confirmed(kernel(), asked))).toBe('refused already-voted')
  })

  test('what is so already is not given again', async () => {
    await given(kernel(), GRANT)
    const again = await askedFor(kernel(), GRANT)
    expect(await outcomeOf(confirmed(kernel(), again))).toBe('refused nothing-to-change')
    const account = await askedFor(kernel(), { ...LINK, surface: 'slack', tenant: 'T1', account: 'U-ben' })
    expect(await outcomeOf(confirmed(kernel(), account))).toBe('refused nothing-to-change')
  })

  test.each(['mallory', 'bot'])('%s is no person to give a role to, or to take one from', async (person) => {
    expect(await outcomeOf(askedFor(kernel(), { ...GRANT, person }))).toBe('refused invalid-parameters')
    expect(await outcomeOf(askedFor(kernel(), revoke(person)))).toBe('refused invalid-parameters')
  })

  test.each(['', 'xyz', '0123456', '0'.repeat(12), '%%%%%%%%%%%%'])('%j is no code of a change', async (code) => {
    await askedFor(kernel(), GRANT)
    expect(await outcomeOf(kernel().power.confirm(code, actorOf('nora')))).toBe('refused unknown-change')
  })
})

describeKernel('power: withdrawing', (kernel) => {
  test('any admin withdraws what waits, and nobody confirms it then', async () => {
    const asked = await askedFor(kernel(), GRANT)
    expect(await kernel().power.withdraw(codeOf(asked), actorOf('nora'))).toMatchObject({ state: 'withdrawn' })
    expect(await outcomeOf(confirmed(kernel(), asked))).toBe('refused change-over')
    expect(await outcomeOf(kernel().power.withdraw(codeOf(asked), actorOf('max')))).toBe('refused change-over')
    expect(await may(kernel(), 'vera', 'approver', 'shop')).toBe(false)
  })

  test('nobody else', async () => {
    const asked = await askedFor(kernel(), GRANT)
    expect(await outcomeOf(kernel().power.withdraw(codeOf(asked), actorOf('ada')))).toBe('refused not-authorised')
  })
})

describeKernel('power: taking', (kernel) => {
  test('one admin takes a role at once', async () => {
    await askedFor(kernel(), revoke('ada', 'approver', 'shop'))
    expect(await may(kernel(), 'ada', 'viewer', 'shop')).toBe(false)
    const { rows } = await sql`select revoked_by from role_grant where principal_id = 'ada'`.execute(kernel().db)
    expect(rows).toEqual([{ revoked_by: 'max' }])
    expect(await outcomeOf(askedFor(kernel(), revoke('ada')))).toBe('refused nothing-to-change')
  })

  test('without a role all of them, and nobody else’s', async () => {
    await madeAdmin(kernel(), 'ada', 'other')
    await askedFor(kernel(), revoke('ada'))
    expect([await may(kernel(), 'ada', 'viewer', 'shop'), await may(kernel(), 'ada', 'viewer', 'other')]).toEqual([false, false])
    expect(await may(kernel(), 'ben', 'approver', 'shop')).toBe(true)
  })

  test('with a role or an environment only that', async () => {
    await madeAdmin(kernel(), 'ada', 'other')
    expect(await outcomeOf(askedFor(kernel(), revoke('ada', 'admin', 'shop')))).toBe('refused nothing-to-change')
    await askedFor(kernel(), revoke('ada', 'admin'))
    expect([await may(kernel(), 'ada', 'approver', 'shop'), await may(kernel(), 'ada', 'viewer', 'other')]).toEqual([true, false])
  })

  test('one admin takes an account at once, and its votes with it', async () => {
    const { db } = kernel()
    const ben = { surface: 'slack', tenant: 'T1', external_id: 'U-ben', principal_id: 'ben', linked_by: 'configuration' }
    await insertRow(db, 'identity_link', { ...ben, tenant: 'T2' })
    await insertRow(db, 'identity_link', { ...ben, surface: 'teams' })
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ben' and surface = 'slack' and tenant = 'T1'`.execute(db)
    await insertRow(db, 'identity_link', ben)
    const asked = await kernel().propose({ needed: 2 })
    await kernel().click(asked, 'ben')
    await askedFor(kernel(), UNLINK)
    expect(await kernel().people.byActor(actorOf('ben'))).toBeNull()
    for (const place of [{ tenant: 'T2' }, { surface: 'teams' as const }])
      expect(await kernel().people.byActor({ ...actorOf('ben'), ...place })).not.toBeNull()
    expect((await kernel().click(asked, 'ada')).requestState).toBe('pending')
    expect(await kernel().people.byActor(actorOf('ada'))).not.toBeNull()
  })

  test('an admin gives up their own, also the last one', async () => {
    await askedFor(kernel(), revoke('nora'))
    await askedFor(kernel(), revoke('max'))
    expect(await may(kernel(), 'max', 'viewer', 'shop')).toBe(false)
  })

  test('what an admin took the configuration does not give back, and two admins do', async () => {
    const person = (id: string, role: 'approver' | 'admin', environment: string) => {
      return { id, name: id, roles: [role], environments: [environment], links: [actorOf(id)] }
    }
    const people = [person('ada', 'approver', 'shop'), person('max', 'admin', '*'), person('nora', 'admin', '*')]
    await askedFor(kernel(), revoke('ada'))
    await askedFor(kernel(), { ...UNLINK, account: 'U-ada' })
    expect(await kernel().people.sync(people)).toEqual(['the account slack/T1/U-ada of ada', 'the role approver of ada (shop)'])
    expect(await may(kernel(), 'ada', 'viewer', 'shop')).toBe(false)
    const link = { surface: 'slack', tenant: 'T1', external_id: 'U-ada', principal_id: 'ada', linked_by: 'configuration' }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', link))).toBe(
      'refused quorum-missing: An admin took this account away.',
    )
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', { ...link, principal_id: 'vera' }))).toBe('done')
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', { ...link, tenant: 'T2' }))).toBe('done')
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', { ...link, surface: 'teams' }))).toBe('done')
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', { ...link, external_id: 'U-new' }))).toBe('done')
    const grant = { principal_id: 'ada', role: 'approver', environment: 'shop', granted_by: 'configuration' }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'role_grant', grant))).toBe(
      'refused quorum-missing: An admin took this role away.',
    )
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'role_grant', { ...grant, role: 'viewer' }))).toBe('done')
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'role_grant', { ...grant, environment: 'other' }))).toBe('done')
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'role_grant', { ...grant, principal_id: 'nobody' }))).toBe('done')
    await given(kernel(), { ...GRANT, person: 'ada' })
    expect(await kernel().people.sync(people)).toEqual(['the account slack/T1/U-ada of ada'])
    await sql`update role_grant set revoked_at = clk(), revoked_by = 'host' where principal_id = 'ada' and revoked_at is null`.execute(
      kernel().db,
    )
    expect(await kernel().people.sync(people)).toEqual(['the account slack/T1/U-ada of ada'])
    expect(await may(kernel(), 'ada', 'approver', 'shop')).toBe(true)
  })
})

describeKernel('power: the first admin', (kernel) => {
  const withoutAdmins = async (): Promise<void> => {
    await askedFor(kernel(), revoke('nora'))
    await askedFor(kernel(), revoke('max'))
  }
  const dora = { id: 'dora', name: 'Dora', link: DORA }

  test('is enrolled by the host, with an account', async () => {
    await withoutAdmins()
    await kernel().power.enrolFirst(dora)
    expect(await kernel().people.byActor(DORA)).toMatchObject({ id: 'dora', roles: ['admin'] })
    expect(await may(kernel(), 'dora', 'admin', 'anywhere')).toBe(true)
  })

  test('or is somebody known, and active again', async () => {
    await withoutAdmins()
    await kernel().power.enrolFirst({ id: 'ina', name: 'Somebody', link: { ...actorOf('ina') } })
    expect((await kernel().people.list()).find(({ id }) => id === 'ina')).toMatchObject({ name: 'Ina', active: true })
  })

  test.each([null, DORA])('only while there is none, with the account %j', async (link) => {
    expect(await outcomeOf(kernel().power.enrolFirst({ ...dora, link }))).toBe('refused admin-exists')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'max'`.execute(kernel().db)
    expect(await outcomeOf(kernel().power.enrolFirst({ ...dora, link }))).toBe('refused admin-exists')
    expect((await kernel().people.list()).find(({ id }) => id === 'dora')).toBeUndefined()
  })

  test('who gave up being one is enrolled again', async () => {
    await askedFor(kernel(), { ...UNLINK, account: 'U-max' }, 'nora')
    await askedFor(kernel(), revoke('max'), 'nora')
    await askedFor(kernel(), revoke('nora'), 'nora')
    await kernel().power.enrolFirst({ id: 'max', name: 'Max', link: actorOf('max') })
    expect(await kernel().people.byActor(actorOf('max'))).toMatchObject({ id: 'max', roles: ['admin'] })
  })

  test('the host links no account while there is one', async () => {
    const row = { surface: 'slack', tenant: 'T1', external_id: 'U-x', principal_id: 'nobody', linked_by: 'host' }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'identity_link', row))).toBe('refused admin-exists')
  })

  test('the host gives no other role', async () => {
    await withoutAdmins()
    const row = { principal_id: 'nobody', role: 'approver', environment: '*', granted_by: 'host' }
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'role_grant', row))).toBe('refused admin-exists')
  })
})

describeKernel('power: rows written past every store', (kernel) => {
  const grantOf = (change: { id: string }, over: Row = {}): Row => ({
    principal_id: 'vera',
    role: 'approver',
    environment: 'shop',
    granted_by: 'max',
    change_id: change.id,
    ...over,
  })
  const accountOf = (change: { id: string }, over: Row = {}): Row => ({
    surface: 'teams',
    tenant: 'T9',
    external_id: 'U-dora',
    principal_id: 'nobody',
    linked_by: 'max',
    change_id: change.id,
    ...over,
  })
  const inserted = (table: string, row: Row): Promise<string> => rehearse(kernel().db, (tx) => insertRow(tx, table, row))

  test('a role or an account without its change', async () => {
    const waiting = await askedFor(kernel(), GRANT)
    expect(await inserted('role_grant', grantOf(waiting))).toBe('refused quorum-missing: Two admins give a role.')
    const { change_id: _, ...groundless } = grantOf(waiting)
    expect(await inserted('role_grant', groundless)).toBe('constraint role_grant_has_a_ground')
    expect(await inserted('role_grant', grantOf(waiting, { granted_by: 'configuration' }))).toBe(
      'refused quorum-missing: Two admins give a role.',
    )
    const account = await askedFor(kernel(), { ...LINK, person: 'nobody' })
    expect(await inserted('identity_link', accountOf(account))).toBe('refused quorum-missing: Two admins link an account.')
    const { change_id: __, ...bare } = accountOf(account)
    expect(await inserted('identity_link', bare)).toBe('constraint identity_link_has_a_ground')
  })

  test('a second row for one change, or another one than was confirmed', async () => {
    const role = await askedFor(kernel(), GRANT)
    await confirmed(kernel(), role)
    await askedFor(kernel(), revoke('vera', 'approver'))
    expect(await inserted('role_grant', grantOf(role))).toBe('constraint role_is_granted_once_for_a_change')
    for (const other of [
      { principal_id: 'nobody' },
      { role: 'admin' },
      { environment: '*' },
      { granted_by: 'nora' },
      { change_id: randomUUID() },
    ])
      expect(await inserted('role_grant', grantOf(role, other))).toBe('refused quorum-missing: Two admins give a role.')
    const account = await askedFor(kernel(), { ...LINK, person: 'nobody' })
    await confirmed(kernel(), account)
    await askedFor(kernel(), { kind: 'unlink', surface: 'teams', tenant: 'T9', account: 'U-dora' })
    expect(await inserted('identity_link', accountOf(account))).toBe('constraint account_is_linked_once_for_a_change')
    for (const other of [
      { principal_id: 'vera' },
      { surface: 'slack' },
      { tenant: 'T8' },
      { external_id: 'U-x' },
      { linked_by: 'nora' },
      { change_id: role.id },
    ])
      expect(await inserted('identity_link', accountOf(account, other))).toBe('refused quorum-missing: Two admins link an account.')
    expect(await inserted('role_grant', grantOf(account))).toBe('refused quorum-missing: Two admins give a role.')
  })

  test('what one admin took alone is no ground to give', async () => {
    await madeAdmin(kernel(), 'vera', 'shop')
    const taken = await askedFor(kernel(), { kind: 'revoke', person: 'vera', role: 'admin', environment: 'shop' })
    expect(await inserted('role_grant', grantOf(taken, { role: 'admin' }))).toBe('refused quorum-missing: Two admins give a role.')
    const said = { ...UNLINK, person: 'nobody', account: 'U-ben' } as PowerChange
    const unlinked = await askedFor(kernel(), said)
    const row = accountOf(unlinked, { surface: 'slack', tenant: 'T1', external_id: 'U-ben' })
    expect(await inserted('identity_link', row)).toBe('refused quorum-missing: Two admins link an account.')
  })

  test('a change is there for what refers to it', async () => {
    const row = grantOf({ id: randomUUID() })
    expect(await rehearseUnguarded(kernel().db, ['role_grant'], (tx) => insertRow(tx, 'role_grant', row))).toBe(
      'constraint role_grant_change_id_fkey',
    )
    const account = accountOf({ id: randomUUID() })
    expect(await rehearseUnguarded(kernel().db, ['identity_link'], (tx) => insertRow(tx, 'identity_link', account))).toBe(
      'constraint identity_link_change_id_fkey',
    )
  })

  test.each<[string, Row, string]>([
    ['by who does not exist', { asked_by: 'mallory' }, 'refused not-linked'],
    ['by an account of somebody else', { asked_by: 'nora' }, 'refused not-linked'],
    ['by an account there is not', { link_id: 0 }, 'refused not-linked'],
    ['by nobody’s account', { link_id: null }, 'refused not-linked'],
    ['by the host', { asked_by: 'host', link_id: null }, 'constraint policy_is_asked_by_the_host'],
    ['of other bytes', { digest: '0'.repeat(64) }, 'constraint power_change_digest_is_of_its_bytes'],
    ['under another id', { id: '00000000-0000-4000-8000-000000000000' }, 'constraint power_change_id_is_in_its_bytes'],
  ])('asked %s', async (_, over, expected) => {
    expect(await inserted('power_change', await changeRow(kernel().db, GRANT, over))).toBe(expected)
  })

  test('asked by an account that was taken away', async () => {
    const row = await changeRow(kernel().db, GRANT)
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-max'`.execute(kernel().db)
    expect(await inserted('power_change', row)).toBe('refused not-linked')
  })

  test.each<[string, object, string]>([
    ['no kind', {}, 'null kind'],
    ['another kind', { kind: 'everything' }, 'constraint power_change_kind'],
    ['no person', { kind: 'grant', role: 'viewer', environment: '*' }, 'refused invalid-parameters: There is no such person.'],
    ['no role', { kind: 'grant', person: 'vera', environment: '*' }, 'constraint power_change_says_what'],
    ['no environment', { kind: 'grant', person: 'vera', role: 'viewer' }, 'constraint power_change_says_what'],
    ['a role there is not', { kind: 'grant', person: 'vera', role: 'owner', environment: '*' }, 'constraint power_change_role_fkey'],
    ['a link to nobody', { kind: 'link', surface: 'slack', tenant: 'T1', account: 'x' }, 'constraint power_change_says_what'],
    ['a link of no account', { kind: 'link', person: 'vera', surface: 'slack', tenant: 'T1' }, 'constraint power_change_says_what'],
    ['an account of no tenant', { kind: 'unlink', surface: 'slack', account: 'x' }, 'constraint power_change_says_what'],
    ['a policy by a person', { kind: 'policy', policy: 'a'.repeat(64) }, 'constraint policy_is_asked_by_the_host'],
    [
      'more than 4 KiB',
      { kind: 'unlink', surface: 'slack', tenant: 'T1', account: 'x'.repeat(4_096) },
      'constraint power_change_fits_in_4_kib',
    ],
  ])('a change that says %s', async (_, said, expected) => {
    const row = await changeRow(kernel().db, said as PowerChange)
    expect(await inserted('power_change', row)).toBe(expected)
  })

  test('what is missing is missed where no guard looks as well', async () => {
    const unguarded = async (said: object, over: Row = {}) => {
      const row = await changeRow(kernel().db, said as PowerChange, over)
      return await rehearseUnguarded(kernel().db, ['power_change'], (tx) => insertRow(tx, 'power_change', row))
    }
    expect(await unguarded({ kind: 'revoke' })).toBe('constraint power_change_says_what')
    expect(await unguarded({ kind: 'policy' }, { asked_by: 'host', link_id: null })).toBe('constraint power_change_says_what')
    expect(await unguarded(GRANT, { state: 'maybe', decided_at: new Date() })).toBe('constraint power_change_state')
    expect(await unguarded(GRANT, { state: 'done' })).toBe('constraint power_change_end_has_a_time')
    expect(await unguarded(GRANT, { link_id: 0 })).toBe('constraint power_change_link_id_fkey')
  })

  test('a change begins as one that waits, at the database’s time', async () => {
    const { db } = kernel()
    const row = await changeRow(db, GRANT, {
      state: 'done',
      decided_at: new Date(0),
      decided_by: 'nora',
      last_grant: 9_999,
      asked_at: new Date(0),
      expires_at: 'infinity',
    })
    await insertRow(db, 'power_change', row)
    const stored = await db.selectFrom('power_change').selectAll().executeTakeFirstOrThrow()
    const newest = await db.selectFrom('role_grant').select('id').where('principal_id', '=', 'max').executeTakeFirstOrThrow()
    expect(stored).toMatchObject({ state: 'pending', decided_at: null, decided_by: null, last_grant: newest.id })
    expect(stored.expires_at.getTime() - stored.asked_at.getTime()).toBe(86_400_000)
    expect(Math.abs(stored.asked_at.getTime() - Date.now())).toBeLessThan(60_000)
  })

  test.each<[string, Row, string]>([
    ['of other bytes', { digest: '0'.repeat(64) }, 'refused stale-digest'],
    ['of no change', { change_id: randomUUID() }, 'refused unknown-change'],
    ['by an account of somebody else', { principal_id: 'max' }, 'refused not-linked'],
    ['by an account there is not', { link_id: 0 }, 'refused not-linked'],
  ])('a confirmation %s', async (_, over, expected) => {
    const { id, digest } = await askedFor(kernel(), GRANT)
    const row = { change_id: id, digest, principal_id: 'nora', link_id: await linkOf(kernel().db, 'U-nora'), ...over }
    expect(await inserted('power_confirmation', row)).toBe(expected)
  })

  test('a confirmation by an account that was taken away, and one with a role and a time of its own', async () => {
    const { db } = kernel()
    await sql`update role_grant set revoked_at = clk() where principal_id = 'max'`.execute(db)
    const row = async (account: string, { id, digest }: { id: string; digest: string }) => ({
      ...{ change_id: id, digest, principal_id: 'nora', link_id: await linkOf(db, account), at: new Date(0), last_grant: 9_999 },
    })
    await madeAdmin(kernel(), 'ben')
    const asked = await askedFor(kernel(), GRANT, 'ben')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ben' and role = 'admin'`.execute(db)
    await insertRow(db, 'power_confirmation', await row('U-nora', asked))
    const stored = await db.selectFrom('power_confirmation').selectAll().executeTakeFirstOrThrow()
    const newest = await db.selectFrom('role_grant').select('id').where('principal_id', '=', 'nora').executeTakeFirstOrThrow()
    expect([stored.last_grant, Math.abs(stored.at.getTime() - Date.now()) < 60_000]).toEqual([newest.id, true])
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-nora'`.execute(db)
    expect(await inserted('power_confirmation', await row('U-nora', asked))).toBe('refused not-linked')
  })

  test('a confirmation is of a change and an account that are there', async () => {
    const asked = await askedFor(kernel(), GRANT)
    const row = { change_id: asked.id, digest: '0'.repeat(64), principal_id: 'nora', link_id: await linkOf(kernel().db, 'U-nora') }
    const unguarded = (over: Row) =>
      rehearseUnguarded(kernel().db, ['power_confirmation'], (tx) => insertRow(tx, 'power_confirmation', { ...row, ...over }))
    expect(await unguarded({})).toBe('constraint power_confirmation_is_of_these_bytes')
    expect(await unguarded({ digest: asked.digest, link_id: 0 })).toBe('constraint power_confirmation_link_id_fkey')
  })

  test.each<[string, string, string]>([
    ['done by nobody', `state = 'done'`, 'refused quorum-missing'],
    ['expired before its time', `state = 'expired'`, 'refused too-late: It is not expired yet.'],
    ['withdrawn by an approver', `state = 'withdrawn', decided_by = 'ada'`, 'refused not-authorised: This takes an admin.'],
    ['withdrawn by the host', `state = 'withdrawn', decided_by = 'host'`, 'done'],
    ['of another digest', `digest = 'x'`, 'kept a change of who may is only decided'],
    ['of other bytes', `canonical = '{}'`, 'kept a change of who may is only decided'],
    ['with more time', `expires_at = 'infinity'`, 'kept a change of who may is only decided'],
    ['asked earlier', `asked_at = 'epoch'`, 'kept a change of who may is only decided'],
    ['asked by another', `asked_by = 'nora'`, 'kept a change of who may is only decided'],
    ['asked by another account', `link_id = 1`, 'kept a change of who may is only decided'],
    ['with a newer role', `last_grant = 9999`, 'kept a change of who may is only decided'],
    ['of another id', `id = gen_random_uuid()`, 'kept a change of who may is only decided'],
  ])('a change that is %s', async (_, change, expected) => {
    await askedFor(kernel(), GRANT)
    expect(await rehearse(kernel().db, (tx) => sql.raw(`update power_change set ${change}`).execute(tx))).toBe(expected)
  })

  test('an end has the database’s time, and an expiry nobody', async () => {
    const { db } = kernel()
    await askedFor(kernel(), GRANT)
    await kernel().later(86_401)
    expect(await rehearse(db, (tx) => sql.raw(`update power_change set state = 'done'`).execute(tx))).toBe(
      'refused change-over: Its time was over.',
    )
    await sql`update power_change set state = 'expired', decided_at = 'epoch', decided_by = 'max'`.execute(db)
    const { decided_at, decided_by } = await db.selectFrom('power_change').selectAll().executeTakeFirstOrThrow()
    expect([decided_by, Math.abs(Number(decided_at) - kernel().now().getTime()) < 60_000]).toEqual([null, true])
  })

  test.each<[string, ReturnType<typeof sql>, string]>([
    [
      'in the name of who did not ask',
      sql`update role_grant set revoked_at = clk(), revoked_by = 'nora' where principal_id = 'ada'`,
      'refused not-authorised: Nobody of this name asked for it.',
    ],
    [
      'of another role than was asked',
      sql`update role_grant set revoked_at = clk(), revoked_by = 'max' where principal_id = 'rex'`,
      'refused not-authorised: Nobody of this name asked for it.',
    ],
    [
      'elsewhere than was asked',
      sql`update role_grant set revoked_at = clk(), revoked_by = 'max' where principal_id = 'otto'`,
      'refused not-authorised: Nobody of this name asked for it.',
    ],
    [
      'of another account',
      sql`update identity_link set revoked_at = clk(), revoked_by = 'max' where external_id = 'U-ada'`,
      'refused not-authorised: Nobody of this name asked for it.',
    ],
    [
      'without an end',
      sql`update role_grant set revoked_by = 'host' where principal_id = 'ada'`,
      'constraint role_grant_is_revoked_by_somebody',
    ],
    [
      'of an account without an end',
      sql`update identity_link set revoked_by = 'host' where principal_id = 'ada'`,
      'constraint identity_link_is_revoked_by_somebody',
    ],
    [
      'by the configuration',
      sql`update role_grant set revoked_at = clk(), revoked_by = 'configuration' where principal_id = 'ada'`,
      'done',
    ],
  ])('taken %s', async (_, statement, expected) => {
    await insertRow(kernel().db, 'role_grant', { principal_id: 'rex', role: 'viewer', environment: 'shop', granted_by: 'configuration' })
    await insertRow(kernel().db, 'role_grant', { principal_id: 'otto', role: 'viewer', environment: 'shop', granted_by: 'configuration' })
    await askedFor(kernel(), revoke('rex', 'viewer'))
    await askedFor(kernel(), revoke('otto', null, 'shop'))
    await askedFor(kernel(), UNLINK)
    expect(await rehearse(kernel().db, (tx) => statement.execute(tx))).toBe(expected)
  })

  test('taken in the name of another than who asked for exactly that', async () => {
    await given(kernel(), GRANT)
    await askedFor(kernel(), revoke('vera', 'approver'))
    await given(kernel(), GRANT)
    const taken = (by: string) =>
      rehearse(kernel().db, (tx) =>
        sql`update role_grant set revoked_at = clk(), revoked_by = ${by} where revoked_at is null and principal_id = 'vera' and role = 'approver'`.execute(
          tx,
        ),
      )
    expect([await taken('nora'), await taken('max')]).toEqual(['refused not-authorised: Nobody of this name asked for it.', 'done'])
  })

  test('who took it is the host, when nobody says so', async () => {
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(kernel().db)
    const { rows } = await sql`select revoked_by from role_grant where principal_id = 'ada'`.execute(kernel().db)
    expect(rows).toEqual([{ revoked_by: 'host' }])
    await insertRow(kernel().db, 'role_grant', {
      principal_id: 'ada',
      role: 'viewer',
      environment: '*',
      granted_by: 'configuration',
      revoked_by: 'host',
    })
    const link = { surface: 'slack', tenant: 'T1', external_id: 'U-x', principal_id: 'ada', linked_by: 'configuration', revoked_by: 'host' }
    await insertRow(kernel().db, 'identity_link', link)
    expect(await may(kernel(), 'ada', 'viewer', 'shop')).toBe(true)
  })
})

describeKernel('power: the policy', (kernel) => {
  const holding = async (): Promise<string | null> => (await kernel().policies.inForce())?.text ?? null

  test('the first one holds at once', async () => {
    expect(await holding()).toBeNull()
    expect(await offered(kernel(), 'one')).toBe('in-force')
    expect(await offered(kernel(), 'one')).toBe('in-force')
    expect(await holding()).toBe('one')
  })

  test('another one takes two admins, and until then the old one holds', async () => {
    await offered(kernel(), 'one')
    expect(await offered(kernel(), 'two')).toBe('waiting')
    const [asked] = await kernel().power.pending()
    expect(asked).toMatchObject({ askedBy: 'host', needed: 2, change: { kind: 'policy' } })
    if (!asked) return
    expect(await confirmed(kernel(), asked, 'max')).toMatchObject({ state: 'pending', confirmedBy: ['max'] })
    expect(await holding()).toBe('one')
    expect(await confirmed(kernel(), asked)).toMatchObject({ state: 'done' })
    expect(await holding()).toBe('two')
    expect(await offered(kernel(), 'two')).toBe('in-force')
  })

  test('the same one is asked once, a week long, and another one withdraws it', async () => {
    await offered(kernel(), 'one')
    await offered(kernel(), 'two')
    expect(await offered(kernel(), 'two')).toBe('waiting')
    const [first, ...others] = await kernel().power.pending()
    expect(others).toEqual([])
    await offered(kernel(), 'three')
    const [second] = await kernel().power.pending()
    expect(await outcomeOf(kernel().power.confirm(codeOf(first ?? { digest: '' }), actorOf('max')))).toBe('refused change-over')
    await kernel().later(7 * 86_400)
    expect(await offered(kernel(), 'three')).toBe('waiting')
    const [third] = await kernel().power.pending()
    expect([second?.id === third?.id, third?.change]).toEqual([false, second?.change])
    expect(await offered(kernel(), 'one')).toBe('in-force')
    expect(await kernel().power.pending()).toEqual([])
  })

  test('a week later nobody confirms it', async () => {
    await offered(kernel(), 'one')
    await offered(kernel(), 'two')
    const [asked] = await kernel().power.pending()
    await kernel().later(7 * 86_400)
    expect(await outcomeOf(kernel().power.confirm(codeOf(asked ?? { digest: '' }), actorOf('max')))).toBe('refused change-over')
  })

  test('with one admin it is the host’s word', async () => {
    await offered(kernel(), 'one')
    await offered(kernel(), 'two')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'max'`.execute(kernel().db)
    expect(await offered(kernel(), 'two')).toBe('in-force')
    expect(await holding()).toBe('two')
    expect(await kernel().power.pending()).toEqual([])
  })

  test('past every store', async () => {
    const { db } = kernel()
    await offered(kernel(), 'one')
    await offered(kernel(), 'two')
    const [asked] = await kernel().power.pending()
    const two = asked?.change.kind === 'policy' ? asked.change.policy : ''
    const activated = (row: Row) => rehearse(db, (tx) => insertRow(tx, 'policy_activation', { digest: two, ...row }))
    expect(await activated({ change_id: null })).toBe('refused quorum-missing: There are two admins, and they confirm a policy.')
    expect(await activated({ change_id: asked?.id })).toBe('refused quorum-missing: Two admins confirm a policy.')
    const role = await askedFor(kernel(), GRANT)
    await confirmed(kernel(), role)
    expect(await activated({ change_id: role.id })).toBe('refused quorum-missing: Two admins confirm a policy.')
    for (const person of ['max', 'nora']) await kernel().power.confirm(codeOf(asked ?? { digest: '' }), actorOf(person))
    expect(await activated({ change_id: asked?.id })).toBe('constraint policy_is_activated_once_for_a_change')
    expect(await activated({ change_id: role.id })).toBe('refused quorum-missing: Two admins confirm a policy.')
    const other = await askedFor(kernel(), { ...GRANT, role: 'viewer', policy: two } as PowerChange)
    await confirmed(kernel(), other)
    expect(await activated({ change_id: other.id })).toBe('refused quorum-missing: Two admins confirm a policy.')
    const told = await db.selectFrom('outbox').select('body').execute()
    expect(told.filter(({ body }) => body['code'] === 'policy-changed')).toEqual([])
    const one = (await db.selectFrom('policy_version').select('digest').where('text', '=', 'one').executeTakeFirstOrThrow()).digest
    expect(await activated({ digest: one, change_id: asked?.id })).toBe('refused quorum-missing: Two admins confirm a policy.')
    const unguarded = (row: Row) => rehearseUnguarded(db, ['policy_activation'], (tx) => insertRow(tx, 'policy_activation', row))
    expect(await unguarded({ digest: 'x', change_id: null })).toBe('constraint policy_activation_digest_fkey')
    expect(await unguarded({ digest: two, change_id: randomUUID() })).toBe('constraint policy_activation_change_id_fkey')
    const version = (row: Row) => rehearse(db, (tx) => insertRow(tx, 'policy_version', row))
    expect(await version({ digest: '0'.repeat(64), text: 'x' })).toBe('constraint policy_digest_is_of_its_text')
    const large = 'x'.repeat(262_145)
    expect(await version({ digest: sql`encode(sha256(${large}::bytea), 'hex')`, text: large })).toBe('constraint policy_fits_in_256_kib')
  })

  test('a moment is the database’s', async () => {
    const { db } = kernel()
    await offered(kernel(), 'one')
    await sql`update role_grant set revoked_at = clk() where role = 'admin'`.execute(db)
    const { digest } = await db.selectFrom('policy_version').selectAll().executeTakeFirstOrThrow()
    await insertRow(db, 'policy_activation', { digest, change_id: null, at: new Date(0) })
    const { at } = await db.selectFrom('policy_activation').select('at').orderBy('id', 'desc').executeTakeFirstOrThrow()
    expect(at.getTime()).toBeGreaterThan(Date.now() - 60_000)
  })
})

describeKernel('power: notices', (kernel, store) => {
  const codes = async (): Promise<unknown[]> => {
    const rows = await kernel().db.selectFrom('outbox').select('body').orderBy('id').execute()
    // The bot of the sample was enrolled after the first configuration.
    const news = rows.filter(({ body }) => (body['change'] as { person?: string } | null)?.person !== 'bot')
    return news.map(({ body: { code, by, second, change } }) => [
      code,
      by,
      second ?? null,
      (change as { person?: string } | null)?.person ?? null,
    ])
  }

  test('every step of a change is told', async () => {
    const asked = await askedFor(kernel(), GRANT)
    await confirmed(kernel(), asked)
    await askedFor(kernel(), revoke('vera', 'approver'))
    await kernel().power.withdraw(codeOf(await askedFor(kernel(), { ...GRANT, role: 'admin' })), actorOf('nora'))
    await askedFor(kernel(), { ...GRANT, role: 'admin' })
    await kernel().later(86_401)
    await kernel().power.expireDue()
    expect(await codes()).toEqual([
      ['power-pending', 'max', null, 'vera'],
      ['power-done', 'max', 'nora', 'vera'],
      ['power-done', 'max', 'max', 'vera'],
      ['power-pending', 'max', null, 'vera'],
      ['power-withdrawn', 'nora', null, 'vera'],
      ['power-pending', 'max', null, 'vera'],
      ['power-expired', 'max', null, 'vera'],
    ])
  })

  test('the first configuration is no news, and a later one is', async () => {
    expect(await codes()).toEqual([])
    await kernel().people.sync([{ id: 'dora', name: 'Dora', roles: ['viewer'], environments: ['*'], links: [DORA] }])
    const told = (await codes()) as [string, string, null, string][]
    expect(told.every(([code, by]) => code === 'people-changed' && by === 'configuration')).toBe(true)
    expect(told.filter(([, , , person]) => person === 'dora')).toHaveLength(2)
    expect(told.filter(([, , , person]) => person === 'ada')).toHaveLength(3)
    await insertRow(kernel().db, 'role_grant', { principal_id: 'dora', role: 'admin', environment: '*', granted_by: 'host' })
    expect((await codes()).at(-1)).toEqual(['people-changed', 'host', null, 'dora'])
  })

  test('the first configuration of a database is no news', async () => {
    const { db, close } = await openKernel(store)
    const { rows } = await sql<{ person: string }>`select body #>> '{change,person}' as person from outbox where topic = 'notice'`.execute(
      db,
    )
    await close()
    expect(new Set(rows.map(({ person }) => person))).toEqual(new Set(['bot']))
  })

  test('a policy that changed by the host’s word is told, and the first is not', async () => {
    await sql`update role_grant set revoked_at = clk() where principal_id = 'max'`.execute(kernel().db)
    const before = (await codes()).length
    await offered(kernel(), 'one')
    expect((await codes()).slice(before)).toEqual([])
    await offered(kernel(), 'two')
    expect((await codes()).slice(before)).toEqual([['policy-changed', 'host', null, null]])
  })
})

describeKernel('power: forged behind the guards', (kernel) => {
  const GROUND = /^invariant 1: Roles, accounts and the policy .* (role|account|policy) \d+ .* without two admins$/

  describe('is found by the checker', () => {
    test.each<[string, (kernel: Kernel, change: { id: string; digest: string }) => Promise<unknown>]>([
      [
        'a role without a confirmation',
        ({ db }, { id }) => behind(db, (tx) => sql`delete from power_confirmation where change_id = ${id}`.execute(tx)),
      ],
      [
        'one of another role',
        ({ db }) => behind(db, (tx) => sql`update role_grant set role = 'admin' where change_id is not null`.execute(tx)),
      ],
      [
        'one of another author',
        ({ db }) => behind(db, (tx) => sql`update role_grant set granted_by = 'nora' where change_id is not null`.execute(tx)),
      ],
      ['one of a change that is gone', ({ db }) => behind(db, (tx) => sql`delete from power_change`.execute(tx))],
      [
        'confirmed for other bytes',
        ({ db }) => behind(db, (tx) => sql`update power_confirmation set digest = ${'0'.repeat(64)}`.execute(tx)),
      ],
      ['confirmed by who asked', ({ db }) => behind(db, (tx) => sql`update power_confirmation set principal_id = 'max'`.execute(tx))],
      [
        'confirmed by who was no admin',
        ({ db }) => behind(db, (tx) => sql`update role_grant set role = 'viewer' where principal_id = 'nora'`.execute(tx)),
      ],
    ])('%s', async (_, forge) => {
      const asked = await askedFor(tampers(kernel()), GRANT)
      await confirmed(kernel(), asked)
      await forge(kernel(), asked)
      expect(await violationsOf(kernel())).toContainEqual(expect.stringMatching(GROUND))
    })

    test('a second first admin', async () => {
      await disableGuards(kernel)
      await insertRow(kernel().db, 'role_grant', { principal_id: 'vera', role: 'admin', environment: '*', granted_by: 'host' })
      expect(await violationsOf(kernel())).toContainEqual(
        expect.stringMatching(/role \d+ made an admin on the host although there was one$/),
      )
      await sql`alter table role_grant enable trigger role_grant_guard`.execute(kernel().db)
    })
  })

  test('and what was given well, before it was taken again, is not', async () => {
    await given(kernel(), GRANT)
    await given(kernel(), LINK)
    await askedFor(kernel(), revoke('nora'))
    await askedFor(kernel(), revoke('max'))
    await kernel().power.enrolFirst({ id: 'dora', name: 'Dora', link: null })
    await verified(kernel())
    expect((await kernel().audit.verify({ since: 'last' })).violations).toEqual([])
  })

  async function disableGuards(of: () => Kernel): Promise<void> {
    await disable(tampers(of()).db, 'role_grant', 'role_grant_guard')
  }
})
