import type {
  AcceptedEffects,
  ApprovalKernel,
  AuditStore,
  ControlStore,
  ExecutionKernel,
  IncidentStore,
  ModelRunStore,
  PeopleStore,
  PolicyStore,
  PowerStore,
  RecordsStore,
  RefusedAttempts,
  RunbookStore,
} from '../agent/ports.ts'
import { createAcceptedEffects } from './accepted-effects.ts'
import { type AppMeta, createAppMeta } from './app-meta.ts'
import { createApprovalKernel } from './approvals.ts'
import { createAuditStore } from './audit.ts'
import { createControlStore } from './control.ts'
import type { OpenDatabase } from './database.ts'
import { createDrillRunStore, type DrillRunStore } from './drill-runs.ts'
import { createExecutionKernel } from './execution.ts'
import { createGivenUp, type GivenUpStore } from './given-up.ts'
import { createHousekeeping } from './housekeeping.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createIncidentStore } from './incidents.ts'
import { createJobQueue, type JobQueue } from './job-queue.ts'
import { JOB_CHANNEL } from './job-rows.ts'
import type { JobQueueLog, JobWorkerDeps } from './job-worker.ts'
import { createLeases, type Leases } from './leases.ts'
import { createMessageStore, type MessageStore } from './messages.ts'
import { createModelRunStore } from './model-runs.ts'
import { createOutbox, OUTBOX_CHANNEL, type Outbox } from './outbox.ts'
import { createPeopleStore } from './people.ts'
import { createPolicyStore } from './policies.ts'
import { createPostings, type Postings } from './postings.ts'
import { createPowerStore } from './power.ts'
import { createRecordsStore } from './records.ts'
import { createRefusedAttempts } from './refused-attempts.ts'
import { createRetained, type RetentionSettings } from './retention.ts'
import { createRunbookStore } from './runbooks.ts'
import { createSessionStore, type SessionStore } from './sessions.ts'
import { createSignInAttempts, type SignInAttempts } from './sign-in-attempts.ts'
import { createStoredDeliveries } from './stored-deliveries.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'

/** Every store of the product over one open database. */
export interface Stores {
  incidents: IncidentStore
  approvals: ApprovalKernel
  executions: ExecutionKernel
  people: PeopleStore
  control: ControlStore
  power: PowerStore
  policies: PolicyStore
  audit: AuditStore
  acceptedEffects: AcceptedEffects
  refusals: RefusedAttempts
  inbox: Inbox
  outbox: Outbox
  queue: JobQueue
  givenUp: GivenUpStore
  /** The queue as the agent uses it: each enqueue is a commit of its own. */
  work: WorkQueue
  /** A lease for this process. On PGlite, which nobody else can have open, one that a dead process left behind is taken over at once. */
  leaseOf(name: string): Lease
  telemetry: Telemetry
  meta: AppMeta
  /** Writes something small; rejects when the database cannot be written to. */
  tryToWrite(): Promise<void>
  sessions: SessionStore
  signInAttempts: SignInAttempts
  messages: MessageStore
  postings: Postings
  drillRuns: DrillRunStore
  records: RecordsStore
  runbooks: RunbookStore
  modelRuns: ModelRunStore
  /** What was sent as changes, as it came. */
  toldChanges: ReturnType<typeof createStoredDeliveries>
  /** Drops what has no more use; call it now and then. */
  tidy(): Promise<void>
  /** Calls back when a notice was committed, by this process or another; returns the call that ends it. */
  onNotice(callback: () => void): Promise<() => void>
}

export interface WorkQueue {
  enqueue(work: { kind: string; payload: Record<string, unknown>; dedupe: string }): Promise<void>
  handle(
    kind: string,
    handler: (payload: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    options?: { concurrency?: number; timeoutMs?: number },
  ): void
  /** For a handler that does several jobs at once, at most `most`. When it throws, each is tried by itself. */
  handleTogether(
    kind: string,
    handler: (payloads: readonly Record<string, unknown>[], signal: AbortSignal) => Promise<void>,
    most: number,
  ): void
}

export interface Lease {
  acquire(): Promise<{ epoch: number } | null>
  renew(epoch: number): Promise<boolean>
  release(epoch: number): Promise<void>
}

/** Another process takes over this long after the holder was last heard of. */
const LEASE_SECONDS = 10

export interface StoresDeps {
  database: Pick<OpenDatabase, 'db' | 'urgent' | 'kind' | 'listen'>
  now: () => Date
  /** How long what is kept; the defaults where nothing is said. */
  retention?: RetentionSettings | undefined
  log: JobQueueLog
  /** Unique among the processes of this database, and new at each start. */
  workerId: string
  /** Told of each job that is given up. */
  onDeadJob: NonNullable<JobWorkerDeps['onDead']>
}

export function createStores({ database, now, retention, log, workerId, onDeadJob }: StoresDeps): Stores {
  const { db } = database
  const onEnqueued = (wake: () => void): Promise<() => void> => database.listen(JOB_CHANNEL, wake)
  const queue = createJobQueue({ db, now, log, workerId, soleWorker: database.kind === 'pglite', onEnqueued, onDead: onDeadJob })
  const telemetry = createTelemetry({ db })
  const inbox = createInbox(database)
  const outbox = createOutbox({ db })
  const meta = createAppMeta({ db })
  return {
    incidents: createIncidentStore({ db, now }),
    approvals: createApprovalKernel({ db }),
    executions: createExecutionKernel({ db }),
    people: createPeopleStore({ db }),
    control: createControlStore({ db }),
    power: createPowerStore({ db }),
    policies: createPolicyStore({ db }),
    audit: createAuditStore({ db }),
    acceptedEffects: createAcceptedEffects({ db }),
    refusals: createRefusedAttempts({ db }),
    inbox,
    outbox,
    queue,
    givenUp: createGivenUp({ db, inbox, outbox, queue }),
    work: {
      enqueue: async (work) => void (await queue.enqueue(db, work)),
      handle: (kind, handler, options) => queue.handle(kind, (payload, { signal }) => handler(payload, signal), options),
      handleTogether: queue.handleTogether,
    },
    leaseOf: (name) => leaseOf(createLeases({ db }), name, workerId, database.kind === 'pglite'),
    telemetry,
    tidy: createHousekeeping({ telemetry, queue, outbox, retained: createRetained({ db }), retention, now }),
    meta,
    tryToWrite: async () => await meta.set('self-check', now().toISOString()),
    sessions: createSessionStore({ db }),
    signInAttempts: createSignInAttempts({ db }),
    messages: createMessageStore({ db }),
    postings: createPostings({ db }),
    drillRuns: createDrillRunStore({ db }),
    records: createRecordsStore({ db }),
    runbooks: createRunbookStore({ db }),
    modelRuns: createModelRunStore({ db, now }),
    toldChanges: createStoredDeliveries({ db, source: 'changes' }),
    onNotice: (callback) => database.listen(OUTBOX_CHANNEL, callback),
  }
}

function leaseOf(leases: Leases, name: string, holder: string, alone: boolean): Lease {
  let inherited = alone
  return {
    async acquire() {
      if (inherited) {
        inherited = false
        const left = await leases.current(name)
        if (left) await leases.release(name, left.holder, left.epoch)
      }
      return await leases.acquire(name, holder, LEASE_SECONDS)
    },
    renew: (epoch) => leases.renew(name, holder, epoch, LEASE_SECONDS),
    release: (epoch) => leases.release(name, holder, epoch),
  }
}
