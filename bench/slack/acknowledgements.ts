import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { environmentOf } from '../../test/support/edge/slack-environment.ts'
import { install } from '../../test/support/live/product.ts'
import { isAcknowledged } from '../../test/support/slack/delivery.ts'
import { startSlackServer } from '../../test/support/slack/server.ts'
import { distribution, type Figure } from '../report.ts'
import { sendAlert } from './alerts.ts'

const ALERTS_PER_SECOND = 200
const SECONDS = 15
const TICK_MS = 50
const AGAIN = [429, 503]
const TAKEN = [202, ...AGAIN]

/**
 * How long Slack waits for each press of a button while alerts pour in: one press each tick. The product is a process of its own, with its database on
 * disk; who sends is another one on the same machine.
 */
export async function measureAcknowledgements(): Promise<Figure[]> {
  const endings: (() => unknown)[] = []
  const slack = await startSlackServer()
  const alice = slack.person('alice')
  const channel = slack.channel('incidents', [alice])
  const installation = install(
    { onTestFinished: (end) => void endings.push(() => end(undefined as never)), onTestFailed: () => {} },
    { settings: environmentOf(slack, 'HTTP') },
  )
  writeFileSync(join(installation.folder, 'steadyhand.yaml'), `slack: { channel: ${channel.id} }\n`)
  try {
    const { url } = await installation.start()
    slack.sendTo(`${url}/slack/events`)
    const card = await slack.post(channel, { by: alice, text: 'press', blocks: [row] })
    const [answers, presses]: [Promise<number>[], ReturnType<typeof alice.click>[]] = [[], []]
    const started = performance.now()
    for (let tick = 0; tick < (SECONDS * 1_000) / TICK_MS; tick += 1) {
      for (let each = 0; each < (ALERTS_PER_SECOND * TICK_MS) / 1_000; each += 1) answers.push(sendAlert(url, answers.length))
      presses.push(alice.click(card, 'Approve'))
      await pause(Math.max(0, started + (tick + 1) * TICK_MS - performance.now()))
    }
    const seconds = (performance.now() - started) / 1_000
    const statuses = await Promise.all(answers)
    const deliveries = await Promise.all(presses)
    const late = deliveries.filter((one) => !isAcknowledged(one)).length
    const times = deliveries.map(({ ms }) => ms)
    return [
      { name: 'alerts sent a second meanwhile', value: Math.round(answers.length / seconds), unit: '1/s', n: answers.length },
      { name: 'alerts told to come again', value: statuses.filter((status) => AGAIN.includes(status)).length, unit: '', n: answers.length },
      {
        name: 'alerts not taken otherwise',
        value: statuses.filter((status) => !TAKEN.includes(status)).length,
        unit: '',
        n: answers.length,
      },
      { name: 'interactions not acknowledged', value: late, unit: '', n: deliveries.length },
      distribution('acknowledgement of an interaction', 'ms', times),
    ]
  } finally {
    for (const end of endings) await end()
    await slack.close()
  }
}

const row = {
  type: 'actions',
  elements: [{ type: 'button', text: { type: 'plain_text', text: 'Approve' }, action_id: 'approve', value: 'none' }],
}
