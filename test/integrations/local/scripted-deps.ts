import type { Alert } from '../../../agent/domain/alert.ts'
import type { IntegrationDeps, Scrape } from '../../../integrations/contract.ts'

/** What an integration is lent, kept in memory; the rows outlive an integration that is stopped and made anew with them. */
export interface ScriptedDeps extends IntegrationDeps {
  rows: Map<string, unknown>
  scraped: Scrape[]
  alerts: Alert[]
  warnings: string[]
}

export function scriptedDeps(earlier?: ScriptedDeps): ScriptedDeps {
  const rows = earlier?.rows ?? new Map<string, unknown>()
  const scraped = earlier?.scraped ?? []
  const alerts: Alert[] = earlier?.alerts ?? []
  const warnings: string[] = []
  return {
    rows,
    scraped,
    alerts,
    warnings,
    now: () => new Date(),
    log: {
      info: () => undefined,
      warn: (_object, message) => void warnings.push(message),
      error: (_object, message) => void warnings.push(message),
    },
    memory: {
      load: async (key) => structuredClone(rows.get(key) ?? null),
      save: async (key, value) => void rows.set(key, JSON.parse(JSON.stringify(value))),
    },
    scrapes: {
      append: async (added) => void scraped.push(...added),
      read: async ({ service, from, to }) => scraped.filter((row) => row.service === service && row.at >= from && row.at <= to),
    },
    raise: async (raised) => void alerts.push(...raised),
  }
}
