import type { Settings } from '../config.ts'

/** What would make this installation better, one line each: what, and how. */
export function improvements(settings: Settings): string[] {
  return [
    ...settings.unused.map((words) => `Unused: ${words}`),
    ...(settings.peopleConfigured
      ? []
      : [
          'People: Alice and Carol may approve and Bob looks on, for the local target only. Name yours in steadyhand.yaml (see steadyhand.example.yaml).',
        ]),
    ...(settings.policyFile === null
      ? ['Policy: the built-in one covers the local target only. Write your own and name it with STEADYHAND_POLICY.']
      : []),
    ...(settings.databaseUrl === null ? ['Database: the embedded one is for a single process. Set DATABASE_URL to use PostgreSQL.'] : []),
    ...(settings.webhooks.token === null
      ? ['Alerts: this machine only can send them. Set STEADYHAND_WEBHOOK_TOKEN, STEADYHAND_API_KEYS and HOST to take them from others.']
      : []),
  ]
}
