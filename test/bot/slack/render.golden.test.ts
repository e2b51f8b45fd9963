import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALL_FAULT_CLASSES } from '../../../agent/domain/fault-classes.ts'
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
import { problemsOfBlocks, problemsOfView } from '../../support/slack/validate.ts'

const CONSOLE = 'https://steadyhand.example'

const golden = (name: string): string => join(import.meta.dirname, 'golden', `${name}.json`)

async function check(name: string, message: RenderedMessage): Promise<void> {
  expect(blockKitFaults(message)).toEqual([])
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
  expect(problemsOfBlocks(message.blocks)).toEqual([])
  await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(golden('answer-why'))
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
