import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '../../test/support/edge/edge-harness.ts'
import type { Figure } from '../report.ts'
import { withProduct } from './product.ts'

/** In real time. How long an outage is, is felt only by what expires in it, and by the pause between two attempts, which is a minute at most. */
const AWAY_MS = 15_000
const EXPIRES_AFTER_SECONDS = 10
const BACK_SECONDS = 90

/** Slack goes away before the first card, a request is made and expires meanwhile, and then Slack is back. */
export async function measureOutage(): Promise<Figure[]> {
  return await withProduct(
    { pace: { channelMs: 0, quietMs: 0, slowMs: 2_000 }, ttlSeconds: EXPIRES_AFTER_SECONDS },
    async ({ slack, channel, running }) => {
      slack.faults.down()
      await running.askSomething(60)
      await pause(AWAY_MS)
      slack.faults.up()
      const back = performance.now()
      const headed = (): string[] =>
        slack.posted(channel).flatMap(({ text, blocks }) => (blocks.some(({ type }) => type === 'header') ? [text] : []))
      const waiting = async (): Promise<number> => (await running.stores.postings.oldest('slack'))?.waiting ?? 0
      await waitFor(async () => (headed().length > 1 && (await waiting()) === 0 ? true : null), BACK_SECONDS)
      const seconds = (performance.now() - back) / 1_000
      const incidents = headed().filter((text) => text.startsWith('Sev '))
      const requests = headed().filter((text) => text.startsWith('Expired'))
      return [
        { name: 'cards lost in an outage', value: Number(incidents.length === 0) + Number(requests.length === 0), unit: '', n: 2 },
        { name: 'cards posted twice after it', value: headed().length - 2, unit: '', n: 2 },
        { name: 'actions run in it or after it', value: running.target.ledger.length, unit: '', n: 1 },
        { name: 'from its end until all is shown', value: seconds, unit: 's', n: 1 },
      ]
    },
  )
}
