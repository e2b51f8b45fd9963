import type { Alert } from '../../agent/domain/alert.ts'
import type { Workspace } from '../../agent/domain/workspace.ts'
import type { Budget } from '../../agent/investigation/budget.ts'
import { createInvestigation, type Investigation } from '../../agent/investigation/investigation.ts'
import { createModelHelp } from '../../agent/investigation/model-help.ts'
import type { Source } from '../../agent/investigation/scope.ts'
import type { IncidentStore, ModelRunStore, RunbookStore } from '../../agent/ports.ts'
import { createTopology } from '../../agent/topology/inventory.ts'
import type { ModelPort } from '../../integrations/ports/model.ts'
import type { OpenDatabase } from '../../storage/database.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { createModelRunStore } from '../../storage/model-runs.ts'
import { createRunbookStore } from '../../storage/runbooks.ts'
import { alert } from './alerts.ts'
import { createShopTelemetry, type ShopTelemetry } from './shop-telemetry.ts'

/** Seconds that tests speak of count from here; the trouble begins at second 0. */
const ZERO = Date.parse('2026-03-01T10:42:00.000Z')
export const at = (second: number): Date => new Date(ZERO + second * 1_000)

export const ERRORS: Alert['trigger'] = { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.2 }

/** What a harness has of models: providers, and limits that differ from the usual ones. */
export interface HarnessModels {
  models: readonly ModelPort[]
  budget?: Partial<Budget>
  /** Milliseconds for all questions of a round, where a second is not enough for what is asked. */
  deadlineMs?: number
  secondOpinion?: boolean
  reviewSeconds?: number
}

export interface InvestigationHarness {
  modelRuns: ModelRunStore
  shop: ShopTelemetry
  incidents: IncidentStore
  runbooks: RunbookStore
  investigation: Investigation
  warnings: object[]
  /** Moves the clock to this second. */
  goTo(second: number): void
  /** An incident with this alert, opened now. */
  open(said?: Partial<Alert>): Promise<string>
  attach(incidentId: string, said: Partial<Alert>): Promise<void>
}

/** A shop with telemetry, a store, and a clock that stands where the test puts it. */
export function createInvestigationHarness(
  database: OpenDatabase,
  models: HarnessModels = { models: [] },
  workspaces: readonly Workspace[] = [],
  others: readonly Source[] = [],
): InvestigationHarness {
  let time = at(4)
  const now = (): Date => time
  const shop = createShopTelemetry()
  const warnings: object[] = []
  const log = { info: () => {}, warn: (object: object) => void warnings.push(object) }
  const incidents = createIncidentStore({ db: database.db, now })
  const runbooks = createRunbookStore({ db: database.db })
  const topology = createTopology({ sources: shop.source.workloads ? [{ id: 'shop', workloads: shop.source.workloads }] : [], now, log })
  const modelRuns = createModelRunStore({ db: database.db, now })
  const model = createModelHelp(models.models, models.budget ?? {}, modelRuns, models)
  return {
    modelRuns,
    shop,
    incidents,
    runbooks,
    investigation: createInvestigation({
      ...{ incidents, runbooks, sources: [shop.source, ...others], topology, workspaces, now, log, deadlineMs: models.deadlineMs ?? 1_000 },
      ...(model ? { model } : {}),
    }),
    warnings,
    goTo: (second) => {
      time = at(second)
    },
    async open(said = {}) {
      const heard = alert({ startsAt: at(0).toISOString(), trigger: ERRORS, ...said })
      const { incidentId } = await incidents.absorb(heard, null, () => ({
        do: 'open',
        title: `${heard.service}: ${heard.name}`,
        service: heard.service ?? 'unknown',
        environment: heard.environment ?? 'unknown',
        severity: 1,
        severityReason: 'level critical',
        drillRun: null,
        reason: `${heard.name} is firing`,
      }))
      if (incidentId === null) throw new Error('an incident was expected')
      return incidentId
    },
    async attach(incidentId, said) {
      await incidents.absorb(alert({ startsAt: at(0).toISOString(), ...said }), null, () => ({
        do: 'attach',
        incidentId,
        reason: 'it belongs here',
      }))
    },
  }
}

/** payments goes from v41 to v42 and fails from the next second on; checkout and storefront suffer. */
export function breakPayments({ shop }: InvestigationHarness): void {
  shop.change({ service: 'payments', at: at(-2), summary: 'payments went from v41 to v42' })
  shop.run('payments', { version: 'v42', previousVersion: 'v41' })
  shop.set('payments', 'error_ratio', 0.615, at(0))
  shop.set('checkout', 'error_ratio', 0.6, at(0))
  shop.set('storefront', 'error_ratio', 0.4, at(1))
  for (let i = 0; i < 20; i += 1)
    shop.log({ service: 'payments', at: at(i / 5), text: `POST /charges failed: RangeError: ${30 + i}.63 is no integer` })
}
