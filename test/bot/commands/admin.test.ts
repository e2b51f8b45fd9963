import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConfiguredPerson } from '../../../bot/config.ts'
import { describeDatabases } from '../../support/database.ts'
import type { Client } from '../../support/edge/client.ts'
import { HOST_SECRET, openEdge, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'

const person = (id: string, role: ConfiguredPerson['roles'][number]): ConfiguredPerson => ({
  id,
  name: `${id[0]?.toUpperCase()}${id.slice(1)}`,
  roles: [role],
  environments: null,
  links: [],
})

describeDatabases('who may what, by command', (store) => {
  const database = store.perSuite()
  let running: RunningEdge
  let max: Client
  let nora: Client
  let bob: Client
  beforeAll(async () => {
    const people = [person('max', 'admin'), person('nora', 'admin'), person('alice', 'approver'), person('bob', 'viewer')]
    running = await openEdge(database(), { people })
    max = await running.as('max')
    nora = await running.as('nora')
    bob = await running.as('bob')
  })
  afterAll(() => running.close())

  const ask = async (client: Client, text: string): Promise<string> => (await client.post('/api/v1/commands', { text })).json.text
  const rolesOf = async (id: string): Promise<readonly string[]> =>
    (await running.agent.people()).find((one) => one.id === id)?.roles.toSorted() ?? []
  const codeIn = (text: string): string => /admin confirm ([0-9a-f]{12})/.exec(text)?.[1] ?? 'none'
  const told = async (words: string): Promise<string> =>
    await waitFor(async () => {
      const { items } = (await max.get('/api/v1/messages')).json
      return items.map(({ text }: { text: string }) => text).find((text: string) => text.includes(words)) ?? null
    })

  test('a role takes two admins, is listed meanwhile, and told to all', async () => {
    const asked = await ask(max, 'admin grant bob approver')
    expect(asked).toMatch(/^Waits for another admin: bob becomes approver everywhere \(asked by max; 1 more to confirm, until /)
    expect(await ask(nora, 'admin')).toContain(codeIn(asked))
    expect(await ask(max, `admin confirm ${codeIn(asked)}`)).toContain('another admin has to')
    expect(await rolesOf('bob')).toEqual(['viewer'])
    expect(await ask(nora, `admin confirm ${codeIn(asked).toUpperCase()}`)).toBe('Done: bob becomes approver everywhere.')
    expect(await rolesOf('bob')).toEqual(['approver', 'viewer'])
    expect(await ask(nora, 'admin pending')).toBe('Nothing waits for an admin.')
    expect(await told('Asked by Max')).toContain(`"admin confirm ${codeIn(asked)}"`)
    expect(await told('Changed by Max and Nora')).toContain('bob becomes approver everywhere')
  })

  test('one admin takes it at once', async () => {
    expect(await ask(nora, 'admin revoke alice approver')).toBe('Done: alice loses the role approver everywhere.')
    expect(await rolesOf('alice')).toEqual([])
    expect(await told('Changed by Nora:')).toContain('alice loses the role approver')
  })

  test('an account, and its person', async () => {
    const asked = await ask(max, 'admin link dora Slack T1 U-dora Dora Berg')
    expect(asked).toContain('the account slack T1 U-dora becomes that of dora, whose name is Dora Berg if new')
    await ask(nora, `admin confirm ${codeIn(asked)}`)
    const actor = { surface: 'slack', tenant: 'T1', externalId: 'U-dora' } as const
    expect(await running.agent.person(actor)).toMatchObject({ id: 'dora', name: 'Dora Berg' })
    expect(await ask(max, 'admin unlink slack T1 U-dora')).toBe("Done: the account slack T1 U-dora is nobody's any more.")
    expect(await running.agent.person(actor)).toBeNull()
  })

  test('what waits is withdrawn', async () => {
    const asked = await ask(max, 'admin grant bob admin env:local')
    expect(await ask(nora, `admin withdraw ${codeIn(asked)}`)).toMatch(/^Withdrawn: bob becomes admin in local/)
    expect(await ask(nora, `admin confirm ${codeIn(asked)}`)).toContain('This change is over')
    expect(await told('Withdrawn by Nora')).toContain('bob becomes admin in local')
  })

  test('nobody else', async () => {
    expect(await ask(bob, 'admin grant bob admin')).toContain('It takes the role admin.')
    expect(await ask(running.client(), 'admin pending')).toContain('Only people may do this')
    expect(await ask(bob, 'help')).not.toContain('admin')
  })

  test.each([
    ['admin grnt bob viewer', 'Did you mean "grant"?'],
    ['admin grant', 'is no id of a person'],
    ['admin grant Bob viewer', '"Bob" is no id of a person'],
    ['admin grant bob owner', '"owner" is no role: there are viewer, responder, approver, admin.'],
    ['admin grant bob viewer local', '"local" is no environment'],
    ['admin grant mallory viewer', 'There is no such person.'],
    ['admin link bob mail T1 U1', '"mail" is no surface'],
    ['admin link bob slack T1', 'Name the workspace or tenant'],
    ['admin unlink slack T1 U-nobody', 'nothing would change'],
    ['admin confirm', 'No change with this code'],
    ['admin confirm 000000000000', 'No change with this code'],
    ['admin __proto__', 'It is: pending'],
  ])('%s says what is wrong', async (text, words) => expect(await ask(max, text)).toContain(words))

  test('the first admin over HTTP: by the operator only, and only while there is none', async () => {
    const first = { person: 'eve', name: 'Eve', link: { surface: 'slack', tenant: 'T1', externalId: 'U-eve' } }
    const operator = { authorization: `Bearer ${HOST_SECRET}` }
    const post = async (headers: Record<string, string>) => await running.client().post('/api/v1/admin/first', first, headers)
    expect(await post({})).toMatchObject({ status: 401 })
    expect(await post(operator)).toMatchObject({ status: 409, json: { code: 'admin-exists' } })
    for (const id of ['nora', 'max']) await ask(max, `admin revoke ${id}`)
    expect(await post(operator)).toMatchObject({ status: 200, json: { person: 'eve' } })
    expect(await rolesOf('eve')).toEqual(['admin'])
    expect((await running.agent.verifyAudit()).violations).toEqual([])
  })
})
