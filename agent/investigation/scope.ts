import type { Integration } from '../../integrations/contract.ts'
import { type Alert, latestOfEach } from '../domain/alert.ts'
import type { Incident } from '../domain/incident.ts'
import { startOf } from '../domain/incident-start.ts'
import { servicesNear } from '../topology/dependency-graph.ts'
import type { Inventory } from '../topology/inventory.ts'

/** The read-only half of an integration: nothing that acts can be reached from here. */
export type Source = Pick<
  Integration,
  'id' | 'environments' | 'metrics' | 'logs' | 'traces' | 'changes' | 'workloads' | 'clusterState' | 'repositories' | 'outsideTools'
>

/** What one round of investigation looks at. */
export interface Scope {
  service: string
  environment: string
  /** Itself first, then what is on one path of calls with it, the nearest first. */
  near: readonly string[]
  /** Of those, the services that this one calls, directly or through others. */
  dependencies: readonly string[]
  /** Its graph has the calls of this environment only. */
  inventory: Inventory
  trigger: Alert['trigger']
  startedAt: Date
  from: Date
  to: Date
}

const BEFORE_MS = 5 * 60_000
const MAX_NEAR = 12

export function scopeOf(incident: Incident, alerts: readonly Alert[], whole: Inventory, now: Date): Scope {
  const inventory = { ...whole, graph: whole.graph.within(incident.environment) }
  const startedAt = startOf(incident, alerts)
  const near = servicesNear(inventory.graph, incident.service, MAX_NEAR)
  const dependencies = inventory.graph.dependenciesOf(incident.service)
  return {
    service: incident.service,
    environment: incident.environment,
    near,
    dependencies: near.filter((name) => dependencies.has(name)),
    inventory,
    trigger: triggerOf(alerts),
    startedAt,
    from: new Date(startedAt.getTime() - BEFORE_MS),
    to: now,
  }
}

/** The first alert that is still firing decides what is read again; when none is, the first that said what it measures. */
export function triggerOf(alerts: readonly Alert[]): Alert['trigger'] {
  const firing = latestOfEach(alerts).filter(({ status }) => status === 'firing')
  return [...firing, ...alerts].find(({ trigger }) => trigger !== null)?.trigger ?? null
}

/** The sources that reach the environment; when none does, nothing is asked anywhere else. */
export function sourcesFor(sources: readonly Source[], environment: string): Source[] {
  return sources.filter(({ environments }) => environments.includes(environment))
}
