import type { Integration } from '../contract.ts'
import type { Change, ChangesPort } from '../ports/changes.ts'
import { parseChanges } from './webhook.ts'

/** Stored deliveries of changes, the newest first. */
export interface StoredChanges {
  read(query: { since: Date; limit: number }): Promise<{ body: Uint8Array; receivedAt: Date }[]>
}

const MOST_DELIVERIES = 1_000
/** A change may be told a while after it was made. */
const TOLD_LATE_MS = 60 * 60_000

/** Changes that people and programs tell Steadyhand of, in every environment there is: read back from the deliveries as they were stored. */
export function createReportedChanges({ stored, environments }: { stored: StoredChanges; environments: readonly string[] }): Integration {
  const changes: ChangesPort = {
    async list({ services, from, to }) {
      const deliveries = await stored.read({ since: new Date(from.getTime() - TOLD_LATE_MS), limit: MOST_DELIVERIES })
      const told = deliveries.flatMap(({ body, receivedAt }) => readDelivery(body, receivedAt))
      const wanted = told.filter(({ service, at }) => (services === 'all' || services.includes(service)) && at >= from && at <= to)
      const query = `changes told for ${services === 'all' ? 'all services' : services.join(', ')}`
      return { query, changes: wanted.toSorted((a, b) => a.at.getTime() - b.at.getTime()) }
    },
  }
  return {
    id: 'reported',
    environments,
    changes,
    start: async () => {},
    stop: async () => {},
    check: async () => [],
  }
}

/** A change without a time of its own was made when it was told. */
function readDelivery(body: Uint8Array, receivedAt: Date): Change[] {
  const parsed = parseChanges(body)
  if (!parsed.ok) return []
  return parsed.changes.map((change) => ({ ...change, at: change.at ?? receivedAt, environment: change.environment ?? 'unknown' }))
}
