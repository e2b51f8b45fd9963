import { z } from 'zod'
import type { EnvironmentReader, VariableWords } from '../config/secrets.ts'

/** The part of the settings file that is about Slack. Secrets are not in it: they come from the environment or from files it names. */
export const slackFileSchema = z.strictObject({
  channel: z
    .string()
    .trim()
    .regex(/^[CG][A-Z0-9]{2,30}$/, 'must be the id of a channel, such as C0123ABCD: it stands at the bottom of the channel’s details')
    .optional()
    .meta({ description: 'The channel that incidents are shown in, by its id.' }),
  appId: z
    .string()
    .trim()
    .regex(/^A[A-Z0-9]{2,30}$/, 'must be the id of an app, such as A0123ABCD')
    .optional()
    .meta({ description: 'The one app whose events and clicks are taken; left out: any that signs with the secret.' }),
  apiUrl: z.url().optional().meta({ description: 'Another address of the Web API.', env: 'SLACK_API_URL' }),
})

export interface SlackSettings {
  /** Where incidents are shown, by its id. */
  channel: string | null
  /** The one app whose events and clicks are taken; null takes those of any app that signs with the secret. */
  appId: string | null
  /** Another address of the Web API, for a proxy or a test. */
  apiUrl: string | null
  botToken: string | null
  /** With it Slack is reached by Socket Mode. */
  appToken: string | null
  /** With it Slack calls POST /slack/events. */
  signingSecret: string | null
}

/** Secrets have no key in the file. */
export const slackVariables: VariableWords = {
  SLACK_BOT_TOKEN: { words: 'The bot token, xoxb-…', secret: true },
  SLACK_APP_TOKEN: {
    words: 'An app-level token, xapp-…: with it Slack is reached by Socket Mode, and nothing is open to the internet.',
    secret: true,
  },
  SLACK_SIGNING_SECRET: { words: 'With it Slack calls POST /slack/events.', secret: true },
}

/** Settings with which something can be posted and a click can come back. */
export type SlackConnection = SlackSettings & { channel: string; botToken: string }

/** The variables are those that Slack's own tools know. */
export function readSlackSettings(read: EnvironmentReader, file: z.infer<typeof slackFileSchema> = {}): SlackSettings {
  return {
    channel: file.channel ?? null,
    appId: file.appId ?? null,
    apiUrl: read.text('SLACK_API_URL') ?? file.apiUrl ?? null,
    botToken: read.secret('SLACK_BOT_TOKEN') ?? null,
    appToken: read.secret('SLACK_APP_TOKEN') ?? null,
    signingSecret: read.secret('SLACK_SIGNING_SECRET') ?? null,
  }
}

/** Null when Slack is not set up. */
export function slackConnection(settings: SlackSettings): SlackConnection | null {
  const { channel, botToken } = settings
  return channel === null || botToken === null ? null : { ...settings, channel, botToken }
}

/** What would let people see cards there that nobody can answer, or nothing at all. */
export function slackProblems({ channel, botToken, appToken, signingSecret, apiUrl }: SlackSettings): string[] {
  if (botToken === null || channel === null) return []
  return [
    ...(/^(xoxe\.)?xoxb-/.test(botToken) ? [] : ['SLACK_BOT_TOKEN must be the bot token, which begins with xoxb-.']),
    ...(appToken === null || appToken.startsWith('xapp-') ? [] : ['SLACK_APP_TOKEN must be an app-level token, which begins with xapp-.']),
    ...(appToken === null && signingSecret === null
      ? ['SLACK_BOT_TOKEN is set, but neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET: no click could come back from Slack.']
      : []),
    ...(apiUrl === null || /^https?:\/\//.test(apiUrl) ? [] : ['SLACK_API_URL must be an address that begins with http:// or https://.']),
  ]
}

/** What is said while some of these settings are there and the one that nothing works without is not. */
export function unusedSlackSettings({ channel, botToken, appToken, signingSecret }: SlackSettings): string[] {
  const isSet = [channel, botToken, appToken, signingSecret].some((each) => each !== null)
  const missing = [
    ...(botToken === null ? ['SLACK_BOT_TOKEN'] : []),
    ...(channel === null ? ['slack.channel, the id of the channel for incidents,'] : []),
  ]
  return isSet && missing.length > 0
    ? [`the settings for Slack; without ${missing.join(' and ')} nothing is posted there, and the console shows the same cards`]
    : []
}
