import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { approvalCard } from '../../../bot/messages/approval-card.ts'
import { incidentCard } from '../../../bot/messages/incident-card.ts'
import { type RenderedMessage, renderBlocks } from '../../../bot/slack/render.ts'
import { blockKitFaults } from '../../support/block-kit.ts'
import { readLiveParts } from '../../support/block-kit-reader.ts'
import { approvalsInEveryState, at, incidentsBesideOthers, incidentsInEveryState, nameOf } from '../../support/builders.ts'

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
