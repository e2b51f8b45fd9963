import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import { createFollowUp } from '../../../agent/actions/follow-up.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { Action } from '../../../integrations/ports/action.ts'
import { anApproval, anExecution } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import { createFakeTarget } from '../../support/fake-target.ts'
import { createInvestigationHarness } from '../../support/investigation-harness.ts'

const signal = (): AbortSignal => new AbortController().signal
const MINUTES = 60_000
const VERIFIED = anExecution(['claimed', 'intent', 'sent', 'succeeded', 'verified'])

describeDatabases('what people finish elsewhere', (store) => {
  const database = store.perTest()

  const watched = async (said: Partial<Approval> = {}) => {
    const harness = createInvestigationHarness(database())
    const incidentId = await harness.open()
    const made = anApproval({ requestState: 'authorised', execution: VERIFIED, ...said })
    let clock = made.createdAt.getTime()
    let [isOver, isAway, asked] = [false, false, 0]
    const standing: Action['standing'] = async ({ planId }) => {
      asked += 1
      if (isAway) throw new IntegrationError('forge', 'unavailable', 'cannot be reached')
      expect(planId).toBe(made.plan.id)
      return { isOver, words: 'Pull request #7 was merged.' }
    }
    const { action } = createFakeTarget(() => new Date(clock))
    const { kind, version } = made.plan.action
    const followed = { ...action, definition: { ...action.definition, kind, version }, standing }
    const warnings: object[] = []
    const followUp = createFollowUp({
      approvals: { approvals: async () => ({ items: [{ ...made, incidentId }], next: null }) },
      incidents: harness.incidents,
      catalog: createCatalog([{ id: 'forge', environments: ['local'], actions: [followed], metrics: null }]),
      now: () => new Date(clock),
      log: { info: () => {}, warn: (detail) => void warnings.push(detail), error: () => {} },
    })
    return {
      warnings,
      asked: () => asked,
      look: async (minutes: number, how: { over?: boolean; away?: boolean } = {}) => {
        clock += minutes * MINUTES
        isOver = how.over ?? false
        isAway = how.away ?? false
        await followUp(signal())
      },
      async told() {
        const { rows } = await sql<{ words: string }>`
          select body ->> 'words' as words from outbox where topic = 'notice' and incident_id = ${incidentId}`.execute(database().db)
        const timeline = await harness.incidents.timeline(incidentId)
        return [rows.map(({ words }) => words), timeline.filter(({ kind }) => kind === 'request-ended').map(({ text }) => text)]
      },
    }
  }
  const ONCE = [['Pull request #7 was merged.'], ['Pull request #7 was merged.']]

  it('is looked at every five minutes, and told once when it is over, in the thread and on the timeline', async () => {
    const { look, told, asked, warnings } = await watched()
    await look(0)
    await look(1, { over: true })
    expect([asked(), await told()]).toEqual([1, [[], []]])
    await look(5, { away: true })
    expect(warnings).toHaveLength(1)
    await look(5, { over: true })
    expect(await told()).toEqual(ONCE)
    await look(5, { over: true })
    expect([asked(), await told()]).toEqual([3, ONCE])
  })

  it('is not asked about where it was undone or never came about, nor after two weeks', async () => {
    const failed = await watched({ execution: anExecution(['claimed', 'intent', 'sent', 'failed']) })
    await failed.look(0, { over: true })
    const late = await watched()
    await late.look(15 * 24 * 60, { over: true })
    expect([failed.asked(), late.asked()]).toEqual([0, 0])
  })
})
