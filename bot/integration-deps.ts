import { createHash } from 'node:crypto'
import type { Agent } from '../agent/agent.ts'
import type { IntegrationDeps, Scrape } from '../integrations/contract.ts'

/** The stores that integrations are lent a part of. */
export interface LentStores {
  meta: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }
  telemetry: {
    append(rows: readonly (Scrape & { target: string })[]): Promise<void>
    read(query: {
      service: string
      target: string
      from: Date
      to: Date
      limit: number
    }): Promise<(Omit<Scrape, 'samples'> & { samples: Readonly<Record<string, unknown>> })[]>
  }
  inbox: { accept(delivery: Parameters<Agent['receive']>[0] & { jobKind: string }): Promise<unknown> }
}

const MOST_SCRAPES = 10_000

/** What one integration gets: rows under its own name only, and a way in for the alerts it finds itself. */
export function integrationDeps(
  id: string,
  { meta, telemetry, inbox }: LentStores,
  { now, log }: Pick<IntegrationDeps, 'now' | 'log'>,
): IntegrationDeps {
  const key = (name: string): string => `integration:${id}:${name}`
  return {
    now,
    log,
    memory: { load: (name) => meta.get(key(name)), save: (name, value) => meta.set(key(name), value) },
    scrapes: {
      append: (rows) => telemetry.append(rows.map((row) => ({ ...row, target: id }))),
      async read(query) {
        const rows = await telemetry.read({ ...query, target: id, limit: MOST_SCRAPES })
        return rows.map((row) => ({ ...row, samples: numbersOf(row.samples) }))
      },
    },
    /** As a delivery like any other: durable once accepted, and taken once. */
    async raise(alerts) {
      const body = new TextEncoder().encode(JSON.stringify(alerts))
      const deliveryKey = createHash('sha256').update(body).digest('hex')
      await inbox.accept({ source: id, deliveryKey, body, headers: {}, jobKind: 'intake' })
    },
  }
}

function numbersOf(samples: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(Object.entries(samples).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** For an integration that is asked what it offers and never started: it has nowhere to keep anything. */
export function unlentDeps(now: () => Date): IntegrationDeps {
  const unlent = (): Promise<never> => Promise.reject(new Error('an integration that was not started has no stores'))
  const quiet = { info: () => {}, warn: () => {}, error: () => {} }
  return { now, log: quiet, memory: { load: unlent, save: unlent }, scrapes: { append: unlent, read: unlent }, raise: unlent }
}
