import { expect, it } from 'vitest'
import { createHousekeeping } from '../../storage/housekeeping.ts'
import { createTelemetry } from '../../storage/telemetry.ts'
import { describeDatabases } from '../support/database.ts'

describeDatabases('housekeeping', (store) => {
  const database = store.perTest()
  it('drops telemetry older than two hours, and keeps the rest', async () => {
    const now = new Date('2026-03-01T12:00:00Z')
    const telemetry = createTelemetry({ db: database().db })
    const hoursBefore = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000)
    const scrape = { target: 'local', service: 'payments', instance: 'payments-1', version: 'v41', samples: { up: 1 } }
    await telemetry.append([3, 2.1, 1.9, 0].map((hours) => ({ ...scrape, at: hoursBefore(hours) })))
    const pruned: Date[] = []
    await createHousekeeping({ telemetry, queue: { prune: async (before) => pruned.push(before) }, now: () => now })()
    const left = await telemetry.read({ service: 'payments', from: hoursBefore(24), to: now, limit: 10 })
    expect(left.map(({ at }) => at)).toEqual([hoursBefore(1.9), hoursBefore(0)])
    expect(pruned).toEqual([hoursBefore(24)])
  })
})
