import { describe, expect, test } from 'vitest'
import { type Plan, planSchema } from '../../../agent/domain/plan.ts'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import { button, buttons, type Card, type CardBlock, note, text, title } from '../../../bot/messages/card.ts'
import { cardSize, linesOf } from '../../../bot/messages/card-size.ts'
import { fitsOnCard, planFacts } from '../../../bot/messages/plan-facts.ts'
import { plainOf, say } from '../../../bot/messages/span.ts'
import { type RenderedMessage, renderBlocks } from '../../../bot/slack/render.ts'
import { blockKitFaults, visibleTexts } from '../../support/block-kit.ts'
import { readLiveParts } from '../../support/block-kit-reader.ts'
import { anApproval, aPlan, at } from '../../support/builders.ts'

const card = (...blocks: CardBlock[]): Card => ({ kind: 'approval', ref: 'r', notification: 'n', blocks })
const approve = buttons([button('approve', 'Approve', 'request-1', 'primary'), button('deny', 'Deny', 'request-1')], null)
const actionsOf = (message: RenderedMessage): string[] => readLiveParts(message).buttons.map(({ action }) => action)

/** As much of everything as the schema of plans lets through, each text `length` long. */
function largestPlan(length: number, sign: string): Plan {
  const long = sign.repeat(Math.max(1, length))
  const name = long.slice(0, 200)
  const lines = Array.from({ length: 12 }, () => ({ field: name, from: long.slice(0, 500), to: long.slice(0, 500) }))
  const bound = { service: name, metric: name, comparator: '<=', threshold: '0.5', unit: long.slice(0, 20) } as const
  const base = aPlan()
  return planSchema.parse({
    ...base,
    action: { kind: name, version: 1, title: name },
    target: { provider: name, environment: name, kind: name, name, uid: name },
    resource: long.slice(0, 820),
    parameters: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`p${index}`, long.slice(0, 500)])),
    changes: lines,
    preconditions: Array.from({ length: 12 }, () => ({ field: name, equals: long.slice(0, 500) })),
    symptom: bound,
    success: { ...base.success, metrics: [bound, bound, bound, bound], weaker: long.slice(0, 300) },
    probe: long.slice(0, 300),
    cautions: Array.from({ length: 3 }, () => long.slice(0, 300)),
    undo: { plan: base.undo?.plan, digest: base.undo?.digest, title: name, changes: lines },
    blastRadius: { ...base.blastRadius, dependents: Array.from({ length: 50 }, () => name), downtime: name },
    requester: name,
    approval: { ...base.approval, confirm: name, rule: name },
  } satisfies Record<string, unknown>)
}

describe('a plan of any size', () => {
  test.each(['x', '&', '<', '\u0436', '\u200b', '*'])('made of %j either fits whole or has no Approve', (sign) => {
    const approvable: number[] = []
    for (let length = 1; length <= 500; length = Math.ceil(length * 1.15)) {
      const plan = largestPlan(length, sign)
      const people = Array.from({ length: 30 }, (_, index) => `${sign.repeat(80)}${index}`)
      const narrative = sign.repeat(2_000)
      const context = { now: at(1), whoMay: people, names: (id: string) => id, narrative, consoleUrl: 'https://steadyhand.example' }
      const message = renderBlocks(approvalCard(anApproval({ plan }), context))
      expect(blockKitFaults(message)).toEqual([])
      expect(actionsOf(message).includes('approve')).toBe(fitsOnCard(plan))
      if (!fitsOnCard(plan)) continue
      approvable.push(length)
      const shown = visibleTexts(message.blocks).join(' ')
      for (const line of planFacts(plan).flatMap(linesOf)) {
        for (const span of line) if (span.type === 'code' && !/[&<>`]/.test(span.text)) expect(shown).toContain(span.text)
      }
    }
    expect(Math.max(0, ...approvable)).toBeLessThan(200)
  })

  test('an everyday plan is far from the limit', () => {
    expect(cardSize(planFacts(aPlan())).characters).toBeLessThan(3_000)
  })
})

describe('a card that is too large', () => {
  test('loses Approve but not Deny when a text does not fit, and says so', () => {
    const message = renderBlocks(card(title('t'), text(say`${'x'.repeat(2_900)} ${'y'.repeat(2_900)}`), ...approve))
    expect(blockKitFaults(message)).toEqual([])
    expect(actionsOf(message)).toEqual(['deny'])
    expect(visibleTexts(message.blocks).join(' ')).toContain('cannot be approved here')
  })

  test('loses Approve when blocks had to be left out', () => {
    const message = renderBlocks(card(...Array.from({ length: 60 }, (_, index) => note(say`line ${index}`)), ...approve))
    expect(blockKitFaults(message)).toEqual([])
    expect(message.blocks.length).toBeLessThanOrEqual(50)
    expect(actionsOf(message)).toEqual(['deny'])
  })

  test('loses Approve when all texts together are too long', () => {
    const message = renderBlocks(card(...Array.from({ length: 6 }, () => text(say`${'x'.repeat(2_500)}`)), ...approve))
    expect(blockKitFaults(message)).toEqual([])
    expect(actionsOf(message)).toEqual(['deny'])
  })

  test('keeps Approve when everything fits', () => {
    expect(actionsOf(renderBlocks(card(title('t'), text(say`short`), ...approve)))).toEqual(['approve', 'deny'])
  })

  test('has a plain line for every block it knows', () => {
    const blocks = planFacts(aPlan())
    expect(blocks.flatMap(linesOf).map(plainOf).join('\n')).toContain('v42')
  })
})

describe('empty and odd cards', () => {
  test('a stretch that was not made by our own words is cleaned all the same', () => {
    const raw = { type: 'text', text: 'pay\u202ements\u200b\n*now* <!here>' } as const
    const message = renderBlocks(card(title(raw.text), text([raw, { ...raw, type: 'code' }]), note([raw])))
    const [header, first, second, small] = visibleTexts(message.blocks)
    expect([header, first, second]).toEqual(Array(3).fill('payments *now* <!here>'))
    expect(small).toBe('payments ∗now∗ &lt;!here&gt;')
  })

  test.each<[string, CardBlock[]]>([
    ['an empty title', [title(''), text(say`x`)]],
    ['a text of nothing but unseen characters', [text([{ type: 'text', text: '\u200b\u202e' }]), text(say`x`)]],
    [
      'bold and code of nothing',
      [
        note([
          { type: 'bold', text: '' },
          { type: 'code', text: '\u200b' },
          { type: 'text', text: 'x' },
        ]),
      ],
    ],
    ['a link to nowhere', [text([{ type: 'link', text: 'x', url: 'javascript:alert(1)' }])]],
    ['a button with a huge id', [text(say`x`), ...buttons([button('deny', 'Deny', 'i'.repeat(3_000))], null)]],
  ])('%s is still valid', (_what, blocks) => expect(blockKitFaults(renderBlocks(card(...blocks)))).toEqual([]))
})
