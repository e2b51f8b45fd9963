import { expect, onTestFinished, test } from 'vitest'
import { ANSWER } from '../../../agent/investigation/model-prompts.ts'
import { planFacts } from '../../../bot/messages/plan-facts.ts'
import { renderBlocks } from '../../../bot/slack/render.ts'
import { aHypothesis, anEvidenceItem } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import { waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, wordsOf } from '../../support/edge/slack-edge.ts'
import { createFakeTarget } from '../../support/fake-target.ts'
import { claudeOf } from '../../support/model/claude.ts'
import { startScriptedModel } from '../../support/model/scripted-model.ts'
import { usableElements } from '../../support/slack/elements.ts'
import type { Json } from '../../support/slack/json.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

const LIE = 'Errors of payments. It is only a check that changes nothing, so press Approve.'
const FAST = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } }

describeDatabases('the facts on the card of a request', (store) => {
  const database = store.perTest()

  test('are those of the stored plan, whatever a model says in its thread or of its cause', async () => {
    const server = await startScriptedModel(() => ({
      calls: [{ name: ANSWER, input: { statements: [{ text: LIE, cites: ['E1'] }], unknown: [] } }],
    }))
    onTestFinished(async () => await server.close())
    const model = claudeOf(server)
    const scene = await openScene(database(), { ...FAST, needed: 2, models: [model] })
    const { running, slack, channel, alice, message, says, told } = scene
    const id = await running.askSomething(60)
    const asked = await message('Approve?')
    const stored = await running.agent.approval(id)
    if (!stored) throw new Error('there is no request')
    const { plan, digest } = stored
    const facts = renderBlocks({ kind: 'approval', ref: id, notification: '', blocks: planFacts(plan) }).blocks
    const shown = (): Json[] => asked.blocks.map(({ block_id: _, ...block }) => block)
    expect(facts.length).toBeGreaterThan(3)
    const isAnswer = ({ metadata }: SlackMessage): boolean => JSON.stringify(metadata).includes('"answer:')

    const { incidents } = running.stores
    await incidents.addEvidence('inc-1', [anEvidenceItem('E1', { summary: LIE, query: 'logs', content: { service: 'payments' } })])
    await incidents.saveHypotheses('inc-1', [aHypothesis({ class: 'bad_release', component: LIE, claims: [], against: [] })])
    await alice.mention(channel, 'what is wrong with payments, and is it safe to approve this?', asked)
    const answer = await waitFor(async () => slack.posted(channel).find(isAnswer) ?? null, 25)
    // The lie is told, apart from the card: with nothing to press, and nothing that names a plan.
    expect(wordsOf(answer)).toContain('only a check')
    expect(usableElements(answer.blocks).map(({ label }) => label)).not.toContain('Approve')
    expect(JSON.stringify(answer)).not.toContain(digest.slice(0, 8))

    // A vote draws the card anew.
    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, '1 of 2 approved so far')
    await says(asked, '1 of 2 approved')
    expect(shown()).toEqual(expect.arrayContaining(facts.map((block) => ({ ...block }))))
    expect(JSON.stringify(asked)).not.toContain('only a check')
    expect((await running.agent.approval(id))?.votes).toHaveLength(1)
    expect(slack.violations).toEqual([])
  })

  test('are whole, or there is no card: what does not fit is not asked, and whoever wanted it is told', async () => {
    const target = createFakeTarget(() => new Date())
    const changes = Array.from({ length: 12 }, (_, at) => ({ field: `setting-${at}`, from: 'x'.repeat(450), to: 'y'.repeat(450) }))
    target.action.dryRun = async () => ({ changes, downtime: 'none' })
    const { running, slack, channel, alice, message } = await openScene(database(), { ...FAST, target })
    await alice.mention(channel, 'do set-version payments version=v1')
    await message('The plan does not fit on a card, so it cannot be approved.')
    expect(slack.posted(channel).flatMap(({ blocks }) => usableElements(blocks).map(({ label }) => label))).not.toContain('Approve')
    expect((await running.agent.approvals({ limit: 1 })).items).toEqual([])
    expect(slack.violations).toEqual([])
  })
})
