import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../bot/commands.ts'
import { describeDatabases } from '../support/database.ts'
import type { Client } from '../support/edge/client.ts'
import { anAlert, openEdge, type RunningEdge, waitFor, withAnswers } from '../support/edge/edge-harness.ts'

const KEY = 'k'.repeat(40)

/** Said by somebody who may, where there is no incident: nothing of it may change anything. */
const MISUSE: readonly (readonly [text: string, words: string])[] = [
  ['freeze', 'Say for how long'],
  ['freeze 2h', 'Say why'],
  ['freeze 200d x', 'is no scope'],
  ['freeze nowhere 2h x', '"nowhere" is no scope'],
  ['freeze payments 2h x', '"payments" is no scope. Did you mean "resource:payments"?'],
  ['stop local', '"local" is no scope. Did you mean "env:local"?'],
  ['stop env:loca', 'There is no environment "loca". Did you mean "local"?'],
  ['stop env:shopp', 'There is no environment "shopp". There are: local.'],
  ['stop kind:fake.set-versoin', 'There is no action "fake.set-versoin". Did you mean "fake.set-version"?'],
  ['start', 'Not everything is stopped: nothing is.'],
  ['start env:local', '"env:local" is stopped: nothing is.'],
  ['freeze resource:paymets 2h x', 'There is no resource "paymets". Did you mean "payments"?'],
  ['freeze resource:fake/local/pod/payments 2h x', 'There is no resource "payments".'],
  ['freeze env:elsewhere 2h x', 'There is no environment "elsewhere". There are: local.'],
  ['resolve', 'Say which'],
  ['resolve inc-9', 'There is no such incident.'],
  ['freze 2h because of the close', 'Did you mean "freeze"?'],
  ['metric', 'Say which metric'],
  ['metric p99', 'Say of which service: payments.'],
  ['metric p99 of paymets', 'Did you mean "payments"?'],
  ['logs', 'Say of which service'],
  ['logs nowhere', '"nowhere" is no service. There are: payments.'],
  ['oncall paymnts', 'Did you mean "payments"?'],
  ['why', 'There is no incident yet.'],
  ['brief inc-9', 'There is no such incident.'],
  ['investigate', 'Say what'],
  ['investigate nowhere', 'There is no service "nowhere".'],
  ['do set-version', 'Say of what'],
  ['do explode payments', 'In local there are: set-version.'],
  ['do set-version nowhere', 'There is no service "nowhere".'],
  [
    'do set-version payments version=<!channel>',
    'version is not of the form that it must have. Say it as: do set-version payments version=…',
  ],
  ['do set-version payments force=true', 'has no "force"'],
  ['do set-version payments __proto__=1', 'is no NAME=VALUE'],
  ['do set-version payments now', '"now" is not understood'],
  ['do set-version payments for inc-9', 'There is no incident inc-9.'],
  ['resolve the disk was replaced', 'Say which incident'],
  ['take', 'Say which incident'],
  ['take inc-1 away', '"away" says nothing here'],
  ['take inc-9', 'There is no such incident.'],
  ['close inc-1', 'Say how it ended'],
  ['close inc-1 as fixd', 'Did you mean "fixed"?'],
  ['snooze inc-1', 'Say for how long'],
  ['snooze inc-1 30d', 'At most 7 d'],
  ['severity inc-1 5', 'Say 1, 2, 3 or 4'],
  ['merge inc-1', 'Say which into which'],
  ['merge inc-1 inc-1', 'cannot be merged into itself'],
  ['split inc-1', 'Say which alerts'],
  ['feedback inc-1 maybe', 'Say right or wrong'],
  ['feedback inc-1 wrong memory_leek', 'Did you mean "memory_leak"?'],
  ['stop kind:', 'is no scope'],
  ['unfreeze', 'There is no such freeze.'],
  ['drill nothing', 'There is no drill of this name.'],
  ['drill bad-relaese', 'Did you mean "bad-release"?'],
  ['do restart paymnts', 'There is no service "paymnts". Did you mean "payments"?'],
  ['do set-versoin payments', 'There is no such action in the catalogue. Did you mean "set-version"?'],
  ['drill bad-release', 'bad-release is running'],
]

