import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import { environmentOf, type Mode } from '../support/edge/slack-environment.ts'
import { approvalThat, auditViolations, startDrill } from '../support/live/drill.ts'
import { install, type Product } from '../support/live/product.ts'
import { until } from '../support/live/until.ts'
import type { Person } from '../support/slack/person.ts'
import { type SlackServer, startSlackServer } from '../support/slack/server.ts'
import type { Conversation, SlackMessage } from '../support/slack/world.ts'

const MINUTES = 60_000
const COMES_WITHIN_SECONDS = 120
const HEADS: Readonly<Record<string, string>> = {
  verified: 'Verified',
  undone: 'Undone',
  undetermined: 'Undetermined',
  failed: 'Did not help',
}

interface Team {
  slack: SlackServer
  channel: Conversation
  alice: Person
  bob: Person
  /** Starts the product, or the next one after it was killed. */
  start(): Promise<Product>
  comes(beginning: string): Promise<SlackMessage>
}

/** A real process in a workspace where Alice may approve and Bob may look on. */
async function assemble(context: TestContext, mode: Mode): Promise<Team> {
  const slack = await startSlackServer({ patienceMs: 60_000 })
  context.onTestFinished(async () => await slack.close())
  const [alice, bob] = [slack.person('alice'), slack.person('bob')]
  const channel = slack.channel('incidents', [alice, bob])
  const installation = install(context, { settings: environmentOf(slack, mode) })
  const link = ({ id }: Person): string => `links: [{ surface: slack, tenant: ${slack.teamId}, id: ${id} }]`
  const people = [`{ id: alice, name: Alice, roles: [approver], ${link(alice)} }`, `{ id: bob, name: Bob, roles: [viewer], ${link(bob)} }`]
  writeFileSync(join(installation.folder, 'steadyhand.yaml'), `slack: { channel: ${channel.id} }\npeople: [${people.join(', ')}]\n`)
  const posted = (beginning: string): SlackMessage[] => slack.posted(channel).filter(({ text }) => text.startsWith(beginning))
  return {
    ...{ slack, channel, alice, bob },
    async start() {
      const product = await installation.start()
      if (mode === 'HTTP') slack.sendTo(`${product.url}/slack/events`)
      else await until('Slack is connected', async () => slack.sockets.count() === 1, COMES_WITHIN_SECONDS)
      return product
    },
    comes: async (beginning) => await until(`"${beginning}" is posted`, async () => posted(beginning)[0] ?? false, COMES_WITHIN_SECONDS),
  }
}

test.for<Mode>(['HTTP', 'Socket Mode'])(
  'the main job by %s, killed at each step: each thing is posted once, Bob is refused, Alice’s click counts once',
  { timeout: 15 * MINUTES },
  async (mode, context) => {
    const { slack, channel, alice, bob, start, comes } = await assemble(context, mode)
    let product = await start()
    const again = async (): Promise<void> => {
      await product.killHard()
      product = await start()
    }
    await startDrill(await product.as('alice'), 'bad-release')

    await comes('Sev ')
    await again()
    const asked = await comes('Approve?')
    await again()

    await bob.click(asked, 'Approve', { confirm: true })
    await until(
      'Bob is refused',
      async () => channel.messages.some(({ ephemeralFor, text }) => ephemeralFor === bob.id && text.includes('Alice')),
      COMES_WITHIN_SECONDS,
    )

    expect(await alice.click(asked, 'Approve', { confirm: true })).toMatchObject({ status: 200 })
    await again()
    await until('it is approved', async () => !asked.text.startsWith('Approve?'), COMES_WITHIN_SECONDS)
    await again()

    // What became of it in the end is telemetry's word, also after it was interrupted; Slack has to say the same.
    const [approval] = (await product.client.get('/api/v1/approvals')).json.items
    const ended = await approvalThat(product.client, approval.id, 'is over', ({ state }) => state === 'done' || state === 'aborted')
    expect(ended.votes).toMatchObject([{ person: 'alice', decision: 'approve' }])
    const words = ended.state === 'aborted' ? 'Not run' : HEADS[ended.execution?.outcome ?? '']
    await until(`the card says ${words}`, async () => asked.text.startsWith(words ?? '?'), COMES_WITHIN_SECONDS)
    expect(JSON.stringify(asked.blocks)).not.toContain('"approve"')
    const beginnings = slack.posted(channel).map(({ text }) => text.split(':')[0] ?? '')
    expect(beginnings.filter((words) => words.startsWith('Sev'))).toHaveLength(1)
    expect(new Set(slack.posted(channel).map(({ text }) => text)).size).toBe(slack.posted(channel).length)
    expect(await auditViolations(product.client)).toEqual([])
    expect(slack.violations).toEqual([])
  },
)
