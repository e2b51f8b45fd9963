import type { CheckResult } from '../../integrations/contract.ts'
import type { SlackConnection } from './settings.ts'
import { type OpenSocket, SlackFailure, type SlackWeb } from './slack-api.ts'

/** What the bot has to be allowed, and what each is for. */
export const SCOPES: Readonly<Record<string, string>> = {
  'chat:write': 'to post and edit its cards and answers',
  commands: 'for /sre and the shortcuts',
  'app_mentions:read': 'to hear a mention',
  'assistant:write': 'to offer what may be asked in its panel, and to say there that it is looking',
  'im:history': 'to read what is said to it directly',
  'im:write': 'to tell one person something where it is not in the channel',
  'channels:read': 'to see whether it is in its channel',
  'channels:history': 'to find its own message again after a crash, so that nothing is posted twice',
  'users:read': 'to see whether an account is a guest, a bot or deactivated before its click counts',
  'files:write': 'to show charts and long answers',
}

/** Everything but a courtesy works without these. */
const OPTIONAL: readonly string[] = ['assistant:write']
const MOST_CHANNELS = 50

/** Whether the token is good, allows enough, and the bot is in its channel; each with what to do. */
export async function checkSlack(
  { channels, appToken, signingSecret, appId }: Omit<SlackConnection, 'channel'> & { channels: readonly string[] },
  web: Pick<SlackWeb, 'whoAmI' | 'channel'> & { openSocket: OpenSocket | null },
): Promise<CheckResult[]> {
  try {
    const { team, teamId, scopes } = await web.whoAmI()
    const missing = scopes.length === 0 ? [] : Object.keys(SCOPES).filter((scope) => !scopes.includes(scope))
    return [
      {
        name: 'Slack',
        status: 'ok',
        words: `bot of ${team} (${teamId}), ${waysIn(appToken, signingSecret)}${appId ? `, app ${appId} only` : ''}`,
        fix: null,
      },
      ...(missing.length === 0 ? [] : [lacking(missing)]),
      ...(web.openSocket === null ? [] : await checkSocket(web.openSocket)),
      ...(await Promise.all(channels.slice(0, MOST_CHANNELS).map(async (channel) => await checkChannel(channel, web)))),
    ]
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    return [failed('Slack', wordsOf(error), fixOf(error))]
  }
}

/** Without a way in, cards stand there with buttons that reach nobody. */
async function checkSocket(open: OpenSocket): Promise<CheckResult[]> {
  try {
    await open()
    return []
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    const fix =
      error.kind === 'away' || error.kind === 'busy'
        ? fixOf(error)
        : 'Make an app-level token with the scope connections:write (Basic Information, App-Level Tokens), put it into SLACK_APP_TOKEN, and see that Socket Mode is on.'
    return [failed('Slack Socket Mode', `what is pressed or typed on Slack reaches nobody: it ${wordsOf(error)}`, fix)]
  }
}

async function checkChannel(id: string, web: Pick<SlackWeb, 'channel'>): Promise<CheckResult> {
  const name = 'Slack channel'
  try {
    const { name: called, member, archived, external } = await web.channel(id)
    if (archived) return failed(name, `#${called} (${id}) is archived`, 'Unarchive it, or name another one in slack.channel.')
    if (!member) return failed(name, `the bot is not in #${called} (${id})`, `Invite it: type /invite @Steadyhand in #${called}.`)
    if (external)
      return {
        name,
        status: 'warning',
        words: `#${called} is shared with another workspace`,
        fix: 'Who is in it from there sees incidents and cannot decide; choose another channel if they should not.',
      }
    return { name, status: 'ok', words: `#${called} (${id})`, fix: null }
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    const fix =
      error.code === 'channel_not_found'
        ? 'slack.channel must be the id of a channel of this workspace that the bot is in: type /invite @Steadyhand there.'
        : fixOf(error)
    return failed(name, `${id}: ${wordsOf(error)}`, fix)
  }
}

function waysIn(appToken: string | null, signingSecret: string | null): string {
  const ways = [...(appToken === null ? [] : ['Socket Mode']), ...(signingSecret === null ? [] : ['POST /slack/events'])]
  return `reached by ${ways.join(' and ')}`
}

function lacking(scopes: readonly string[]): CheckResult {
  const what = scopes.map((scope) => `${scope} (${SCOPES[scope]})`).join(', ')
  return {
    name: 'Slack scopes',
    status: scopes.every((scope) => OPTIONAL.includes(scope)) ? 'warning' : 'failed',
    words: `missing: ${what}`,
    fix: 'Add them under "OAuth & Permissions" of the app, install it again, and use the new token.',
  }
}

function wordsOf({ kind, code }: SlackFailure): string {
  if (kind === 'away') return `does not answer (${code})`
  return kind === 'busy' ? 'is asked too often at the moment' : `says ${code}`
}

function fixOf({ kind, code }: SlackFailure): string {
  if (kind === 'away') return 'Check that this machine reaches slack.com by https, or SLACK_API_URL.'
  if (kind === 'busy') return 'Try again in a minute.'
  if (code === 'missing_scope') return 'Add the scopes of docs/slack.md under "OAuth & Permissions" of the app, and install it again.'
  return 'Copy the bot token again from "OAuth & Permissions" of the app into SLACK_BOT_TOKEN.'
}

function failed(name: string, words: string, fix: string): CheckResult {
  return { name, status: 'failed', words, fix }
}
