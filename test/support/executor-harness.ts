import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCatalog } from '../../agent/actions/catalog.ts'
import { createExecutor, type Executor, type ExecutorDeps } from '../../agent/actions/executor.ts'
import { type Proposal, type ProposalInput, type ProposeDeps, propose, proposeAction } from '../../agent/actions/propose.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import type { Hypothesis } from '../../agent/domain/hypothesis.ts'
import type { Incident } from '../../agent/domain/incident.ts'
import type { MetricBound } from '../../agent/domain/plan.ts'
import type { Actor } from '../../agent/domain/principal.ts'
import type { ApprovalKernel, AuditStore, ControlStore, ExecutionKernel, IncidentStore, PeopleStore } from '../../agent/ports.ts'
import type { Parameters } from '../../integrations/ports/action.ts'
import { createApprovalKernel } from '../../storage/approvals.ts'
import { createAuditStore } from '../../storage/audit.ts'
import { createControlStore } from '../../storage/control.ts'
import type { OpenDatabase } from '../../storage/database.ts'
import { openEffectJournal } from '../../storage/effect-journal.ts'
import { createExecutionKernel } from '../../storage/execution.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { createLeases } from '../../storage/leases.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { moveClock } from './database.ts'
import { createFakeTarget, type FakeTarget } from './fake-target.ts'

export interface AskOptions {
  requester?: string
  symptom?: boolean
  symptomOf?: string
  asked?: boolean
  /** What is otherwise about the incident. */
  incident?: Partial<Incident>
}

/** The kernel, an executor and a fake target around one database, with one clock for all of them. */
export interface ExecutorHarness {
  target: FakeTarget
  proposing: ProposeDeps
  kernel: ApprovalKernel
  executions: ExecutionKernel
  people: PeopleStore
  control: ControlStore
  audit: AuditStore
  incidents: IncidentStore
  journal: Awaited<ReturnType<typeof openEffectJournal>>
  incidentId: string
  /** Called before an executor prolongs its lease. */
  onRenew: (() => Promise<void>) | null
  /** Asks for the fake target's action; `symptom` true reads the trigger again before acting, of `symptomOf` if that is another service. */
  ask(options?: AskOptions): Promise<Proposal>
  /** Asks for the fake target's action on whatever is named, with whatever parameters. */
  askFor(name: string, parameters: Record<string, unknown>): Promise<Proposal>
  /** The same, and expects a card. */
  card(options?: AskOptions): Promise<Approval>
  vote(approval: Approval, person: string, decision?: 'approve' | 'deny'): Promise<Approval>
  /** A new executor with a holder of its own. Every one is stopped by `close`. */
  executor(overrides?: Partial<ExecutorDeps>): Executor
  /** Moves the database's clock and everybody's `now`, in seconds from real time. */
  moveTo(seconds: number): Promise<void>
  approval(id: string): Promise<Approval>
  /** Waits until an approval satisfies the condition; fails with what it was instead after 10 s. */
  until(id: string, condition: (approval: Approval) => boolean): Promise<Approval>
  close(): Promise<void>
}

