import type { SlackServer } from '../slack/server.ts'

/** How Slack reaches the product. */
export type Mode = 'HTTP' | 'Socket Mode'

/** What the environment says of this workspace. */
export function environmentOf(slack: SlackServer, mode: Mode): Record<string, string> {
  return {
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: slack.botToken,
    ...(mode === 'HTTP' ? { SLACK_SIGNING_SECRET: slack.signingSecret } : { SLACK_APP_TOKEN: slack.appToken }),
  }
}
