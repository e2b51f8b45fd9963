import { expect, test } from 'vitest'
import type { Approval } from '../../../agent/domain/approval.ts'
import type { IncidentRecord } from '../../../agent/ports.ts'
import { readFigures } from '../../../agent/records/records.ts'
import { anApproval } from '../../support/builders.ts'

const FROM = new Date('2026-03-01T00:00:00Z')
const QUERY = { from: FROM, to: new Date('2026-03-31T00:00:00Z'), service: null, drills: false }
const OPENED = new Date('2026-03-02T12:00:00Z')
const incident: IncidentRecord = {
  ...{ id: 'inc-1', service: 'payments', environment: 'local', severity: 2, openedAt: OPENED, endedAt: null, acknowledgedAt: null },
  ...{ ending: null, isDrill: false },
}

/** Pages of requests, one after another; the cursor is the number of the next. */
function storesOf(pages: readonly (readonly Approval[])[], isAll = true) {
  return {
    records: { incidents: async () => ({ items: [incident], isAll }), feedback: async () => ({ right: 0, wrong: 0 }) },
    approvals: {
      approvals: async ({ cursor = '0' }: { cursor?: string }) => {
        const next = Number(cursor) + 1
        return { items: [...(pages[Number(cursor)] ?? [])], next: next < pages.length ? String(next) : null }
      },
    },
  }
}
const request = (createdAt: Date) => anApproval({ incidentId: 'inc-1', createdAt, requestState: 'denied' })

test('a page on which nothing is seen ends nothing', async () => {
  const { requests, isWhole } = await readFigures(storesOf([[], [request(OPENED)], [], [request(OPENED)]]), QUERY)
  expect([requests.asked, isWhole]).toEqual([2, true])
})

test('reading ends with a page that ends before the window', async () => {
  const old = request(new Date('2026-02-01T12:00:00Z'))
  expect((await readFigures(storesOf([[request(OPENED), old], [request(OPENED)]]), QUERY)).requests.asked).toBe(1)
})

test('figures of more than is read at once say that they are not whole', async () => {
  const endless = Array.from({ length: 100 }, () => [request(OPENED)])
  expect((await readFigures(storesOf(endless), QUERY)).isWhole).toBe(false)
  expect((await readFigures(storesOf([[]], false), QUERY)).isWhole).toBe(false)
})
