import type { KnownBlock } from '@slack/types'
import { describe, expect, test } from 'vitest'
import type { IncidentView, ModelUse } from '../../../agent/agent.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { BUDGET } from '../../../agent/investigation/budget.ts'
import { readClick } from '../../../bot/slack/clickable.ts'
import { withoutNewest } from '../../../bot/slack/newest-blocks.ts'
import { approvalsInEveryState, at, incidentsBesideOthers, incidentsInEveryState } from '../../support/builders.ts'
import { draw, NONCE } from '../../support/drawn.ts'
import { problemsOfBlocks, visibleLength } from '../../support/slack/validate.ts'

function pressable(blocks: readonly KnownBlock[]): { id: string; value: string }[] {
  return blocks.flatMap((block) =>
    block.type !== 'actions'
      ? []
      : block.elements.flatMap((element) => {
          if (element.type === 'button') return element.value === undefined ? [] : [{ id: element.action_id ?? '', value: element.value }]
          return element.type === 'overflow' ? element.options.map(({ value = '' }) => ({ id: 'more', value })) : []
        }),
  )
}

describe('the card of a request as it is posted', () => {
  test.each(Object.entries(approvalsInEveryState()))(
    '%s is taken by Slack, and each of its buttons is bound to it',
    async (name, { approval, now }) => {
      const { message, broadcast } = await draw('approval', { approval, now })
      expect(problemsOfBlocks(message.blocks)).toEqual([])
      expect(visibleLength(message.blocks)).toBeLessThanOrEqual(12_000)
      expect(broadcast).toBe(true)
      const clicks = pressable(message.blocks).map(({ id, value }) => readClick(id, value))
      for (const click of clicks) expect(click).toMatchObject({ nonce: NONCE, digest: approval.digest, ref: approval.id })
      expect(clicks.some((click) => click?.action === 'approve')).toBe(name.startsWith('asking'))
      expect(JSON.stringify(message.blocks).includes('"user_id"')).toBe(name.startsWith('asking'))
    },
  )

  test('asks once more about what is not safe, unless it has to be typed anyway', async () => {
    const { asking, 'asking-two': typed } = approvalsInEveryState()
    const confirms = async (approval: Approval): Promise<boolean> =>
      JSON.stringify((await draw('approval', { approval, now: at(30) })).message.blocks).includes('"confirm"')
    if (!asking || !typed) throw new Error('there are no such states')
    const { approval } = asking
    expect(await confirms({ ...approval, plan: { ...approval.plan, risk: 'caution' } })).toBe(true)
    expect(await confirms({ ...approval, plan: { ...approval.plan, risk: 'safe' } })).toBe(false)
    expect(await confirms({ ...typed.approval, plan: { ...typed.approval.plan, risk: 'caution' } })).toBe(false)
  })
})

describe('the card of an incident as it is posted', () => {
  test.each(Object.entries(incidentsInEveryState()))('%s has two buttons at most, and each is bound to it', async (_name, view) => {
    const { message } = await draw('incident', { view, now: at(10) })
    expect(problemsOfBlocks(message.blocks)).toEqual([])
    const buttons = message.blocks.flatMap((block) =>
      block.type === 'actions' ? block.elements.filter(({ type }) => type === 'button') : [],
    )
    expect(buttons.length).toBeLessThanOrEqual(2)
    for (const { id, value } of pressable(message.blocks)) {
      expect(readClick(id, value)).toMatchObject({ nonce: NONCE, digest: null })
      expect(readClick(id, value)?.ref.split(' ')[0]).toBe(view.incident.id)
    }
  })
})

