import { setTimeout as pause } from 'node:timers/promises'
import { isAcknowledged } from '../../test/support/slack/delivery.ts'
import { distribution, type Figure } from '../report.ts'
import { withProduct } from './product.ts'

const ALERTS_PER_SECOND = 200
const SECONDS = 10
const TICK_MS = 50
const PRESSES_PER_TICK = 1

/** How long Slack waits for each press of a button while alerts pour in. All of it runs on one machine, the sender too. */
export async function measureAcknowledgements(): Promise<Figure[]> {
  return await withProduct({ pace: { channelMs: 1_000, quietMs: 30_000 } }, async ({ slack, channel, alice, alert }) => {
    const card = await slack.post(channel, { by: alice, text: 'press', blocks: [row] })
    const answers: Promise<number>[] = []
    const presses: ReturnType<typeof alice.click>[] = []
    const started = performance.now()
    const ticks = (SECONDS * 1_000) / TICK_MS
    for (let tick = 0; tick < ticks; tick += 1) {
      for (let each = 0; each < (ALERTS_PER_SECOND * TICK_MS) / 1_000; each += 1) answers.push(alert('HighErrorRatio', answers.length))
      for (let each = 0; each < PRESSES_PER_TICK; each += 1) presses.push(alice.click(card, 'Approve'))
      await pause(Math.max(0, started + (tick + 1) * TICK_MS - performance.now()))
    }
    const deliveries = await Promise.all(presses)
    const taken = (await Promise.all(answers)).filter((status) => status === 202).length
    const rate = answers.length / ((performance.now() - started) / 1_000)
    return [
      { name: 'alerts answered a second, all done', value: rate, unit: '1/s', n: answers.length },
      { name: 'alerts not taken', value: answers.length - taken, unit: '', n: answers.length },
      {
        name: 'interactions not acknowledged',
        value: deliveries.filter((one) => !isAcknowledged(one)).length,
        unit: '',
        n: deliveries.length,
      },
      distribution(
        `acknowledgement of an interaction at ${ALERTS_PER_SECOND} alerts/s`,
        'ms',
        deliveries.map(({ ms }) => ms),
      ),
    ]
  })
}

const row = {
  type: 'actions',
  elements: [{ type: 'button', text: { type: 'plain_text', text: 'Approve' }, action_id: 'approve', value: 'none' }],
}
