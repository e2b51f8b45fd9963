import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { alert } from '../../support/alerts.ts'
import { describeDatabases } from '../../support/database.ts'
import { openScene, wordsOf } from '../../support/edge/slack-edge.ts'

/** With eight at once and ten seconds each, more than a minute. */
const FLOOD = 60

describeDatabases('talking on Slack', (store) => {
  const database = store.perTest()

  test.each(['HTTP', 'Socket Mode'] as const)(
    'in %s: a command is answered to one person, a mention and a message below it',
    async (mode) => {
      const { slack, alice, bob, channel, told, message } = await openScene(database(), { mode })
      await alice.command('/sre', 'status', channel)
      await told(alice, 'No open incidents')
      expect(slack.posted(channel)).toEqual([])

      const asked = await bob.mention(channel, 'status')
      const answer = await message('No open incidents')
      expect(answer).toMatchObject({ threadTs: asked.ts, broadcast: false, ephemeralFor: null })

      await bob.dm('help')
      // What comes at once stands where it was asked for, as people write to each other.
      expect(await told(bob, 'What you can ask for here')).toMatchObject({ threadTs: null, stream: null })
      expect(slack.violations).toEqual([])
    },
  )

  test('a thread is about its incident, and what is asked for in words becomes a plan, not an action', async () => {
    const people = { needed: 1 }
    const { slack, running, alice, channel, message } = await openScene(database(), people)
    await running.askSomething(60)
    const card = await message('Sev ')
    await alice.mention(channel, 'why?', card)
    await message(/bad release|bad_release/)
    const [verb] = running.agent.actions().map((action) => action.verb)
    await alice.mention(channel, `${verb} payments to somewhere else`, card)
    await message('Say it exactly')
    expect(running.target.ledger).toEqual([])
    expect(slack.violations).toEqual([])
  })

  test('an answer that is too long for a message is there in full as a file below it, once', async () => {
    const { slack, running, alice, channel, message } = await openScene(database())
    const to = new Date(Date.now() + 3_600_000)
    const reasons = Array.from({ length: 15 }, (_, index) => `reason ${index}: ${'<!channel> & long '.repeat(15)}`.trim())
    for (const reason of reasons) await running.stores.control.freeze({ scope: '*', from: new Date(), to, reason, by: 'carol' })
    slack.faults.next('files.completeUploadExternal', { kind: 'lost' })
    const asked = await alice.mention(channel, 'status')
    const answer = await message('Shortened to fit here')
    expect(answer.threadTs).toBe(asked.ts)
    const files = () => slack.posted(channel).flatMap(({ threadTs, files }) => (threadTs === asked.ts ? files : []))
    await expect.poll(files, { timeout: 25_000 }).toHaveLength(1)
    const said = files()[0]?.content.toString() ?? ''
    for (const reason of reasons) expect(said).toContain(reason)
    const left = async (): Promise<number> =>
      (await sql`select from posting where wanted > shown and dead_at is null`.execute(database().db)).rows.length
    await expect.poll(left, { timeout: 25_000 }).toBe(0)
    expect(files()).toHaveLength(1)
    expect(slack.violations).toEqual([])
  })

  test('a command whose answer is lost is not run again', async () => {
    const { slack, running, carol, channel } = await openScene(database())
    slack.faults.next('chat.postEphemeral', { kind: 'http', status: 503 }, 100)
    await carol.command('/sre', 'freeze 2h closing', channel)
    const left = async (): Promise<number> => {
      const { rows } = await sql`select from job where kind like 'slack%' and finished_at is null`.execute(database().db)
      return rows.length
    }
    await expect.poll(left, { timeout: 25_000 }).toBe(0)
    expect(await running.agent.control.freezes()).toHaveLength(1)
    expect(running.lines.map(({ message }) => message)).toContain('somebody was not told what came of it')
  })

  test('while Slack does not say who somebody is, everything can be stopped, and nothing else be done', async () => {
    const { slack, running, carol, mallory, channel, told } = await openScene(database())
    slack.faults.next('users.info', { kind: 'http', status: 503 }, 1_000)
    await carol.command('/sre', 'incidents', channel)
    await told(carol, 'Slack could not be asked')
    await mallory.command('/sre', 'stop', channel)
    await told(mallory, 'not linked')
    expect(await running.agent.control.stopped()).toEqual([])
    await carol.command('/sre', 'stop', channel)
    await told(carol, 'Stopped')
    await carol.globalShortcut('freeze')
    await expect.poll(() => carol.modal(), { timeout: 20_000 }).not.toBeNull()
    await carol.submit({ 'For how long: 30m, 2h, 1d': '2h', Why: 'closing' })
    await told(carol, 'Frozen')
    expect(await running.agent.control.stopped()).toMatchObject([{ scope: '*', by: 'carol' }])
    await carol.globalShortcut('freeze')
    await expect.poll(() => carol.modal(), { timeout: 20_000 }).not.toBeNull()
    // What is no length is never read as what to freeze.
    await carol.submit({ 'For how long: 30m, 2h, 1d': 'env:local', Why: '1h closing' })
    await told(carol, 'is no length of time, so nothing was frozen')
    expect(await running.agent.control.freezes()).toHaveLength(1)
  })

  test('an answer that Slack is too busy for is told a little later', async () => {
    const { slack, carol, channel, told } = await openScene(database())
    slack.faults.next('chat.postEphemeral', { kind: 'ratelimited', retryAfter: 1 }, 2)
    await carol.command('/sre', 'status', channel)
    await told(carol, 'No open incidents')
  })

  test('a question below an answer is about the same incident, and what somebody writes beside a file is heard', async () => {
    const { slack, running, alice, carol, channel, message, told } = await openScene(database())
    await running.askSomething(60)
    await message('Approve?')
    const opened = { title: 'x', service: 'checkout', environment: 'local', severity: 1, severityReason: 'x', drillRun: null } as const
    await running.stores.incidents.absorb(alert({ key: 'b', service: 'checkout' }), null, () => ({ do: 'open', ...opened, reason: 'x' }))
    const asked = await alice.mention(channel, 'brief inc-1')
    const below = () => slack.posted(channel).filter(({ threadTs }) => threadTs === asked.ts)
    await expect.poll(() => below().length, { timeout: 25_000 }).toBe(1)
    await alice.mention(channel, 'brief', asked)
    await expect.poll(() => below().length, { timeout: 25_000 }).toBe(2)
    expect(below().map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Sev 1 · payments/),
      expect.stringMatching(/^Sev 1 · payments/),
    ])
    // A number alone names nothing.
    const other = await alice.mention(channel, 'help in the last 1 minutes')
    await alice.mention(channel, 'brief', other)
    const beside = () => slack.posted(channel).filter(({ threadTs }) => threadTs === other.ts)
    await expect.poll(() => beside().length, { timeout: 25_000 }).toBe(2)
    expect(beside()[1]?.text).not.toMatch(/^Sev 1 · payments/)
    await carol.dm('stop', { subtype: 'file_share' })
    await told(carol, 'Stopped')
  })

  test('a chart that answers better is uploaded below the answer, with its words', async () => {
    const { slack, alice, channel, message } = await openScene(database(), {
      environment: { STEADYHAND_PUBLIC_URL: 'https://sre.example' },
    })
    const asked = await alice.mention(channel, 'metric errors of payments, last 10 minutes')
    const answer = await message(/in the middle .* points/)
    expect([answer.threadTs, JSON.stringify(answer.blocks).includes('image_url')]).toEqual([asked.ts, false])
    const files = () => slack.posted(channel).flatMap(({ threadTs, files }) => (threadTs === asked.ts ? files : []))
    await expect
      .poll(files, { timeout: 25_000 })
      .toMatchObject([{ name: expect.stringMatching(/\.png$/), altText: expect.stringContaining('payments') }])
    expect(slack.violations).toEqual([])
  })

  test('everything can be stopped by what comes late, and nothing else be done by it', async () => {
    const { slack, running, carol, channel, told } = await openScene(database())
    const long = new Date(Date.now() - 3_600_000)
    const late = async (body: object): Promise<void> => {
      const { id } = await running.stores.inbox.accept({
        ...{ source: 'slack', deliveryKey: `late-${Math.random()}`, headers: {} },
        body: Buffer.from(JSON.stringify(body)),
      })
      await sql`update inbox set received_at = ${long} where id = ${id}`.execute(database().db)
      await sql`insert into job (kind, payload) values ('slack', ${JSON.stringify({ inboxId: id })}::jsonb)`.execute(database().db)
    }
    const { payload } = await carol.command('/sre', 'status', channel)
    await told(carol, 'No open incidents')
    await late({ ...payload, text: 'freeze 2h closing' })
    await told(carol, 'came too late')
    expect(await running.agent.control.freezes()).toEqual([])
    // Slack sends an event again for an hour: what counts is when it was said.
    const mention = { type: 'event_callback', team_id: slack.teamId, event_id: 'Ev-late' }
    const said = { type: 'app_mention', user: carol.id, channel: channel.id, ts: `${Math.floor(long.getTime() / 1_000)}.000100` }
    await running.agent.control.freeze({ scope: '*', from: null, to: new Date(Date.now() + 3_600_000), reason: 'closing', by: 'alice' })
    const { id } = await running.stores.inbox.accept({
      ...{ source: 'slack', deliveryKey: 'late-event', headers: {} },
      body: Buffer.from(JSON.stringify({ ...mention, event: { ...said, text: `<@${slack.botUser}> unfreeze` } })),
    })
    const before = channel.messages.length
    await sql`insert into job (kind, payload) values ('slack', ${JSON.stringify({ inboxId: id })}::jsonb)`.execute(database().db)
    await expect
      .poll(() => JSON.stringify(channel.messages.slice(before).filter(({ ephemeralFor }) => ephemeralFor === carol.id)), {
        timeout: 20_000,
      })
      .toContain('came too late')
    expect(await running.agent.control.freezes()).toHaveLength(1)
    await late({ ...payload, text: 'stop' })
    await told(carol, 'Stopped')
    expect(await running.agent.control.stopped()).toMatchObject([{ scope: '*', by: 'carol' }])
    await carol.globalShortcut('stop')
    await expect.poll(() => carol.modal(), { timeout: 20_000 }).not.toBeNull()
    const form = await carol.submit()
    const answered = (): number => slack.directMessages(carol).messages.length
    await expect.poll(answered, { timeout: 20_000 }).toBeGreaterThan(0)
    const heard = answered()
    await late({ ...form.payload, again: true })
    await expect.poll(answered, { timeout: 20_000 }).toBeGreaterThan(heard)
    expect(JSON.stringify(slack.directMessages(carol).messages)).not.toContain('too late')
  })

  test('a flood of questions that Slack does not answer holds up neither a click nor a stop', async () => {
    const { slack, running, alice, bob, carol, channel, told, message } = await openScene(database(), { needed: 2 })
    await running.askSomething(60)
    const asked = await message('Approve?')
    for (const person of [alice, carol]) await person.command('/sre', 'status', channel)
    for (const person of [alice, carol]) await told(person, 'inc-1')
    slack.faults.next('users.info', { kind: 'stall' }, 1_000)
    // Each waits until its call is given up: one after another they would take much longer than the click is waited for.
    for (let question = 0; question < FLOOD; question += 1) await bob.mention(channel, `status ${question}`)
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, '1 of 2 approved so far')
    await carol.command('/sre', 'stop', channel)
    await told(carol, 'Stopped')
    slack.faults.down()
    slack.faults.release()
  })

  test('who is linked to nobody is told how to be, and learns nothing', async () => {
    const { slack, mallory, channel, told } = await openScene(database())
    for (const act of [
      async () => void (await mallory.command('/sre', 'incidents', channel)),
      async () => void (await mallory.mention(channel, 'incidents')),
    ]) {
      const before = channel.messages.length
      await act()
      await expect
        .poll(() => channel.messages.slice(before).filter(({ ephemeralFor }) => ephemeralFor === mallory.id).length, { timeout: 20_000 })
        .toBe(1)
    }
    expect(wordsOf(await told(mallory, 'not linked'))).toContain(mallory.id)
    await mallory.openHome()
    await expect.poll(() => JSON.stringify(mallory.home()?.view ?? null), { timeout: 20_000 }).toContain('not linked')
    expect(slack.posted(channel)).toEqual([])
  })

  test('the home page says what waits for whom', async () => {
    const { slack, running, alice, bob, message } = await openScene(database())
    await running.askSomething(60)
    await message('Approve?')
    const home = async (person: typeof alice): Promise<string> => {
      await person.openHome()
      await expect.poll(() => person.home(), { timeout: 20_000 }).not.toBeNull()
      return JSON.stringify(person.home()?.view)
    }
    expect(await home(alice)).toMatch(/Waiting for you.*payments.*Open incidents.*inc-1/)
    expect(await home(bob)).toMatch(/Nothing waits for you/)
    expect(slack.violations).toEqual([])
  })

  test('a message of another bot is investigated, and everything can be stopped from anywhere', async () => {
    const { slack, running, carol, channel, told } = await openScene(database())
    const alert = await slack.post(channel, { by: slack.person('grafana', 'bot'), text: 'FIRING: latency of payments is high' })
    await carol.messageShortcut('investigate_message', alert)
    await told(carol, 'Looking')
    await carol.globalShortcut('stop')
    await expect.poll(() => carol.modal(), { timeout: 20_000 }).not.toBeNull()
    await carol.submit()
    await told(carol, 'Stopped')
    expect(await running.agent.control.stopped()).toMatchObject([{ scope: '*', by: 'carol' }])
    expect(slack.violations).toEqual([])
  })
})