describe('how far an investigation is', () => {
  const { open, investigating, 'awaiting-approval': diagnosed, resolved } = incidentsInEveryState()
  const planOf = async (view: IncidentView | undefined) => {
    if (!view) throw new Error('there is no such state')
    const { message } = await draw('incident', { view, now: at(10) })
    expect(problemsOfBlocks(message.blocks)).toEqual([])
    expect(visibleLength(message.blocks)).toBeLessThanOrEqual(12_000)
    const plans = message.blocks.flatMap((block) =>
      block.type === 'plan' ? [block.tasks?.map(({ title, status }) => `${title}: ${status}`)] : [],
    )
    return plans[0] ?? null
  }
  const use = (outcome: 'concluded' | null, calls: number): ModelUse => ({
    ...{ provider: 'anthropic', model: 'm', outcome, words: null, questions: [], review: null, budget: BUDGET },
    spent: { seconds: 1, turns: 1, calls, tokens: 10, dollars: null, repeats: 0 },
  })

  test('stands on its card step by step, and goes with the diagnosis', async () => {
    expect(await planOf(open)).toEqual(['Collect evidence: pending', 'Rank causes: pending', 'Look for an action that helps: pending'])
    expect(await planOf({ ...(investigating as IncidentView), evidence: [] })).toContain('Collect evidence: in_progress')
    expect(await planOf(investigating)).toEqual([
      'Collect evidence: complete',
      'Rank causes: in_progress',
      'Look for an action that helps: pending',
    ])
    expect(await planOf(diagnosed)).toBeNull()
    expect(await planOf(resolved)).toBeNull()
  })

  test('says what could not be read, and that a model still looks, until it has said what it thinks', async () => {
    const evidence = investigating?.evidence.map((item) => ({ ...item, status: 'failed' as const })) ?? []
    expect(await planOf({ ...(investigating as IncidentView), evidence })).toContain('Collect evidence (2 could not be read): complete')
    const looked = { ...(diagnosed as IncidentView), model: use(null, 3) }
    expect(await planOf(looked)).toContain('Have a model look at it too: 3 questions so far: in_progress')
    expect(await planOf({ ...looked, model: use('concluded', 3) })).toBeNull()
    expect(await planOf({ ...(resolved as IncidentView), model: use(null, 0) })).toBeNull()
  })

  test('is said in words as well, where a workspace knows no plan', async () => {
    const { message } = await draw('incident', { view: investigating as IncidentView, now: at(10) })
    const plain = withoutNewest(message.blocks)
    expect(plain).toHaveLength(message.blocks.length - 1)
    expect(JSON.stringify(plain)).toContain('Evidence is being collected and causes are being ranked')
  })
})

describe('the card of an incident beside others', () => {
  const { recurred, back, part, whole } = incidentsBesideOthers()

  test('is a reply to what it was before, which the channel sees too', async () => {
    expect(await draw('incident', { view: recurred as IncidentView, now: at(10) })).toMatchObject({ below: 'INC-41', broadcast: true })
    const drawn = await draw('incident', { view: back as IncidentView, now: at(100) })
    expect(drawn).toMatchObject({ below: null, broadcast: false })
    expect(JSON.stringify(drawn.message.blocks)).toContain('https://steadyhand.example/#/incidents/INC-43')
  })

  test('looks for the cards of those parts only that it names', async () => {
    const parts = Array.from({ length: 30 }, (_, index) => `INC-${100 + index}`)
    const linked: string[] = []
    const { relations } = whole as IncidentView
    const view = { ...(whole as IncidentView), relations: { ...relations, parts } }
    const { message } = await draw('incident', { view, now: at(10), linked })
    expect(linked).toEqual(parts.filter((id) => JSON.stringify(message.blocks).includes(id)))
    expect(linked).toHaveLength(10)
  })

  test('is the way to the other one, and nothing else, once it is a part of that', async () => {
    const drawn = await draw('incident', { view: part as IncidentView, now: at(100) })
    expect(drawn).toMatchObject({ below: 'INC-40', broadcast: false, also: [] })
    expect(JSON.stringify(drawn.message.blocks)).toContain('https://w.slack.com/archives/C1/p1')
    expect(pressable(drawn.message.blocks)).toEqual([])
  })
})

test.each([
  '',
  'approve',
  'x y z',
  `${NONCE} -`,
  `${NONCE} ${'0'.repeat(63)} ref`,
  'short - ref',
  '<!channel> - ref',
  `${NONCE}\u202e - ref`,
])('a value that no card of ours has is no click: %j', (value) => {
  expect(readClick('approve', value)).toBeNull()
  expect(readClick('more', value)).toBeNull()
  expect(readClick('wipe', `${NONCE} - ref`)).toBeNull()
})
