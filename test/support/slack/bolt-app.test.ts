import type { App } from '@slack/bolt'
import { describe, expect, test } from 'vitest'
import { isAcknowledged } from './delivery.ts'
import { startHttpApp, startSlack, startSocketApp } from './harness.ts'
import type { SlackServer } from './server.ts'

const approveCard = (text: string) => [
  { type: 'section' as const, text: { type: 'mrkdwn' as const, text } },
  {
    type: 'actions' as const,
    block_id: 'vote',
    elements: [
      { type: 'button' as const, text: { type: 'plain_text' as const, text: 'Approve' }, action_id: 'approve', value: 'req-1' },
      { type: 'button' as const, text: { type: 'plain_text' as const, text: 'Deny' }, action_id: 'deny', value: 'req-1' },
      {
        type: 'overflow' as const,
        action_id: 'more',
        options: [{ text: { type: 'plain_text' as const, text: 'Ask' }, value: 'ask req-1' }],
      },
    ],
  },
]

const reasonModal = {
  type: 'modal' as const,
  callback_id: 'reason',
  title: { type: 'plain_text' as const, text: 'Why not?' },
  submit: { type: 'plain_text' as const, text: 'Deny' },
  blocks: [
    {
      type: 'input' as const,
      block_id: 'reason',
      label: { type: 'plain_text' as const, text: 'Reason' },
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    },
  ],
}

/** An app that does one of everything. */
function listen(app: App, heard: string[]): void {
  app.event('app_mention', async ({ event, say }) => {
    await say({ text: `heard ${event.text.replace(/<@\w+> /, '')}`, thread_ts: event.ts })
  })
  app.message(async ({ message, say }) => {
    if (message.channel_type === 'im' && 'text' in message) await say(`you said ${message.text}`)
  })
  app.action('approve', async ({ ack, body, respond }) => {
    await ack()
    heard.push(`approve by ${body.user.id}`)
    await respond({ text: 'Only you see this', response_type: 'ephemeral', replace_original: false })
  })
  app.action('deny', async ({ ack, body, client }) => {
    await ack()
    if ('trigger_id' in body) await client.views.open({ trigger_id: body.trigger_id, view: reasonModal })
  })
  app.action('more', async ({ ack, action }) => {
    await ack()
    if (action.type === 'overflow') heard.push(action.selected_option.value)
  })
  app.view('reason', async ({ ack, view }) => {
    const reason = view.state.values['reason']?.['text']?.value ?? ''
    if (reason.length < 3) return await ack({ response_action: 'errors', errors: { reason: 'Say more.' } })
    await ack()
    heard.push(`denied: ${reason}`)
  })
  app.command('/sre', async ({ ack, command }) => await ack(`answer to ${command.text}`))
  app.shortcut('freeze', async ({ ack, shortcut }) => {
    await ack()
    heard.push(shortcut.type)
  })
  app.shortcut('investigate', async ({ ack, shortcut }) => {
    await ack()
    if (shortcut.type === 'message_action') heard.push(`investigate ${shortcut.message.text}`)
  })
  app.event('app_home_opened', async ({ event, client }) => {
    const blocks = [{ type: 'section' as const, text: { type: 'plain_text' as const, text: 'Nothing is open.' } }]
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } })
  })
}

describe.each([
  { mode: 'HTTP', start: startHttpApp },
  { mode: 'Socket Mode', start: startSocketApp },
])('an app of Bolt over $mode', ({ start }) => {
  const arrange = async () => {
    const slack = await startSlack()
    const heard: string[] = []
    const app = await start(slack)
    listen(app, heard)
    const [alice, bob] = [slack.person('alice'), slack.person('bob')]
    return { slack, app, heard, alice, bob, channel: slack.channel('incidents', [alice, bob]) }
  }
  const settled = async (slack: SlackServer, count: () => number, wanted: number): Promise<void> => {
    await expect.poll(count, { timeout: 20_000 }).toBe(wanted)
    await slack.idle()
  }

  test('hears a mention and answers in its thread', async () => {
    const { slack, alice, channel } = await arrange()
    const asked = await alice.mention(channel, 'what is on?')
    await settled(slack, () => alice.sees(channel, asked).length, 2)
    expect(alice.sees(channel, asked).map(({ text }) => text)).toEqual([`<@${slack.botUser}> what is on?`, 'heard what is on?'])
    expect(slack.violations).toEqual([])
  })

  test('hears direct messages, and its own do not start a loop', async () => {
    const { slack, alice } = await arrange()
    await alice.dm('hello')
    await settled(slack, () => alice.sees(slack.directMessages(alice)).length, 2)
    expect(alice.sees(slack.directMessages(alice)).at(-1)?.text).toBe('you said hello')
  })

  test('a click, a menu entry, a modal with errors, then without', async () => {
    const { slack, app, heard, alice, bob, channel } = await arrange()
    await app.client.chat.postMessage({ channel: channel.id, text: 'Roll back?', blocks: approveCard('Roll back?') })
    const [card] = slack.posted(channel)
    if (card === undefined) throw new Error('no card')
    expect(isAcknowledged(await alice.click(card, 'Approve'))).toBe(true)
    await settled(slack, () => alice.sees(channel).length, 2)
    expect(bob.sees(channel)).toHaveLength(1)
    await bob.click(card, 'Ask')
    await bob.click(card, 'Deny')
    await expect.poll(() => bob.modal() !== null, { timeout: 20_000 }).toBe(true)
    await bob.submit({ Reason: 'no' })
    expect(bob.modal()?.errors).toEqual({ reason: 'Say more.' })
    await bob.submit({ Reason: 'not now' })
    expect(bob.modal()).toBeNull()
    expect(heard).toEqual([`approve by ${alice.id}`, 'ask req-1', 'denied: not now'])
    await expect(bob.click(card, 'Approved')).rejects.toThrow('there is no Approved here, only Approve, Deny, Ask')
    expect(slack.violations).toEqual([])
  })

  test('commands, shortcuts and the home tab', async () => {
    const { slack, heard, alice, bob, channel } = await arrange()
    await alice.command('/sre', 'status', channel)
    expect(alice.sees(channel).map(({ text }) => text)).toEqual(['answer to status'])
    expect(bob.sees(channel)).toEqual([])
    await alice.globalShortcut('freeze')
    const alert = await slack.post(channel, { by: slack.person('alertmanager', 'bot'), text: 'Latency is high' })
    await alice.messageShortcut('investigate', alert)
    expect(heard).toEqual(['shortcut', 'investigate Latency is high'])
    await alice.openHome()
    await expect.poll(() => alice.home()?.view['type'], { timeout: 20_000 }).toBe('home')
    expect(slack.violations).toEqual([])
  })
})

test('an app in Socket Mode connects anew when it is asked to', async () => {
  const slack = await startSlack()
  const app = await startSocketApp(slack)
  const heard: string[] = []
  listen(app, heard)
  const alice = slack.person('alice')
  expect(slack.sockets.count()).toBe(1)
  slack.sockets.refresh()
  await expect.poll(() => slack.sockets.opened(), { timeout: 25_000 }).toBe(2)
  await expect.poll(() => slack.sockets.count(), { timeout: 20_000 }).toBe(1)
  await alice.globalShortcut('freeze')
  expect(heard).toEqual(['shortcut'])
})
