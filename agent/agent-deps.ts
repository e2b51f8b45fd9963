import type { EffectJournal } from './actions/effect-journal.ts'
import type { ExecutorDeps } from './actions/executor.ts'
import type { PlanCard } from './actions/propose.ts'
import type { Agent } from './agent.ts'
import type { WatchTurn } from './detection/watch-turn.ts'
import type { Workspace } from './domain/workspace.ts'
import type { Heartbeats } from './heartbeats/heartbeats.ts'
import type { Questions } from './investigation/questions.ts'
import type { JobsDeps, Work } from './jobs.ts'
import type {
  AcceptedEffects,
  ApprovalKernel,
  AuditStore,
  ControlStore,
  ExecutionKernel,
  IncidentStore,
  ModelRunStore,
  PeopleStore,
  PowerStore,
  RecordsStore,
  RefusedAttempts,
  RunbookStore,
} from './ports.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { Topology } from './topology/inventory.ts'

/** The queue that carries the agent's work from row to row. */
export interface WorkQueue {
  enqueue(work: Work): Promise<void>
  handle(
    kind: Work['kind'],
    handler: (payload: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    options?: { concurrency?: number; timeoutMs?: number },
  ): void
  /** For a handler that does several jobs at once, at most `most`. When it throws, each is tried by itself. */
  handleTogether(
    kind: Work['kind'],
    handler: (payloads: readonly Record<string, unknown>[], signal: AbortSignal) => Promise<void>,
    most: number,
  ): void
}

export interface AgentDeps
  extends Omit<JobsDeps, 'enqueue' | 'inbox' | 'kernel'>,
    Pick<ExecutorDeps, 'catalog' | 'lease' | 'objectionOfPolicy' | 'crashpoint' | 'trace' | 'now' | 'log'> {
  incidents: IncidentStore
  approvals: ApprovalKernel
  executions: ExecutionKernel
  people: PeopleStore
  control: ControlStore
  power: PowerStore
  audit: AuditStore
  journal: EffectJournal
  acceptedEffects: AcceptedEffects
  refusals: RefusedAttempts
  inbox: JobsDeps['inbox'] & {
    accept(delivery: {
      source: string
      deliveryKey: string
      body: Uint8Array
      headers: Record<string, string>
      jobKind: string
    }): Promise<{ duplicate: boolean }>
  }
  queue: WorkQueue
  records: RecordsStore
  modelRuns: Pick<ModelRunStore, 'latest' | 'trace'>
  /** Absent where no model answers questions. */
  questions?: Questions | undefined
  runbooks: Pick<RunbookStore, 'search'>
  topology: Topology
  /** Questions of people to what was configured, about what an inventory holds. */
  telemetry(topology: Topology): Telemetry
  /** None while everybody sees everything. */
  workspaces: readonly Workspace[]
  card: PlanCard
  drills: Agent['drills']
  watching: WatchTurn
  /** Alerts that fire always, and are missed. */
  heartbeats?: Pick<Heartbeats, 'heard' | 'look'> | undefined
  /** Tells somebody outside that approved actions would run. */
  pulse?: WatchTurn | undefined
  /** Reasons the configuration gives to only observe. */
  configured(): readonly string[]
  /** Which halves of the work this process does: all of it unless it is split. */
  parts?: { agent: boolean; executor: boolean }
  /** Drops rows that have no more use. */
  tidy(): Promise<void>
  /** Writes something small to the database; rejects when that fails. */
  tryToWrite(): Promise<void>
  /** Called when the mode or an overdue thing has to be told. */
  page(words: string): Promise<void>
}
