import { expect, test } from 'vitest'
import { startSlack } from './harness.ts'
import { addMessage } from './world.ts'

test('a page shows a channel as one person sees it, and nothing in it becomes markup', async () => {
  const slack = await startSlack()
  const [alice, bob] = [slack.person('alice'), slack.person('bob')]
  const channel = slack.channel('incidents', [alice, bob])
  const hostile = '<script>alert(1)</script> <https://evil.example|Approve> &lt;!channel&gt;'
  const root = await alice.say(channel, `*Look* <@${bob.id}>`)
  const blocks = [
    { type: 'section', text: { type: 'plain_text', text: hostile } },
    { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Approve' }, action_id: 'approve' }] },
    { type: 'poem' },
  ]
  addMessage(slack.world, { channel: channel.id, user: slack.botUser, text: 'card', blocks, threadTs: root.ts })
  addMessage(slack.world, { channel: channel.id, user: slack.botUser, text: 'for Bob alone', ephemeralFor: bob.id })
  const [forAlice, forBob] = [slack.renderChannel(channel, { viewer: alice }), slack.renderChannel(channel, { viewer: bob })]
  expect(forAlice).toContain('<b>Look</b> <span class="mention">@bob</span>')
  expect(forAlice).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &lt;https://evil.example|Approve&gt;')
  expect(forAlice).toContain('>Approve</button>')
  expect(forAlice).toContain('[poem]')
  expect(forAlice).not.toContain('for Bob alone')
  expect(forBob).toContain('Only visible to bob')
})