const ACTORS: Record<string, Actor> = Object.fromEntries(
  ['alice', 'carol', 'bob'].map((id) => [id, { surface: 'console', tenant: 'local', externalId: id }]),
)
const SYMPTOM: MetricBound = { service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.2', unit: 'ratio' }
const HYPOTHESIS: Hypothesis = {
  rank: 1,
  class: 'bad_release',
  component: 'service/payments',
  confidence: 80,
  parts: [],
  claims: [],
  against: [],
  unknown: [],
  since: null,
}
const QUIET = { info: () => {}, warn: () => {}, error: () => {} }

export async function createExecutorHarness(database: OpenDatabase, needed = 1): Promise<ExecutorHarness> {
  const { db } = database
  let offset = 0
  const now = (): Date => new Date(Date.now() + offset * 1_000)
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-executor-'))
  const target = createFakeTarget(now)
  const catalog = createCatalog([target.provider])
  const kernel = createApprovalKernel({ db })
  const executions = createExecutionKernel({ db })
  const people = createPeopleStore({ db })
  const control = createControlStore({ db })
  const incidents = createIncidentStore({ db, now })
  const journal = await openEffectJournal(directory)
  const leases = createLeases({ db })
  const started: Executor[] = []

  await kernel.registerActions(catalog.definitions)
  await people.sync(
    ['alice', 'carol', 'bob'].map((id) => ({
      id,
      name: id,
      roles: [id === 'bob' ? ('viewer' as const) : ('approver' as const)],
      environments: ['local'],
      links: [{ surface: 'console', tenant: 'local', externalId: id }],
    })),
  )
  const incidentId = await openIncident(incidents)

  const proposing: ProposeDeps = {
    kernel,
    catalog,
    policy: () => ({
      decide: 'ask',
      asking: { rule: 'test', role: 'approver', needed, requesterMayApprove: false, ttlSeconds: 600, cooldownSeconds: 0, typed: false },
    }),
    card: { fits: () => true, renderHash: () => 'a'.repeat(64), renderVersion: 1 },
    presentations: () => [{ surface: 'console', tenant: 'local', place: 'console' }],
    dependents: async () => ['checkout'],
    build: () => 'b'.repeat(64),
    workspaces: [],
    now,
  }
  const approval = async (id: string): Promise<Approval> => {
    const found = await kernel.approval(id)
    if (!found) throw new Error(`approval ${id} does not exist`)
    return found
  }
  const inputOf = async ({
    requester,
    symptom = false,
    symptomOf = 'payments',
    asked = false,
    incident: changed,
  }: AskOptions): Promise<ProposalInput> => {
    const incident = await incidents.get(incidentId)
    if (!incident) throw new Error('the incident is gone')
    const { items } = await kernel.approvals({ incidentId, limit: 50 })
    return {
      incident: { ...incident, ...changed },
      hypothesis: HYPOTHESIS,
      corroborated: true,
      symptom: symptom ? { ...SYMPTOM, service: symptomOf } : null,
      approvals: items,
      requester: requester ?? null,
      asked,
    }
  }
  const ask: ExecutorHarness['ask'] = async (options = {}) => await propose(proposing, await inputOf(options))

  const harness: ExecutorHarness = {
    onRenew: null,
    target,
    proposing,
    kernel,
    executions,
    people,
    control,
    audit: createAuditStore({ db }),
    incidents,
    journal,
    incidentId,
    ask,
    async askFor(name, parameters) {
      const [entry] = catalog.entries
      if (!entry) throw new Error('the catalogue is empty')
      const wanted = { target: { environment: 'local', name }, parameters: parameters as Parameters }
      return await proposeAction(proposing, await inputOf({ asked: true }), entry, wanted)
    },
    approval,
    async card(options) {
      const proposal = await ask(options)
      if (proposal.result !== 'asked') throw new Error(`no card: ${proposal.words}`)
      return proposal.approval
    },
    vote: async ({ id, digest }, person, decision = 'approve') =>
      await kernel.vote({
        requestId: id,
        digest,
        decision,
        actor: ACTORS[person] ?? { surface: 'console', tenant: 'local', externalId: person },
        place: 'console',
        confirm: null,
        reason: null,
        deliveryKey: randomUUID(),
      }),
    executor(overrides = {}) {
      const holder = randomUUID()
      const executor = createExecutor({
        kernel: executions,
        approvals: kernel,
        control,
        catalog,
        journal,
        objectionOfPolicy: () => null,
        crashpoint: () => {},
        now,
        lease: {
          acquire: async () => await leases.acquire('executor', holder, 10),
          renew: async (epoch) => {
            await harness.onRenew?.()
            return await leases.renew('executor', holder, epoch, 10)
          },
          release: async (epoch) => await leases.release('executor', holder, epoch),
        },
        observing: async () => [],
        moved: async () => {},
        log: QUIET,
        ...overrides,
      })
      started.push(executor)
      return executor
    },
    async moveTo(seconds) {
      await moveClock(database, seconds)
      offset = seconds
    },
    async until(id, condition) {
      const end = Date.now() + 10_000
      for (;;) {
        const found = await approval(id)
        if (condition(found)) return found
        if (Date.now() > end)
          throw new Error(`after 10 s the approval is ${found.requestState}, ${JSON.stringify(found.execution?.events.at(-1))}`)
        for (const executor of started) executor.wake()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async close() {
      await Promise.all(started.map(async (executor) => await executor.stop()))
      await rm(directory, { recursive: true, force: true })
    },
  }
  return harness
}

async function openIncident(incidents: IncidentStore): Promise<string> {
  const { incidentId } = await incidents.absorb(
    {
      source: 'test',
      key: randomUUID(),
      name: 'Errors',
      status: 'firing',
      level: 'high',
      service: 'payments',
      environment: 'local',
      summary: null,
      labels: {},
      annotations: {},
      startsAt: null,
      endsAt: null,
      link: null,
      trigger: null,
    },
    null,
    () => ({
      do: 'open',
      title: 'payments fails',
      service: 'payments',
      environment: 'local',
      severity: 2,
      severityReason: 'test',
      drillRun: null,
      reason: 'test',
    }),
  )
  if (!incidentId) throw new Error('no incident was opened')
  return incidentId
}
