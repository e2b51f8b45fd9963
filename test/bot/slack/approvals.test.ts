import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { openScene, type SlackScene, wordsOf } from '../../support/edge/slack-edge.ts'
import { isJson, type Json, jsons } from '../../support/slack/json.ts'
import type { Role, SlackMessage } from '../../support/slack/world.ts'

describeDatabases('an approval on Slack', (store) => {
  const database = store.perTest()
  const votes = async (): Promise<string[]> => {
    const { rows } = await sql<{ who: string }>`
      select principal_id || ' ' || decision || ' ' || surface as who from vote order by at`.execute(database().db)
    return rows.map(({ who }) => who)
  }
  /** A delivery as somebody who can write rows would make it. */
  const stored = async (row: { source: string; state: string; body: Json; receivedAt?: Date }): Promise<number> => {
    const { source, state, body, receivedAt = new Date() } = row
    const { rows } = await sql<{ id: number }>`
      insert into inbox (source, delivery_key, body, received_at, state, processed_at)
      values (${source}, ${`${state}-${Math.random()}`}, ${Buffer.from(JSON.stringify(body))}, ${receivedAt}, ${state},
        ${state === 'received' ? null : new Date()}) returning id`.execute(database().db)
    return Number(rows[0]?.id)
  }
  /** Lets the work for Slack have it, and waits for the end of that. */
  const worked = async (inboxId: number): Promise<void> => {
    const { rows } = await sql<{ id: number }>`
      insert into job (kind, payload) values ('slack', ${JSON.stringify({ inboxId })}::jsonb) returning id`.execute(database().db)
    const isDone = async (): Promise<boolean> => {
      const found = await sql`select from job where id = ${rows[0]?.id} and finished_at is not null`.execute(database().db)
      return found.rows.length === 1
    }
    await expect.poll(isDone, { timeout: 25_000 }).toBe(true)
  }
  const ask = async (scene: SlackScene): Promise<SlackMessage> => {
    await scene.running.askSomething(60)
    return await scene.message('Approve?')
  }

  /** The body of a click that Alice made, as if Carol had made it. */
  const clickAsCarol = async (scene: SlackScene): Promise<Json> => {
    const { slack, alice, carol, told } = scene
    await alice.click(await ask(scene), 'Approve', { confirm: true })
    await told(alice, '1 of 2 approved so far')
    const click = slack.deliveries.findLast(({ payload }) => payload['type'] === 'block_actions')
    return { ...click?.payload, user: { id: carol.id, team_id: slack.teamId } }
  }

  test.each(['HTTP', 'Socket Mode'] as const)('in %s: Bob is refused, Alice approves, and it is carried out once', async (mode) => {
    const scene = await openScene(database(), { mode })
    const { slack, running, channel, alice, bob, message, told, says } = scene
    const asked = await ask(scene)
    const card = await message('Sev ')
    expect(asked).toMatchObject({ threadTs: card.ts, broadcast: true })
    expect(asked.text).toMatch(/payments.*Decide until \d\d:\d\d:\d\d UTC/)
    expect(wordsOf(asked)).toContain(alice.id)
    expect(wordsOf(asked)).not.toContain(bob.id)

    await bob.click(asked, 'Approve', { confirm: true })
    await told(bob, /You do not hold the role.*Who may: Alice, Carol/)
    const { items } = await running.agent.audit.entries({ limit: 5 })
    expect(items[0]).toMatchObject({
      actor: 'bob',
      what: 'refused_attempt-written',
      body: { facts: { what: 'vote', code: 'not-authorised' } },
    })
    expect(await votes()).toEqual([])

    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, 'Recorded: you approved')
    await says(asked, 'Verified')
    expect(await votes()).toEqual(['alice approve slack'])
    expect(running.target.ledger).toHaveLength(1)
    expect(buttonsOf(asked)).toEqual([])
    const outcome = (): boolean =>
      slack.posted(channel).some((each) => each !== asked && each.text.startsWith('Verified') && each.broadcast)
    await expect.poll(outcome, { timeout: 25_000 }).toBe(true)
    const inChannel = slack.posted(channel).filter(({ threadTs }) => threadTs === null)
    expect(inChannel).toEqual([card])
    expect(slack.violations).toEqual([])
  })

  test('is denied with a reason, which everybody sees, and no button is left', async () => {
    const scene = await openScene(database())
    const { slack, alice, told, says } = scene
    const asked = await ask(scene)
    await alice.click(asked, 'Deny')
    await expect.poll(() => alice.modal(), { timeout: 20_000 }).not.toBeNull()
    await alice.submit({ 'Why (everybody sees it)': 'the release is <!channel> fine' })
    await told(alice, 'Recorded: you denied')
    await says(asked, 'Denied')
    await says(asked, 'the release is <!channel> fine')
    expect(await votes()).toEqual(['alice deny slack'])
    expect(buttonsOf(asked)).toEqual([])
    expect(slack.violations).toEqual([])
  })

  test('that has to be typed takes the exact words, and two people', async () => {
    const scene = await openScene(database(), { typed: true, needed: 2 })
    const { slack, alice, carol, told, says, running } = scene
    const asked = await ask(scene)
    const typed = async (person: typeof alice, words: string): Promise<void> => {
      await person.click(asked, 'Approve')
      await expect.poll(() => person.modal(), { timeout: 20_000 }).not.toBeNull()
      await person.submit({ Confirmation: words })
    }
    const [approval] = (await running.agent.approvals({ state: 'pending', limit: 1 })).items
    const confirm = approval?.plan.approval.confirm ?? ''
    expect(confirm).not.toBe('')
    await typed(alice, 'something else')
    await told(alice, 'needs the confirmation text typed exactly')
    expect(await votes()).toEqual([])
    await typed(alice, confirm)
    await told(alice, '1 of 2 approved so far')
    await says(asked, '1 of 2 approved')
    await typed(carol, confirm)
    await told(carol, 'It runs now, once')
    await says(asked, 'Verified')
    expect(await votes()).toEqual(['alice approve slack', 'carol approve slack'])
    expect(slack.violations).toEqual([])
  })

  test('counts nothing from a card that was copied, a value that was changed, or a click that came before', async () => {
    const scene = await openScene(database(), { needed: 2 })
    const { slack, channel, alice, told } = scene
    const asked = await ask(scene)
    const copy = await slack.post(channel, { by: slack.person('forwarder', 'bot'), text: 'copied', blocks: asked.blocks })
    await alice.click(copy, 'Approve', { confirm: true })
    await told(alice, 'does not belong to the place')
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, '1 of 2 approved so far')
    const [click] = slack.deliveries.filter(({ payload }) => isJson(payload['message']) && payload['message']['ts'] === asked.ts)
    if (!click) throw new Error('no click was delivered')
    const [action] = jsons(click.payload['actions'])
    const values = String(action?.['value']).split(' ')
    const forged = [
      values.with(0, 'x'.repeat(24)),
      values.with(1, '0'.repeat(64)),
      values.with(2, '00000000-0000-4000-8000-000000000000'),
      ['nothing'],
    ].map((value) => ({ ...click.payload, actions: [{ ...action, value: value.join(' '), action_ts: '9.9' }] }))
    for (const payload of [...forged, click.payload]) expect((await slack.interaction(payload)).status).toBe(200)
    await alice.command('/sre', 'who-may', channel)
    await told(alice, 'Who may decide')
    expect(await votes()).toEqual(['alice approve slack'])
  })

  test('pressed again by whoever decided it, here or in the console, is answered with when that was and not as a refusal', async () => {
    const scene = await openScene(database())
    const { slack, running, alice, carol, told, says } = scene
    const asked = await ask(scene)
    await alice.click(asked, 'Approve', { confirm: true })
    await says(asked, 'Verified')
    // The card was on her screen as it was, in both places.
    const click = slack.deliveries.findLast(({ payload }) => payload['type'] === 'block_actions')?.payload ?? {}
    const [action = {}] = jsons(click['actions'])
    expect((await slack.interaction({ ...click, actions: [{ ...action, action_ts: '9.9' }] })).status).toBe(200)
    const words = /^You approved this at \d\d:\d\d UTC\.$/
    expect((await told(alice, 'You approved this')).text).toMatch(words)
    const { items } = await running.agent.approvals({ limit: 1 })
    const body = { decision: 'approve', digest: items[0]?.digest }
    const again = await (await running.as('alice')).post(`/api/v1/approvals/${items[0]?.id}/votes`, body)
    expect(again).toMatchObject({ status: 409, json: { code: 'already-voted', detail: expect.stringMatching(words) } })
    await slack.interaction({ ...click, user: { id: carol.id, team_id: slack.teamId }, actions: [{ ...action, action_ts: '9.8' }] })
    await told(carol, 'This was already decided')
    expect(await votes()).toEqual(['alice approve slack'])
    expect(running.target.ledger).toHaveLength(1)
  })

  test('is not what became of it once somebody else denied it: that is what they have to know', async () => {
    const scene = await openScene(database(), { needed: 2 })
    const { slack, running, alice, told } = scene
    const asked = await ask(scene)
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, '1 of 2 approved so far')
    const click = slack.deliveries.findLast(({ payload }) => payload['type'] === 'block_actions')?.payload ?? {}
    const { items } = await running.agent.approvals({ limit: 1 })
    const denied = { decision: 'deny', digest: items[0]?.digest }
    expect((await (await running.as('carol')).post(`/api/v1/approvals/${items[0]?.id}/votes`, denied)).status).toBe(200)
    const [action = {}] = jsons(click['actions'])
    await slack.interaction({ ...click, actions: [{ ...action, action_ts: '9.9' }] })
    await told(alice, 'This was already decided')
  })

  test('counts nothing of a row that Slack did not send, or that was dealt with before', async () => {
    const scene = await openScene(database(), { needed: 2 })
    const forged = await clickAsCarol(scene)
    const rows = [
      { source: 'alertmanager', state: 'received' },
      { source: 'slack', state: 'processed' },
      { source: 'slack', state: 'rejected' },
    ]
    for (const row of rows) await worked(await stored({ ...row, body: forged }))
    expect(await votes()).toEqual(['alice approve slack'])
    // The same bytes count once they stand where only what is signed is put.
    await worked(await stored({ source: 'slack', state: 'received', body: forged }))
    expect(await votes()).toEqual(['alice approve slack', 'carol approve slack'])
  })

  test('counts no click that waited for minutes, and says so to whoever made it', async () => {
    const scene = await openScene(database(), { needed: 2 })
    const { slack, carol, told } = scene
    const body = await clickAsCarol(scene)
    await worked(await stored({ source: 'slack', state: 'received', body, receivedAt: new Date(Date.now() - 180_000) }))
    await told(carol, 'too late')
    // Nobody need be told: whoever it was, it is over.
    slack.faults.next('chat.postEphemeral', { kind: 'http', status: 503 })
    await worked(await stored({ source: 'slack', state: 'received', body, receivedAt: new Date(Date.now() - 180_000) }))
    expect(await votes()).toEqual(['alice approve slack'])
  })

  test('that could not be dealt with is given up: whoever did it is told, and the console says so', async () => {
    const scene = await openScene(database())
    const { slack, running, mallory, channel, told } = scene
    const typed = await mallory.command('/sre', 'incidents', channel)
    await told(mallory, 'not linked')
    // As often as it is tried.
    slack.faults.next('chat.postEphemeral', { kind: 'http', status: 503 }, 3)
    const inboxId = await stored({ source: 'slack', state: 'received', body: typed.payload })
    await sql`insert into job (kind, payload, max_attempts) values ('slack', ${JSON.stringify({ inboxId })}::jsonb, 1)`.execute(
      database().db,
    )
    await told(mallory, 'Something went wrong here')
    expect(await running.stores.inbox.get(inboxId)).toMatchObject({ state: 'failed', error: expect.stringContaining('503') })
    const alice = await running.as('alice')
    const said = async (): Promise<string[]> => (await alice.get('/api/v1/messages')).json.items.map(({ text }: { text: string }) => text)
    await expect
      .poll(said, { timeout: 25_000 })
      .toContainEqual(expect.stringContaining(`what somebody did in a chat (delivery ${inboxId}) came to nothing`))
  })

  test.each<[Role, RegExp]>([
    ['guest', /Guests/],
    ['single-channel-guest', /Guests/],
    ['deactivated', /deactivated/],
    ['bot', /Only people may do this/],
    ['stranger', /another/],
  ])('is not decided by a linked account that is a %s now', async (role, words) => {
    const scene = await openScene(database())
    const { slack, alice, told } = scene
    const asked = await ask(scene)
    alice.user.role = role
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, words)
    expect(await votes()).toEqual([])
    expect(slack.violations).toEqual([])
  })

  test('is not decided by who is not linked, nor while Slack does not say who somebody is', async () => {
    const scene = await openScene(database())
    const { slack, alice, mallory, told } = scene
    const asked = await ask(scene)
    await mallory.click(asked, 'Approve', { confirm: true })
    await told(mallory, new RegExp(`not linked.*tenant ${slack.teamId}, id ${mallory.id}`))
    slack.faults.next('users.info', { kind: 'http', status: 503 }, 9)
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, 'Slack could not be asked')
    expect(await votes()).toEqual([])
  })
})

function buttonsOf({ blocks }: SlackMessage): Json[] {
  return blocks.filter(({ type }) => type === 'actions').flatMap(({ elements }) => jsons(elements))
}
