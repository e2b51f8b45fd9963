import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { openScene } from '../../support/edge/slack-edge.ts'

describeDatabases('POST /slack/events', (store) => {
  const database = store.perTest()
  const stored = async (): Promise<number> =>
    (await sql<{ n: number }>`select count(*)::int as n from inbox where source = 'slack'`.execute(database().db)).rows[0]?.n ?? -1

  test('takes what is signed now, once, and nothing else', async () => {
    const { slack, alice, channel } = await openScene(database())
    const delivery = await alice.command('/sre', 'help', channel)
    expect(delivery).toMatchObject({ status: 200, body: null })
    expect(await stored()).toBe(1)
    const { body } = slack.encode('command', delivery.payload)
    const now = Math.floor(Date.now() / 1_000)
    const refused = [
      { body, secret: 'another' },
      { body, timestamp: now - 302 },
      { body, timestamp: now + 302 },
      { body, headers: { 'x-slack-signature': undefined } },
      { body, headers: { 'x-slack-request-timestamp': undefined } },
      { body, headers: { 'x-slack-request-timestamp': `${now}, ${now}` } },
    ]
    for (const request of refused) expect((await slack.forge(request)).status).toBe(401)
    expect((await slack.forge({ body: 'x'.repeat(300_000) })).status).toBe(413)
    expect((await slack.forge({ body, contentType: 'text/plain' })).status).toBe(415)
    expect((await slack.forge({ body: '{', contentType: 'application/json' })).status).toBe(400)
    expect((await slack.forge({ body })).status).toBe(200)
    expect((await slack.forge({ body: '{"type":"url_verification","challenge":"abc"}', contentType: 'application/json' })).body).toEqual({
      challenge: 'abc',
    })
    expect((await slack.forge({ body: 'ssl_check=1' })).status).toBe(200)
    expect(await stored()).toBe(1)
    const other = body.replace('help', 'status')
    expect((await slack.forge({ body: other })).status).toBe(200)
    expect(await stored()).toBe(2)
  })

  test('says in the log where something has another shape than it should, and nothing of what it says', async () => {
    const { slack, alice, channel, running } = await openScene(database())
    const user = { id: alice.id, team_id: slack.teamId }
    const [type, secret] = ['block_actions', 'words that somebody typed']
    const actions = [{ action_id: secret, value: secret, block_id: 'b', type: 'button' }]
    const unknown = { type, user, team: null, channel: { id: channel.id }, container: { message_ts: '1.1' }, actions }
    const view = { id: 'V1', callback_id: secret, private_metadata: secret, state: { values: {} } }
    for (const payload of [{ type, user: secret, actions: [{ action_id: secret }] }, unknown, { type: 'view_submission', user, view }])
      expect((await slack.interaction(payload)).status).toBe(200)
    const said = (): object[] => running.lines.filter(({ object }) => 'paths' in object).map(({ object }) => object)
    await expect.poll(said, { timeout: 25_000 }).toHaveLength(3)
    expect(said()).toEqual(
      expect.arrayContaining([
        { kind: 'click', paths: ['user'] },
        { kind: 'click', paths: ['actions'] },
        { kind: 'form', paths: ['view'] },
      ]),
    )
    expect(JSON.stringify(running.lines)).not.toContain(secret)
  })

  test('with an app named takes what that app sends only', async () => {
    const { slack, alice, channel } = await openScene(database(), { appId: 'A0OTHER' })
    expect((await alice.command('/sre', 'help', channel)).status).toBe(403)
    const named = { type: 'shortcut', api_app_id: slack.appId, user: { id: alice.id }, callback_id: 'stop' }
    expect((await slack.interaction(named)).status).toBe(403)
    expect(await stored()).toBe(0)
    // Slack puts no app into a shortcut.
    expect((await alice.globalShortcut('stop')).status).toBe(200)
    expect(await stored()).toBe(1)
    expect(slack.calls.filter(({ method }) => method === 'chat.postEphemeral')).toEqual([])
  })
})
