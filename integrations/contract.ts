import type { Alert } from '../agent/domain/alert.ts'
import type { Action } from './ports/action.ts'
import type { ChangesPort } from './ports/changes.ts'
import type { ClusterStatePort } from './ports/cluster-state.ts'
import type { DrillsPort } from './ports/drills.ts'
import type { LogsPort } from './ports/logs.ts'
import type { MetricsPort } from './ports/metrics.ts'
import type { OutsideToolsPort } from './ports/outside-tools.ts'
import type { RepositoriesPort } from './ports/repositories.ts'
import type { TracesPort } from './ports/traces.ts'
import type { WorkloadsPort } from './ports/workloads.ts'

/** One finding of `doctor`: what is so, and what to do about it when it is not well. */
export interface CheckResult {
  name: string
  status: 'ok' | 'warning' | 'failed'
  words: string
  fix: string | null
}

/** One scrape of one instance, on its way into storage. */
export interface Scrape {
  at: Date
  service: string
  instance: string
  version: string
  /** Raw samples by series name with labels, as scraped: 'http_requests_total{status="500"}'. */
  samples: Record<string, number>
}

/** What the composition root lends to an integration. */
export interface IntegrationDeps {
  now: () => Date
  log: {
    info(object: object, message: string): void
    warn(object: object, message: string): void
    error(object: object, message: string): void
  }
  /** Rows that survive a restart. */
  memory: { load(key: string): Promise<unknown>; save(key: string, value: unknown): Promise<void> }
  /** Where an integration that scrapes keeps its samples. */
  scrapes: {
    append(rows: readonly Scrape[]): Promise<void>
    read(query: { service: string; from: Date; to: Date }): Promise<Scrape[]>
  }
  /** Alerts the integration found itself; durable when the promise resolves. */
  raise(alerts: readonly Alert[]): Promise<void>
}

/** A vendor or target, as the capabilities it offers. Nothing happens before `start`. */
export interface Integration {
  id: string
  /** Environments it reaches; 'local' is the only one that unconfigured people may act on. */
  environments: readonly string[]
  metrics?: MetricsPort
  logs?: LogsPort
  traces?: TracesPort
  changes?: ChangesPort
  workloads?: WorkloadsPort
  clusterState?: ClusterStatePort
  outsideTools?: OutsideToolsPort
  repositories?: RepositoriesPort
  actions?: readonly Action[]
  drills?: DrillsPort
  start(): Promise<void>
  stop(): Promise<void>
  check(): Promise<CheckResult[]>
}