describeDatabases('commands', (store) => {
  const database = store.perTest()
  let running: RunningEdge
  let alice: Client
  let bob: Client
  let carol: Client
  beforeEach(async () => {
    running = await openEdge(database())
    for (const person of ['alice', 'bob', 'carol']) await running.as(person)
    alice = await running.as('alice')
    bob = await running.as('bob')
    carol = await running.as('carol')
  })
  afterEach(() => running.close())

  const ask = async (client: Client, text: string): Promise<string> => {
    const { status, json } = await client.post('/api/v1/commands', { text })
    expect(status).toBe(200)
    expect(json.blocks.length).toBeGreaterThan(0)
    return json.text
  }

  test('help lists what this person may run here, and no more', async () => {
    const names = (text: string): string[] => (/here: (.*)\. Say/.exec(text)?.[1] ?? '').split(', ')
    const reading = COMMANDS.filter(({ needs, programs }) => programs && ['read', 'drill'].includes(needs)).map(({ name }) => name)
    expect(names(await ask(alice, 'help'))).toEqual([...COMMANDS.filter(({ needs }) => needs !== 'admin').map(({ name }) => name), 'help'])
    expect(names(await ask(bob, 'help'))).toEqual([...reading, 'help'])
    expect(names(await ask(running.client(), 'help'))).toEqual([...reading, 'help'])
    expect(await ask(alice, 'help freeze')).toContain('freeze [env:NAME | resource:NAME] 30m|2h|1d REASON: lets nothing run for a while')
    expect(await ask(bob, 'help stop')).not.toContain('stops everything')
  })

  test('what takes a role is refused to the viewer and to nobody, in words, and changes nothing', async () => {
    for (const text of [
      'stop',
      'start',
      'freeze 1h x',
      'unfreeze',
      'take inc-1',
      'merge inc-1 inc-2',
      'feedback inc-1 right',
      'do x payments',
    ]) {
      expect(await ask(bob, text)).toMatch(
        /^You do not hold the role for this\. It takes the role (approver|responder)\. Who may: Alice, Carol\.$/,
      )
      expect(await ask(running.client(), text)).toContain('Only people may do this')
    }
    expect([await running.stores.control.stopped(), await running.stores.control.freezes()]).toEqual([[], []])
  })

  test('any text is answered', async () => {
    expect(await ask(alice, '')).toContain('What you can ask for here: status, ')
    expect(await ask(alice, 'statsu')).toContain('Did you mean "status"?')
    expect(await ask(alice, 'unstop')).toContain('Did you mean "start"?')
    expect(await ask(alice, '<!channel> *bold*')).toContain('is no command')
    expect(await ask(alice, '__proto__')).toContain('is no command')
    expect((await alice.post('/api/v1/commands', { text: 'x'.repeat(2_001) })).status).toBe(400)
    expect((await alice.post('/api/v1/commands', { text: 'a\u0000b' })).status).toBe(400)
  })

  test('text from outside forms no mention and no link', async () => {
    const hostile = JSON.stringify(anAlert()).replace('HighErrorRatio', '<!channel> <https://evil.example|click>')
    await running.client().post('/webhooks/alertmanager', hostile)
    const { blocks } = await waitFor(async () => {
      const { json } = await alice.post('/api/v1/commands', { text: 'incidents' })
      return json.text.includes('inc-1') ? json : null
    })
    expect(JSON.stringify(blocks)).not.toMatch(/<!channel>|"url":"https:\/\/evil/)
  })

  test('status tells mode, incidents and what waits', async () => {
    expect(await ask(bob, 'status')).toContain('Acts after a click of somebody who may.')
    const id = await running.askSomething()
    const text = await ask(bob, '/sre status')
    expect(text).toMatch(/inc-1 Sev 1, awaiting-approval: .*\(payments, opened/)
    expect(text).toContain(`${id.slice(0, 8)} Set payments to v1 (inc-1): 0 of 1 approved, open until`)
    expect(await ask(bob, 'approvals')).toContain(id.slice(0, 8))
    expect(await ask(bob, `who-may ${id.slice(0, 8)}`)).toContain('Set payments to v1 in local: Alice, Carol; 1 needed')
    expect(await ask(bob, 'who-may nothing')).toBe('No such request waits for a click.')
    expect(await ask(bob, 'incidents all payments')).toContain('inc-1')
    expect(await ask(bob, 'incidents resolved')).toBe('There are no such incidents.')
  })

  test('of many open incidents the gravest are told, however old they are, and how many there are beside them', async () => {
    const alertOf = (service: string, severity: string) => {
      const alert = structuredClone(anAlert()) as { alerts: { labels: Record<string, string>; fingerprint: string }[] }
      for (const each of alert.alerts) Object.assign(each, { labels: { ...each.labels, service, severity }, fingerprint: service })
      return alert
    }
    const open = async (service: string, severity: string, count: number): Promise<void> => {
      expect((await alice.post('/webhooks/alertmanager', alertOf(service, severity))).status).toBe(202)
      await waitFor(async () => ((await running.stores.incidents.list({ limit: 50 })).items.length >= count ? true : null))
    }
    await open('old-and-grave', 'critical', 1)
    for (let number = 0; number < 13; number += 1) await open(`late-${number}`, 'info', number + 2)
    const [first, second] = (await running.stores.incidents.list({ limit: 50 })).items.toReversed()
    expect(first?.severity).toBeLessThan(second?.severity ?? 0)

    for (const [text, more] of [
      ['handover', 6],
      ['status', 4],
      ['what should I do?', 6],
      ['is anything wrong?', 6],
    ] as const) {
      const said = JSON.stringify((await bob.post('/api/v1/commands', { text })).json.blocks)
      expect(said, text).toMatch(/inc-1(?!\d)/)
      expect(said, text).toContain(`and ${more} more; `)
    }
    for (const text of ['incidents', 'incidents open', 'incidents active']) {
      const said = JSON.stringify((await bob.post('/api/v1/commands', { text })).json.blocks)
      expect(said, text).toMatch(/old-and-grave.*late-0.*late-12/)
      expect(said, text).not.toContain(' more; ')
    }
    expect(await ask(bob, 'incidents open late-7')).toMatch(/^Incidents: inc-9 /)
    expect(await ask(bob, 'is late-7 ok?')).toMatch(/^1 open about late-7\. Open, the gravest first: inc-9 /)
  })

  test('one person stops everything, and two start it again', async () => {
    const id = await running.askSomething()
    expect(await ask(alice, 'stop env:local')).toContain('Stopped (env:local): nothing runs any more.')
    expect(await ask(bob, 'status')).toContain('Stopped: env:local by alice.')
    const { digest } = (await alice.get(`/api/v1/approvals/${id}`)).json
    expect(await carol.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).toMatchObject({
      status: 409,
      json: { code: 'kill-switch' },
    })
    expect(await ask(alice, 'start env:local')).toContain('(1 of 2)')
    expect(await ask(alice, 'start env:local')).toContain('(1 of 2)')
    expect(await ask(carol, 'start env:local')).toContain('Started (env:local): approved actions run again.')
    expect((await carol.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).status).toBe(200)
  })

  test('everything is stopped and frozen although the platform hangs', async () => {
    const never = new Promise<never>(() => {})
    const hanging = { environments: () => never, services: () => never, resources: () => never, kinds: () => [] }
    const deaf = await openEdge(database(), { change: (deps) => withAnswers(deps, { scopes: hanging }) })
    try {
      const client = await deaf.as('alice')
      expect(await ask(client, 'stop')).toContain('nothing runs any more')
      expect(await ask(client, 'freeze 2h nobody answers')).toContain('Frozen (everything) for 2 h')
    } finally {
      await deaf.close()
    }
  })

  test('a freeze holds, is listed, and is ended by its id', async () => {
    expect(await ask(alice, 'freeze 2h “quarter end”')).toContain('Frozen (everything) for 2 h')
    const [freeze] = await running.stores.control.freezes()
    expect(freeze).toMatchObject({ scope: '*', reason: 'quarter end', by: 'alice' })
    expect(await ask(bob, 'status')).toContain(': quarter end')
    expect(await ask(alice, 'unfreeze 00000000')).toContain('There is no such freeze.')
    expect(await ask(bob, 'handover')).toContain('Frozen: everything until')
    expect(await ask(alice, `unfreeze ${freeze?.id.slice(0, 8)}`)).toContain('is over')
    expect(await running.stores.control.freezes()).toEqual([])
  })

  test('scopes are found however they are written, and a resource by its short name', async () => {
    expect(await ask(alice, 'stop kind:Fake.Set-Version')).toContain('Stopped (kind:fake.set-version)')
    expect(await ask(alice, 'start')).toContain('Not everything is stopped: it is kind:fake.set-version.')
    const id = await running.askSomething().catch(() => null)
    expect(await ask(alice, 'freeze resource:payments 2h quarter end')).toContain('Frozen (resource:fake/local/service/payments) for 2 h')
    expect(await ask(alice, 'unfreeze payments')).toMatch(
      /Did you mean "unfreeze [0-9a-f]{8}" \(resource:fake\/local\/service\/payments\)\?/,
    )
    expect(await ask(alice, 'freeze resource:fake/local/service/payments 1h x')).toContain('Frozen (resource:fake/local/service/payments)')
    expect(id).not.toBeNull()
    const { plan, digest } = (await alice.get(`/api/v1/approvals/${id}`)).json
    expect((await running.stores.control.freezes()).map(({ scope }) => scope)).toEqual([
      `resource:${plan.resource}`,
      `resource:${plan.resource}`,
    ])
    expect(await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).toMatchObject({ status: 409 })
  })

  test('an incident is ended by the word of a person, who is named', async () => {
    const id = await running.askSomething()
    expect(await ask(bob, 'resolve inc-1')).toContain('It takes the role responder')
    expect(await ask(alice, 'resolve inc-1 the disk was replaced')).toContain('Resolved by your word: inc-1')
    expect((await running.stores.approvals.approval(id))?.requestState).toBe('cancelled')
    expect(await ask(alice, 'resolve inc-1')).toContain('The incident is over already.')
  })

  test('who let it run, whether it helped and what else is wrong is answered from rows, of the incident that is meant', async () => {
    const id = await running.askSomething()
    const digest = (await running.stores.approvals.approval(id))?.digest
    expect(await ask(bob, 'did it help?')).toMatch(/Approve\? Set payments to v1\. Nothing runs before the approval\. Nobody has voted\./)
    expect(await ask(bob, 'is anything else wrong?')).toMatch(/Open, the gravest first: inc-1 /)
    const elsewhere = await bob.post('/api/v1/commands', { text: 'is anything else wrong?', incident: 'inc-1' })
    expect(elsewhere.json.text).toContain('Nothing else is open')
    expect(await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest, reason: 'not now' })).toMatchObject({
      status: 200,
    })
    for (const text of ['who denied it?', 'who approved it and when?', 'did the rollback help?', 'what did you do?'])
      expect(await ask(bob, text), text).toMatch(
        /Denied: Set payments to v1\. One denial is enough\. Nothing was run\. Denied by Alice at \d\d:\d\d:\d\d/,
      )
    expect(await ask(bob, 'who do I call?')).not.toContain('Denied')
    expect(await ask(bob, 'why was nothing done?')).toMatch(/Denied: Set payments to v1\./)
  })

  test('what ended within the shift is handed over, gravest first, and nothing of it reads as if it lasted', async () => {
    await running.askSomething()
    expect(await ask(alice, 'feedback inc-1 right')).toContain('Noted for inc-1')
    expect(await ask(alice, 'resolve inc-1 the disk was replaced')).toMatch(/And withdrew: Set payments to v1\. Nothing of it was run\.$/)
    expect(await ask(bob, 'handover')).toMatch(
      /Nothing is open\..*Ended in the last 12 h, the gravest first: inc-1 Sev \d: .* over after .*Cause: a bad release, in service\/payments.*Done: nothing was run\. Ended: resolved \(Resolved by Alice: the disk was replaced\)/,
    )
    const brief = await ask(bob, 'brief inc-1')
    expect(brief).toContain('Alice says the diagnosis is right')
    expect(brief).toContain('How it ended: Resolved by Alice: the disk was replaced.')
    expect(brief).not.toMatch(/Next:|See below/)
    expect(await ask(bob, 'why-not inc-1')).toMatch(/The incident is over, since .*: resolved[.;]/)
  })

  test('misuse is told in words: what is missing or wrong, and what was probably meant', async () => {
    for (const [text, words] of MISUSE) expect(await ask(alice, text), text).toContain(words)
    expect((await running.stores.incidents.list({ limit: 1 })).items).toEqual([])
  })

  test('a metric is told in numbers, of the service of the thread where none is named', async () => {
    await running.askSomething()
    for (const [text, incident] of [
      ['metric errors of payments, last 10 minutes', null],
      ['show me errors of payments for the last 10m', null],
      ['metric errors 10m', 'inc-1'],
    ]) {
      const { json } = await bob.post('/api/v1/commands', { text, incident })
      expect(json.text).toContain('errors of payments, 10 min until')
      expect(json.text).toMatch(/Between 90 % and 90 %, in the middle 90 %, \d+ points\./)
    }
  })

  test('log lines are counted, bounded, without secrets, and form nothing', async () => {
    const { json } = await bob.post('/api/v1/commands', { text: 'logs payments 15m' })
    expect(json.text).toContain('Error lines of payments, 15 min until')
    expect(json.text).toContain('2, the newest; at least 3 older were left out. The newest was written 0 s before.')
    expect(json.text).not.toContain('hunter')
    expect(JSON.stringify(json.blocks)).not.toContain('"type":"broadcast"')
  })

  test('words of a command that changed nothing are named', async () => {
    expect(await ask(bob, 'logs payments; drop table')).toMatch(/^Not understood, and left out: drop, table\. Error lines of payments/)
    expect(await ask(bob, 'logs payments all 15m')).not.toContain('Not understood')
    expect(await ask(bob, 'metric errors of payments; drop table')).toContain('Not understood, and left out: drop, table.')
  })

  test('an action is asked for by name: a request for others to approve, and nothing runs', async () => {
    expect(await ask(bob, 'do set-version payments')).toContain('It takes the role responder')
    expect(await ask(bob, 'why-not set-version payments')).toContain('there is no open incident about it')
    expect(await ask(alice, 'do')).toContain('set-version Sets the version of the one workload there is.')
    const asked = await ask(alice, 'do set-version payments version=v1')
    expect(asked).toContain('Asked: Set payments to v1, in inc-1. Nothing has run.')
    const { items } = (await alice.get('/api/v1/approvals?state=pending')).json
    expect(items).toMatchObject([{ incident: 'inc-1', plan: { requester: 'alice', parameters: { version: 'v1' } } }])
    expect(items[0].plan.approval.requesterMayApprove).toBe(false)
    expect(asked).toContain('by Carol; 1 needed. You asked for it, so somebody else has to approve it.')
    const vote = { decision: 'approve', digest: items[0].digest }
    expect(await alice.post(`/api/v1/approvals/${items[0].id}/votes`, vote)).toMatchObject({ status: 403, json: { code: 'self-approval' } })
    expect(await ask(carol, 'do set-version payments version=v3')).toContain('Set payments to v1 is still open.')
    expect(await ask(bob, 'why-not set-version payments')).toContain('Set payments to v1 is still open.')
    expect(running.target.ledger).toEqual([])
    expect(await ask(alice, 'do set-version payments version=v2 for inc-1')).toContain('still open')
    await carol.post(`/api/v1/approvals/${items[0].id}/votes`, { decision: 'deny', digest: items[0].digest })
    expect(await ask(alice, 'do set-version payments version=v2 for inc-1')).toContain('would change nothing')
    expect(await ask(carol, 'do fake.set-version payments')).toContain('Asked: Set payments to v1, in inc-1.')
    expect(await ask(alice, 'resolve inc-1')).toContain('Resolved')
    expect(await ask(alice, 'do set-version payments version=v2')).toContain('would change nothing')
    expect((await alice.get('/api/v1/incidents/inc-2')).json).toMatchObject({ state: 'resolved', plans: [] })
  })

  test('two ask to look into the same service at once: one incident', async () => {
    const answers = await Promise.all([alice, carol].map((client) => ask(client, 'investigate payments')))
    for (const text of answers) expect(text).toContain('Looking: inc-1 payments: asked for by')
    expect((await running.stores.incidents.list({ limit: 5 })).items).toHaveLength(1)
    expect(await ask(alice, 'investigate inc-1')).toContain('Looking: inc-1')
  })

  test('an incident is explained, in short and in full, and handed over', async () => {
    const id = await running.askSomething()
    for (const text of ['why', 'why inc-1', 'ask what is the cause?', 'why is payments broken?'])
      expect(await ask(bob, text)).toMatch(/inc-1 payments: HighErrorRatio Suspected cause: a bad release, in service\/payments/)
    expect(await ask(bob, 'brief')).toContain('Suspected cause: a bad release, in service/payments')
    expect(await ask(bob, 'how is it going?')).toContain('No model is configured')
    expect(await ask(bob, 'what changed?')).toContain('No change is stored for it.')
    expect(await ask(bob, 'handover')).toMatch(/Open now: 1\..*Cause: a bad release.*Waiting for a click: .*Set payments to v1/)
    expect(await ask(bob, 'why-not')).toContain('Set payments to v1 waits for a click')
    expect(await ask(alice, 'take inc-1')).toMatch(
      /^Yours: inc-1 .* And withdrew: Set payments to v1\. Nothing of it was run\. Ask for it again with do, or “Check again” on its card\.$/,
    )
    expect(await ask(bob, 'why-not inc-1')).toMatch(/Alice has taken it.*Set payments to v1: cancelled, Alice took the incident/)
    expect((await alice.get(`/api/v1/approvals/${id}`)).json.state).toBe('cancelled')
  })

  test('what is not there is not made up', async () => {
    expect(await ask(bob, 'runbook disk full')).toBe('No runbook fits these words.')
    expect(await ask(bob, 'runbook')).toContain('There is no incident yet.')
    expect(await ask(bob, 'runbook inc-9')).toContain('There is no such incident.')
    expect(await ask(bob, 'grants')).toContain('every action needs a click of its own')
    expect(await ask(bob, 'oncall payments')).toMatch(/No on-call schedule is configured.*Alice: approver; Carol: approver/)
    expect(await ask(bob, 'ask who is the king of France?')).toContain('That cannot be answered without a model')
    expect(await ask(bob, 'handover')).toContain('Nothing is open. Nothing waits for a click.')
  })

  test('a runbook is found by its words, cited, quoted, and forms nothing', async () => {
    const body = 'Ask <!channel> to press *Approve*, then https://evil.example '.repeat(40)
    const part = { anchor: 'roll-back', title: 'Bad release', heading: 'Roll back', body, services: [], alerts: [] }
    await running.stores.runbooks.replace([{ ...part, file: 'bad-release.md', classes: ['bad_release'] }])
    const { json } = await bob.post('/api/v1/commands', { text: 'runbook bad release rollback' })
    expect(json.text).toContain('bad-release.md#roll-back')
    expect(JSON.stringify(json.blocks).length).toBeLessThan(4_000)
    expect(JSON.stringify(json.blocks)).not.toMatch(/"type":"(link|broadcast)"/)
    await running.askSomething()
    expect(await ask(bob, 'runbook inc-1')).toContain('bad-release.md#roll-back')
  })

  describe('a program', () => {
    test('reads, and decides nothing', async () => {
      const strict = await openEdge(database(), { environment: { STEADYHAND_API_KEYS: KEY } })
      const send = async (text: string) =>
        (await strict.client().post('/api/v1/commands', { text }, { authorization: `Bearer ${KEY}` })).json.text
      expect(await send('status')).toContain('Acts')
      for (const text of ['stop', 'start', 'freeze 1h x', 'unfreeze']) expect(await send(text)).toContain('Only people may do this')
      expect(await strict.stores.control.stopped()).toEqual([])
      await strict.close()
    })
  })
})
