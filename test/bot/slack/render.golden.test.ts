import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { IncidentView, ModelUse } from '../../../agent/agent.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { ALL_FAULT_CLASSES } from '../../../agent/domain/fault-classes.ts'
import { BUDGET } from '../../../agent/investigation/budget.ts'
import { answerWhy } from '../../../bot/commands/explain.ts'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import { incidentCard } from '../../../bot/messages/incident-card.ts'
import { feedbackBar } from '../../../bot/slack/feedback-bar.ts'
import * as forms from '../../../bot/slack/forms.ts'
import { LIMITS } from '../../../bot/slack/limits.ts'
import { type RenderedMessage, renderBlocks } from '../../../bot/slack/render.ts'
import { blockKitFaults } from '../../support/block-kit.ts'
import { readLiveParts } from '../../support/block-kit-reader.ts'
import {
  anApproval,
  aPlan,
  approvalsInEveryState,
  at,
  incidentsBesideOthers,
  incidentsInEveryState,
  nameOf,
} from '../../support/builders.ts'
import { draw } from '../../support/drawn.ts'
import { problemsOfBlocks, problemsOfView } from '../../support/slack/validate.ts'

const CONSOLE = 'https://steadyhand.example'

const golden = (name: string): string => join(import.meta.dirname, 'golden', `${name}.json`)

async function check(name: string, message: RenderedMessage): Promise<void> {
  expect(blockKitFaults(message)).toEqual([])
  await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(golden(name))
}

/** With what is bound to a message when it is posted. */
async function checkPosted(name: string, message: RenderedMessage): Promise<void> {
  expect(problemsOfBlocks(message.blocks)).toEqual([])
  await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(golden(name))
}

describe('incident cards as Block Kit', () => {
  test.each(Object.entries({ ...incidentsInEveryState(), ...incidentsBesideOthers() }))('%s', async (name, view) => {
    await check(`incident-${name}`, renderBlocks(incidentCard(view, { now: at(10), consoleUrl: CONSOLE })))
  })
})

test('an answer that tells a diagnosis asks below it whether that was right', async () => {
  const view = incidentsInEveryState()['awaiting-approval']
  if (view === undefined) throw new Error('an incident was expected')
  const { judges = '', ...card } = answerWhy(view, { consoleUrl: CONSOLE })
  const { text, blocks } = renderBlocks(card)
  const message = { text, blocks: [...blocks, feedbackBar(judges, 'n'.repeat(24))] }
  await checkPosted('answer-why', message)
})

describe('forms', () => {
  const carried = { channel: 'C1', message: '1.000001', value: 'x' }
  const typed = anApproval({ plan: aPlan({ approval: { ...aPlan().approval, confirm: 'payments' } }) })
  const views = {
    approve: forms.approveForm(typed, carried),
    deny: forms.denyForm(typed, carried),
    ask: forms.askForm(carried),
    resolve: forms.resolveForm('INC-41', carried),
    feedback: forms.feedbackForm('INC-41', carried),
    freeze: forms.freezeForm(carried),
    stop: forms.stopForm(carried),
    investigate: forms.investigateForm(['payments', 'checkout'], carried),
  }

  test('has room for every cause there is', () => {
    expect(ALL_FAULT_CLASSES.length).toBeLessThanOrEqual(LIMITS.selectOptions)
  })

  test.each(Object.entries(views))('%s', async (name, view) => {
    expect(problemsOfView(view)).toEqual([])
    await expect(`${JSON.stringify(view, null, 2)}\n`).toMatchFileSnapshot(golden(`form-${name}`))
  })
})

