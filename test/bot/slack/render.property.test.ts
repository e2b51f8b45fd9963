import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IncidentView } from '../../../agent/agent.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { planSchema, sealPlan } from '../../../agent/domain/plan.ts'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import type { Card } from '../../../bot/messages/card.ts'
import { linesOf } from '../../../bot/messages/card-size.ts'
import { incidentCard } from '../../../bot/messages/incident-card.ts'
import { type RenderedMessage, renderBlocks } from '../../../bot/slack/render.ts'
import { blockKitFaults, visibleTexts } from '../../support/block-kit.ts'
import { type LiveParts, readLiveParts } from '../../support/block-kit-reader.ts'
import { approvalsInEveryState, at, incidentsInEveryState } from '../../support/builders.ts'
import { hostileText, MARK, replaceStrings } from '../../support/hostile-text.ts'

const RUNS = 2_000
const LENGTHS = [12, 40, 200]
const CONSOLE = 'https://steadyhand.example'
const OURS = /^https:\/\/steadyhand\.example\/#\/incidents\/[^/\s]+(\/[^/\s]+)?$/
const UNSEEN = /[\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]|[\p{Cc}--\n]/v

/** Words of closed lists and our own ids: everything else in a view may come from outside. */
const CLOSED = /\.(state|status|level|comparator|trust|kind|class|name|rank|confidence|decision|requestState|label|seq|startsAt)$/
const PLAN_CLOSED = /\.(schema|id|comparator|threshold|reversibility|risk|role|class|digest|build|createdAt|expiresAt|undo\.plan)$/

function hostileIncident(view: IncidentView, texts: () => string): IncidentView {
  const outside = (path: string, text: string): string =>
    path.startsWith('.approvals') || (CLOSED.test(path) && !path.endsWith('alerts.0.name')) ? text : texts().slice(0, longest(path))
  return replaceStrings(view, outside)
}

/** Ids are ours, and short; but let them try. */
function longest(path: string): number {
  return /[iI]d$/.test(path) ? 100 : 3_000
}

/** @param longest of the texts of the plan: short ones make plans that still fit and can be approved */
function hostileApproval(approval: Approval, texts: () => string, longest: number): Approval {
  const inPlan = (path: string, text: string): string =>
    PLAN_CLOSED.test(path) ? text : texts().slice(0, path.endsWith('.unit') ? Math.min(20, longest) : longest)
  const draft = replaceStrings(approval.plan, inPlan)
  // Well-formed and in normal form, as every plan that could be sealed is.
  const plan = planSchema.parse(JSON.parse(sealPlan(replaceStrings(draft, (_path, text) => text.toWellFormed())).canonical))
  const around = (path: string, text: string): string => (/\.(personName|reason|words|check|last|keptBy)$/.test(path) ? texts() : text)
  return { ...replaceStrings(approval, around), plan }
}

/** Runs `draw` with as many hostile texts as it asks for. */
function withTexts(maxLength: number, draw: (texts: () => string) => void): fc.IProperty<[string[]]> {
  return fc.property(fc.array(hostileText(maxLength), { minLength: 5, maxLength: 12 }), (texts) => {
    let next = 0
    draw(() => texts[next++ % texts.length] ?? MARK)
  })
}

/** What our own cards set in bold: labels, headings, and stretches made bold on purpose. */
function boldOnPurpose(card: Card): Set<string> {
  const words = card.blocks.flatMap((block) => {
    const bold = linesOf(block)
      .flat()
      .flatMap((span) => (span.type === 'bold' ? [span.text] : []))
    if (block.type === 'facts') return [...bold, ...block.facts.map(({ label }) => label)]
    if (block.type === 'list' || block.type === 'changes') return [...bold, block.title]
    return block.type === 'quote' ? [block.label, '(quote)'] : bold
  })
  return new Set(words)
}

function expectInert(card: Card, message: RenderedMessage): LiveParts {
  expect(blockKitFaults(message)).toEqual([])
  const live = readLiveParts(message)
  expect(live.mentions).toEqual([])
  expect(live.emoji).toEqual([])
  expect(live.links.filter((url) => !OURS.test(url))).toEqual([])
  const onPurpose = boldOnPurpose(card)
  expect(live.formatted.filter((text) => !onPurpose.has(text) || text.includes(MARK))).toEqual([])
  for (const text of [message.text, ...visibleTexts(message.blocks)]) expect(text).not.toMatch(UNSEEN)
  return live
}

describe('text from outside', () => {
  const views = Object.values(incidentsInEveryState())
  const approvals = Object.values(approvalsInEveryState())

  test(`stays text on ${RUNS} incident cards`, () => {
    let round = 0
    fc.assert(
      withTexts(3_000, (texts) => {
        const view = views[round++ % views.length]
        if (!view) return
        const card = incidentCard(hostileIncident(view, texts), { now: at(10), consoleUrl: CONSOLE })
        const live = expectInert(card, renderBlocks(card))
        expect(live.buttons).toEqual([{ action: 'open', value: undefined, url: expect.stringMatching(OURS) }])
      }),
      { numRuns: RUNS },
    )
  })

  test(`stays text on ${RUNS} approval cards, and never adds or changes a button`, () => {
    let round = 0
    let approvable = 0
    fc.assert(
      withTexts(1_000, (texts) => {
        const state = approvals[round++ % approvals.length]
        if (!state) return
        const approval = hostileApproval(state.approval, texts, LENGTHS[round % LENGTHS.length] ?? 200)
        const narrative = texts()
        const card = approvalCard(approval, { now: state.now, whoMay: ['a', 'b'], names: texts, narrative, consoleUrl: CONSOLE })
        const message = renderBlocks(card)
        const live = expectInert(card, message)
        for (const { value } of live.buttons) expect(value).toBe(approval.id)
        const actions = live.buttons.map(({ action }) => action)
        expect(new Set(actions).size).toBe(actions.length)
        if (actions.includes('approve')) {
          approvable += 1
          expect(JSON.stringify(message)).not.toContain('Shortened to fit')
        }
      }),
      { numRuns: RUNS },
    )
    expect(approvable).toBeGreaterThan(RUNS / 50)
  })
})
