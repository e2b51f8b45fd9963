import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '../../test/support/edge/edge-harness.ts'
import type { Figure } from '../report.ts'
import { sendAlert } from './alerts.ts'
import { withProduct } from './product.ts'

const ALERTS = 200
const SIMULATED_SECONDS = 300
/** Everybody's clock runs so much faster: Slack's limits and the product's pace alike. */
const FASTER = 10
const SETTLED_MS = 3_000

/** Five minutes of alerts for one cause, against Slack's own limits. */
export async function measureOneCause(): Promise<Figure[]> {
  const begun = Date.now()
  const simulated = (): Date => new Date(begun + (Date.now() - begun) * FASTER)
  const pace = { channelMs: 1_000 / FASTER, quietMs: 30_000 / FASTER, slowMs: 2_000 }
  return await withProduct({ pace, server: { now: simulated, rateLimits: true } }, async ({ slack, channel, running }) => {
    const before = slack.calls.length
    for (let sent = 0; sent < ALERTS; sent += 1) {
      await sendAlert(running.url, sent)
      await pause((SIMULATED_SECONDS * 1_000) / FASTER / ALERTS)
    }
    await waitFor(async () => (slack.posted(channel).length > 0 ? true : null), 60)
    await pause(SETTLED_MS)
    const calls = slack.calls.slice(before)
    const cards = slack.posted(channel).filter(({ text }) => text.startsWith('Sev '))
    return [
      { name: `cards for ${ALERTS} alerts of one cause in 5 simulated minutes`, value: cards.length, unit: '', n: ALERTS },
      { name: 'calls of the Web API for them', value: calls.length, unit: '', n: ALERTS },
      {
        name: 'answers "too many calls" to them',
        value: calls.filter(({ outcome }) => outcome === 'ratelimited').length,
        unit: '',
        n: calls.length,
      },
      { name: 'calls Slack would not have taken', value: slack.violations.length, unit: '', n: calls.length },
    ]
  })
}
