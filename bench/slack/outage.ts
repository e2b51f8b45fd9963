import { waitFor } from '../../test/support/edge/edge-harness.ts'
import type { Figure } from '../report.ts'
import { withProduct } from './product.ts'

/** By a clock that is put on: a request is made, expires, and is asked for anew, eight times. */
const ROUNDS = 8
const ROUND_SECONDS = 900
const EXPIRES_AFTER_SECONDS = 600
const PATIENCE_SECONDS = 60
const BACK_SECONDS = 180

/** Slack goes away before the first card, for two hours; then it is back. */
export async function measureOutage(): Promise<Figure[]> {
  const how = { pace: { channelMs: 0, quietMs: 0, slowMs: 2_000 }, ttlSeconds: EXPIRES_AFTER_SECONDS, clock: { seconds: 0 } }
  return await withProduct(how, async ({ slack, channel, running }, putOn) => {
    slack.faults.down()
    const alice = (await running.agent.people()).find(({ id }) => id === 'alice')
    if (!alice) throw new Error('Alice is not there')
    let request: string | undefined = await running.askSomething(PATIENCE_SECONDS)
    for (let round = 1; round <= ROUNDS; round += 1) {
      await putOn(ROUND_SECONDS)
      const id: string = request
      await waitFor(async () => ((await running.agent.approval(id))?.requestState === 'expired' ? true : null), PATIENCE_SECONDS)
      if (round < ROUNDS) request = (await running.agent.checkAgain(id, alice))?.id ?? id
    }
    slack.faults.up()
    const back = performance.now()
    const headed = (): string[] =>
      slack.posted(channel).flatMap(({ text, blocks }) => (blocks.some(({ type }) => type === 'header') ? [text] : []))
    const waiting = async (): Promise<number> => (await running.stores.postings.oldest('slack'))?.waiting ?? 0
    await waitFor(async () => (headed().length > ROUNDS && (await waiting()) === 0 ? true : null), BACK_SECONDS)
    const seconds = (performance.now() - back) / 1_000
    const incidents = headed().filter((text) => text.startsWith('Sev '))
    const requests = headed().filter((text) => text.startsWith('Expired'))
    const n = 1 + ROUNDS
    return [
      { name: 'the outage, by the clock that is put on', value: how.clock.seconds / 3_600, unit: 'h', n: 1 },
      { name: 'cards lost in it', value: Math.max(0, n - incidents.length - requests.length), unit: '', n },
      { name: 'cards posted twice after it', value: Math.max(0, headed().length - n), unit: '', n },
      { name: 'actions run in it or after it', value: running.target.ledger.length, unit: '', n },
      { name: 'from its end until all is shown', value: seconds, unit: 's', n: 1 },
    ]
  })
}
