import { expect, onTestFinished, test } from 'vitest'
import { createCardLinks } from '../../../bot/slack/card-links.ts'
import type { StoredPosting } from '../../../bot/slack/postings.ts'
import { createSlackWeb } from '../../../bot/slack/web-client.ts'
import { startSlackServer } from '../../support/slack/server.ts'

const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

test('an address is asked for once, and one that Slack does not say once a minute', async () => {
  const slack = await startSlackServer()
  onTestFinished(() => slack.close())
  const channel = slack.channel('incidents', [])
  const web = createSlackWeb({ token: slack.botToken, apiUrl: slack.apiUrl, log: SILENT })
  const message = await web.post({ channel: channel.id, thread: null, broadcast: false, name: 'a', text: 'a card', blocks: [] })
  const card = { place: channel.id, message } as StoredPosting
  let time = 0
  const linkOf = createCardLinks({ postings: { find: async () => card }, web, now: () => new Date(time), log: SILENT })
  const asked = (): number => slack.calls.filter(({ method }) => method === 'chat.getPermalink').length

  slack.faults.next('chat.getPermalink', { kind: 'http', status: 503 })
  expect(await linkOf('inc-1')).toBeNull()
  time = 59_999
  expect(await linkOf('inc-1')).toBeNull()
  expect(asked()).toBe(1)
  time = 60_000
  const link = await linkOf('inc-1')
  expect(link).toContain(`p${message.replace('.', '')}`)
  time = 1e9
  expect(await linkOf('inc-1')).toBe(link)
  expect(asked()).toBe(2)
})
