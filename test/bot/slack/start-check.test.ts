import { describe, expect, onTestFinished, test } from 'vitest'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import { loadConfig } from '../../../bot/config.ts'
import manifest from '../../../bot/slack/manifest.json' with { type: 'json' }
import { examineSlack } from '../../../bot/slack/slack.ts'
import { SCOPES } from '../../../bot/slack/start-check.ts'
import { type SlackServer, startSlackServer, USUAL_SCOPES } from '../../support/slack/server.ts'

const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

async function open(scopes: readonly string[] = USUAL_SCOPES): Promise<SlackServer> {
  const slack = await startSlackServer({ scopes })
  onTestFinished(() => slack.close())
  return slack
}

async function examine(slack: SlackServer, channel: string, teams: readonly Workspace[] = [], token?: string): Promise<string[]> {
  const { apiUrl, botToken, appToken } = slack
  const { slack: settings } = loadConfig({ SLACK_API_URL: apiUrl, SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: 'x' }, '/nonexistent')
  const results = await examineSlack({ ...settings, botToken, ...(token === undefined ? {} : { appToken: token }), channel }, teams, SILENT)
  return results.map(({ name, status, words, fix }) => `${status} ${name}: ${words}${fix === null ? '' : ` → ${fix}`}`)
}

describe('before anything is posted', () => {
  test('all is well', async () => {
    const slack = await open()
    expect(await examine(slack, slack.channel('incidents', []).id)).toEqual([
      expect.stringMatching(/^ok Slack: bot of .*Socket Mode and POST \/slack\/events$/),
      expect.stringMatching(/^ok Slack channel: #incidents/),
    ])
  })

  test('a way in that opens none, and the channel of a team, are looked at too', async () => {
    const slack = await open()
    const [incidents, payments] = [slack.channel('incidents', []).id, slack.channel('payments', [], { withApp: false }).id]
    const team = { name: 'payments', services: ['payments'], environments: null, data: [], people: [], keys: [], channels: [payments] }
    expect(await examine(slack, incidents, [team], 'xapp-1-WRONG')).toEqual([
      expect.stringMatching(/^ok Slack: /),
      expect.stringMatching(/^failed Slack Socket Mode: what is pressed or typed on Slack reaches nobody: it says .*→ .*connections:write/),
      expect.stringMatching(/^ok Slack channel: #incidents/),
      expect.stringMatching(/^failed Slack channel: the bot is not in #payments/),
    ])
  })

  test('what everything works without is a warning', async () => {
    const slack = await open(USUAL_SCOPES.filter((scope) => scope !== 'assistant:write'))
    const found = await examine(slack, slack.channel('incidents', []).id)
    expect(found[1]).toMatch(/^warning Slack scopes: missing: assistant:write .*install it again/)
  })

  test('each thing that is not says what to do', async () => {
    const slack = await open(USUAL_SCOPES.filter((scope) => !['files:write', 'assistant:write'].includes(scope)))
    const outside = slack.channel('elsewhere', [], { withApp: false })
    const found = await examine(slack, outside.id)
    expect(found[1]).toMatch(
      /failed Slack scopes: missing: assistant:write .*, files:write \(to show charts and long answers\) → .*install it again/,
    )
    expect(found[2]).toMatch(/failed Slack channel: the bot is not in #elsewhere.*→ .*\/invite @Steadyhand/)
    expect((await examine(slack, 'C0NOWHERE')).at(-1)).toMatch(/channel_not_found → slack.channel must be the id of a channel/)
    const token = slack.tokens.get(slack.botToken)
    if (token) token.refusal = 'token_revoked'
    expect(await examine(slack, outside.id)).toEqual([expect.stringMatching(/failed Slack: says token_revoked → Copy the bot token again/)])
    slack.faults.down({ kind: 'reset' })
    expect(await examine(slack, outside.id)).toEqual([expect.stringMatching(/failed Slack: does not answer/)])
  })
})

test('the manifest asks for exactly what is checked', () => {
  expect(manifest.oauth_config.scopes.bot.toSorted()).toEqual(Object.keys(SCOPES).toSorted())
})
