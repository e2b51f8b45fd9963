import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '../../test/support/edge/edge-harness.ts'
import type { Figure } from '../report.ts'
import { withProduct } from './product.ts'

/** How long Slack is away, in real time: its length is felt only by what expires meanwhile, and by the longest pause between two attempts. */
const AWAY_MS = 15_000
/** The longest pause is a minute. */
const BACK_SECONDS = 120

/** Slack goes away before the first card, something waits for a decision meanwhile, and then Slack is back. */
export async function measureOutage(): Promise<Figure[]> {
  return await withProduct({ pace: { channelMs: 0, quietMs: 0 } }, async ({ slack, channel, running }) => {
    slack.faults.down()
    await running.askSomething(60)
    await pause(AWAY_MS)
    const ran = running.target.ledger.length
    slack.faults.up()
    const back = performance.now()
    const shown = (beginning: string): number => slack.posted(channel).filter(({ text }) => text.startsWith(beginning)).length
    await waitFor(async () => (shown('Sev ') > 0 && shown('Approve?') > 0 ? true : null), BACK_SECONDS)
    const seconds = (performance.now() - back) / 1_000
    await slack.idle()
    return [
      { name: 'cards lost in an outage', value: 2 - Math.min(1, shown('Sev ')) - Math.min(1, shown('Approve?')), unit: '', n: 2 },
      { name: 'cards posted twice after it', value: shown('Sev ') + shown('Approve?') - 2, unit: '', n: 2 },
      { name: 'actions run in it', value: ran, unit: '', n: 1 },
      { name: 'from its end to the last card', value: seconds, unit: 's', n: 1 },
    ]
  })
}