describe('approval cards as Block Kit', () => {
  const trackRecord = { runs: 3, verified: 2, undone: 1, failed: 0, undetermined: 0 }

  test.each(Object.entries(approvalsInEveryState()))('%s', async (name, { approval, now }) => {
    const card = approvalCard(approval, { now, whoMay: ['alice', 'carol'], names: nameOf, trackRecord, consoleUrl: CONSOLE })
    await check(`approval-${name}`, renderBlocks(card))
  })

  test.each(Object.entries(approvalsInEveryState()))('%s carries opaque ids only', (_name, { approval, now }) => {
    const card = approvalCard(approval, { now, whoMay: ['alice', 'carol'], names: nameOf, consoleUrl: CONSOLE })
    for (const { value } of readLiveParts(renderBlocks(card)).buttons) expect(value).toBe(approval.id)
  })
})

describe('cards that are otherwise than usual', () => {
  const { 'awaiting-approval': usual } = incidentsInEveryState()
  const { verified } = approvalsInEveryState()
  if (usual === undefined || verified === undefined) throw new Error('cards were expected')
  const use = (outcome: 'concluded' | null): ModelUse => ({
    ...{ provider: 'anthropic', model: 'claude-test', outcome, words: null, budget: BUDGET },
    review: null,
    questions: outcome === null ? [] : ['Was the release announced?'],
    spent: { seconds: 14, turns: 3, calls: 4, tokens: 9_120, dollars: 0.08, repeats: 0 },
  })
  const held = (handling: Partial<IncidentView['handling']>): IncidentView => ({
    ...usual,
    approvals: [],
    incident: { ...usual.incident, state: 'observing' },
    handling: { ...usual.handling, ...handling },
  })
  const incidents: Record<string, IncidentView> = {
    taken: held({ taken: { by: 'alice', name: 'Alice', at: at(5) } }),
    snoozed: held({ snoozed: { by: 'alice', name: 'Alice', until: at(3_600), reason: 'known' } }),
    'model-looking': { ...usual, model: use(null) },
    'model-has-looked': { ...usual, model: use('concluded') },
    'drill-open': { ...held({}), incident: { ...usual.incident, state: 'open', drillRun: 'run-1' }, hypotheses: [], evidence: [] },
  }
  test.each(Object.entries(incidents))('incident: %s', async (name, view) => {
    await check(`incident-${name}`, renderBlocks(incidentCard(view, { now: at(10), consoleUrl: CONSOLE })))
  })

  const plan = aPlan()
  const success = { ...plan.success, heals: false as const }
  const approvals: Record<string, { approval: Approval; now: Date; whoMay?: string[]; manual?: string }> = {
    'too-large': { approval: anApproval({ plan: aPlan({ parameters: { note: '&'.repeat(450), tail: 'the end' } }) }), now: at(30) },
    nobody: { approval: anApproval(), now: at(30), whoMay: [] },
    'by-hand': { approval: anApproval(), now: at(30), manual: 'kubectl rollout undo deployment/payments' },
    'heals-nothing': { ...verified, approval: { ...verified.approval, plan: { ...verified.approval.plan, success } } },
  }
  test.each(Object.entries(approvals))('approval: %s', async (name, { approval, now, whoMay = ['alice', 'carol'], manual = null }) => {
    const card = approvalCard(approval, { now, whoMay, names: nameOf, manual, consoleUrl: CONSOLE })
    await check(`approval-${name}`, renderBlocks(card))
  })
})

describe('messages as they are posted', () => {
  const { asking, 'asking-two': typed, 'undo-waiting': waiting, expired } = approvalsInEveryState()
  const { open, investigating, 'awaiting-approval': asked, healed } = incidentsInEveryState()
  const posted = { 'incident-open': open, 'incident-investigating': investigating, 'incident-awaiting-approval': asked, ended: healed }
  test.each(Object.entries(posted))('%s', async (name, view) => {
    if (view === undefined) throw new Error('an incident was expected')
    const { message } = await draw(name === 'ended' ? 'ended' : 'incident', { view, now: at(10) })
    await checkPosted(`posted-${name}`, message)
  })

  test.each(Object.entries({ asking, typed, 'undo-waiting': waiting, expired }))('approval: %s', async (name, state) => {
    if (state === undefined) throw new Error('a request was expected')
    const { message } = await draw('approval', state)
    await checkPosted(`posted-approval-${name}`, message)
  })
})
