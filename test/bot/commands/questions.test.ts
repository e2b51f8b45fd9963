import { afterEach, beforeEach, expect, test } from 'vitest'
import { alert } from '../../support/alerts.ts'
import { describeDatabases } from '../../support/database.ts'
import type { Client } from '../../support/edge/client.ts'
import { openEdge, type RunningEdge } from '../../support/edge/edge-harness.ts'

describeDatabases('a question, where no model is configured', (store) => {
  const database = store.perTest()
  let running: RunningEdge
  let bob: Client
  let alice: Client
  beforeEach(async () => {
    running = await openEdge(database())
    bob = await running.as('bob')
    alice = await running.as('alice')
  })
  afterEach(() => running.close())
  const ask = async (text: string, who: Client = bob): Promise<string> => (await who.post('/api/v1/commands', { text })).json.text
  const openAnother = async (title: string, severity: 2 | 3): Promise<void> => {
    await running.stores.incidents.absorb(alert({ key: title, service: 'storefront' }), null, () => ({
      ...{ do: 'open', title, service: 'storefront', environment: 'local', severity, severityReason: 'x', drillRun: null, reason: 'x' },
    }))
  }

  test('that names nothing is not answered with what ended last', async () => {
    await running.askSomething()
    await ask('resolve inc-1', alice)
    for (const question of [
      'what is the meaning of life?',
      'who ate my cake?',
      'rm -rf / please now?',
      'is it safe to deploy?',
      'how many customers lost money?',
    ]) {
      const said = await ask(question)
      expect(said, question).toMatch(
        /^That cannot be answered without a model, and no incident is open\. Ask for example what is broken right now\?/,
      )
      expect(said, question).not.toContain('inc-1')
    }
  })

  test('about what ended says that it is over, and when', async () => {
    await running.askSomething()
    await ask('resolve inc-1', alice)
    for (const question of ['what was the cause of it?', 'what changed today?'])
      expect(await ask(question)).toMatch(/^Nothing is open now\. This is of the last one: inc-1 .*, over since \d{4}-/)
    expect(await ask('why is payments slow?')).toMatch(
      /^No open incident is about payments\..*The last incident of it, inc-1 .*, ended \d{4}-/,
    )
    expect(await ask('why is payments slow?')).not.toContain('Suspected cause')
    expect(await ask('why inc-1')).toMatch(/^inc-1 .*, over since .*Suspected cause/)
  })

  test('about a service of which nothing is open says nothing of the others, and calls nothing calm', async () => {
    await openAnother('storefront is slow', 2)
    for (const question of ['what was deployed to payments?', 'what should we do about payments?', 'why is payments slow?']) {
      const said = await ask(question)
      expect(said, question).toMatch(/^No open incident is about payments\./)
      expect(said, question).not.toMatch(/Nothing is open|Nothing has to be done/)
    }
    expect(await ask('what was deployed?')).not.toContain('Nothing is open')
  })

  test('in the thread of an incident about another service is about that service', async () => {
    await openAnother('storefront is slow', 2)
    const inThread = (text: string) => bob.post('/api/v1/commands', { text, incident: 'inc-1' })
    expect((await inThread('is payments ok?')).json.text).toMatch(/^No open incident is about payments\./)
    expect((await inThread('why is storefront slow?')).json.text).toContain('inc-1')
  })

  test('about everything counts what it did not look at', async () => {
    for (let number = 0; number < 23; number += 1) await openAnother(`trouble ${number}`, number === 0 ? 2 : 3)
    const { json } = await bob.post('/api/v1/commands', { text: 'what is broken right now?' })
    expect(json.text).toContain('23 incidents are open.')
    expect(json.text).toMatch(/gravest first: inc-1 /)
    expect(JSON.stringify(json.blocks)).toContain('3 more are open, less grave, and were not looked at for this.')
  })

  test('about a service is answered by how it is now', async () => {
    expect(await ask('is payments ok?')).toMatch(
      /^No open incident is about payments\. What runs: local: .* replicas ready.*errors: 90 % at/,
    )
    await running.askSomething()
    expect(await ask('is payments ok?')).toMatch(/^1 open about payments\. Open, the gravest first: inc-1 Sev/)
  })

  test('about what is broken names all that is open, the gravest first', async () => {
    await running.askSomething()
    await openAnother('storefront is a little slow', 3)
    await openAnother('storefront is down', 2)
    const said = await ask('what is broken right now?')
    expect(said).toMatch(/^3 incidents are open\. Open, the gravest first: inc-1 Sev 1.*inc-3 Sev 2.*inc-2 Sev 3/)
    expect(await ask('how is it going?')).toMatch(/inc-1 Sev 1.*inc-3 Sev 2/)
  })

  test('about what to do names what waits for whom, and about an action what asking for it comes to', async () => {
    expect(await ask('what should I do?')).toMatch(/^Nothing has to be done: no incident is open/)
    expect(await ask('can I set version of payments?')).toMatch(
      /^do set-version payments asks for it: .* It runs only after its approval.*May ask: Alice, Carol\. May approve: Alice, Carol;/,
    )
    await running.askSomething()
    expect(await ask('what should I do?')).toMatch(
      /Waiting for a click, on its card: .*Set payments to v1.*may decide: Alice, Carol.*inc-1 Sev 1:/,
    )
    expect(await ask('can I set version of payments?')).toContain('What speaks against it now: Set payments to v1 is still open.')
    expect(running.target.ledger).toEqual([])
  })

  test('about an action names who may in each environment that the service runs in', async () => {
    await running.close()
    const person = (id: string, environments: string[]) => ({ id, name: id, roles: ['approver' as const], environments, links: [] })
    running = await openEdge(database(), {
      services: [
        { service: 'payments', environment: 'staging' },
        { service: 'payments', environment: 'local' },
      ],
      people: [person('alice', ['local']), person('carol', ['staging']), person('max', ['local', 'staging'])],
    })
    const said = await ask('can I set version of payments?', await running.as('alice'))
    expect(said).toContain('staging: may ask: carol, max; may approve: carol, max')
    expect(said).toContain('local: may ask: alice, max; may approve: alice, max')
    expect(said).toContain('do set-version payments env:NAME asks for it')
    expect(said).toContain('What speaks against it now: staging: In staging there are: none.')
  })

  test('whoever types approve is told where that is done, and nothing is decided', async () => {
    expect(await ask('approve inc-4', alice)).toContain('Approving is done on the card alone')
    const id = await running.askSomething()
    expect(await ask('approve inc-1', alice)).toMatch(
      /^Approving is done on the card alone, .*Waiting for a click: .*Set payments to v1 \(inc-1\)/,
    )
    expect((await running.stores.approvals.approval(id))?.votes).toEqual([])
  })
})
