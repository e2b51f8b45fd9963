import { z } from 'zod'
import type { EnvironmentReader } from '../config/secrets.ts'

/** The part of the settings file that is about Slack. Secrets are not in it: they come from the environment or from files it names. */
export const slackFileSchema = z.strictObject({
  channel: z.string().trim().min(1).max(100).optional(),
  apiUrl: z.url().optional(),
})

export interface SlackSettings {
  channel: string | null
  /** Another address of the Web API, for a proxy or a test. */
  apiUrl: string | null
  botToken: string | null
  appToken: string | null
  signingSecret: string | null
}

/** The variables are those that Slack's own tools know. */
export function readSlackSettings(read: EnvironmentReader, file: z.infer<typeof slackFileSchema> = {}): SlackSettings {
  return {
    channel: file.channel ?? null,
    apiUrl: read.text('SLACK_API_URL') ?? file.apiUrl ?? null,
    botToken: read.secret('SLACK_BOT_TOKEN') ?? null,
    appToken: read.secret('SLACK_APP_TOKEN') ?? null,
    signingSecret: read.secret('SLACK_SIGNING_SECRET') ?? null,
  }
}

/** What is said while these settings are read and nothing is posted. */
export function unusedSlackSettings({ channel, botToken, appToken, signingSecret }: SlackSettings): string[] {
  const isSet = [channel, botToken, appToken, signingSecret].some((each) => each !== null)
  return isSet ? ['the settings for Slack; this version posts nothing there yet, and the console shows the same cards'] : []
}
