import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Approval, Decision, ExecutionState } from '../../agent/domain/approval.ts'
import type { SealedPlan } from '../../agent/domain/plan.ts'
import type { Actor } from '../../agent/domain/principal.ts'
import type {
  ApprovalKernel,
  AuditStore,
  ControlStore,
  ExecutionKernel,
  PeopleStore,
  PolicyStore,
  PowerStore,
  VoteInput,
} from '../../agent/ports.ts'
import { createApprovalKernel } from '../../storage/approvals.ts'
import { createAuditStore } from '../../storage/audit.ts'
import { createControlStore } from '../../storage/control.ts'
import type { OpenDatabase } from '../../storage/database.ts'
import { createExecutionKernel } from '../../storage/execution.ts'
import { createLeases } from '../../storage/leases.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { createPolicyStore } from '../../storage/policies.ts'
import { createPowerStore } from '../../storage/power.ts'
import type { Database } from '../../storage/schema.ts'
import { describeDatabases, moveClock, type TestStore } from './database.ts'
import { makeFresh, rememberFresh } from './fresh-database.ts'
import { type PlanOptions, SAMPLE_ACTIONS, samplePlan } from './kernel-plans.ts'

/** Where the sample cards are shown. */
export const CHANNEL = { surface: 'slack', tenant: 'T1', place: 'C-incidents' } as const
export const RENDER_HASH = 'c'.repeat(64)
const LEASE_SECONDS = 86_400

/** A request as a test made it. */
export interface Asked {
  requestId: string
  parent: SealedPlan
  undo: SealedPlan | null
}

/** One whole kernel over one database, with people, a catalogue, three incidents and the executor's lease. */
export interface Kernel {
  db: Kysely<Database>
  approvals: ApprovalKernel
  executions: ExecutionKernel
  people: PeopleStore
  control: ControlStore
  power: PowerStore
  policies: PolicyStore
  audit: AuditStore
  /** The epoch of the lease that the tests hold. */
  epoch: number
  /** The database's time, as `later` has moved it. */
  now(): Date
  /** Moves the database's clock on. */
  later(seconds: number): Promise<void>
  propose(options?: PlanOptions): Promise<Asked>
  /** A click on Approve, or Deny, by a person's Slack account. */
  click(asked: Asked, person: string, over?: Partial<VoteInput>): Promise<Approval>
  /** Proposes and clicks until the quorum is reached; returns the authorisation. */
  authorise(options?: PlanOptions): Promise<Asked & { authorisationId: string }>
  /** Authorises, claims, and takes the given steps. */
  carryOut(options: PlanOptions, ...steps: ExecutionState[]): Promise<Asked & { authorisationId: string; executionId: string }>
  advance(executionId: string, to: ExecutionState, detail?: Record<string, unknown>): Promise<void>
}

/** A person's Slack account. */
export function actorOf(person: string): Actor {
  return { surface: 'slack', tenant: 'T1', externalId: `U-${person}` }
}

/** What a click on the card delivers. */
export function clickOf(asked: Asked, person: string, over: Partial<VoteInput> = {}): VoteInput {
  const decision: Decision = 'approve'
  return {
    requestId: asked.requestId,
    digest: asked.parent.digest,
    decision,
    actor: actorOf(person),
    place: CHANNEL.place,
    confirm: asked.parent.plan.approval.confirm,
    reason: null,
    deliveryKey: randomUUID(),
    ...over,
  }
}

/**
 * Runs a suite of the kernel on every store. After every test the whole proof is run: the chain and each checker find nothing, unless the test
 * has called `tampers`.
 */
export function describeKernel(title: string, body: (kernel: () => Kernel, store: TestStore) => void): void {
  describeDatabases(title, (store) => {
    const database = store.perSuite()
    let kernel: Kernel | null = null
    beforeAll(async () => {
      await seed(database().db)
      await rememberFresh(database().db)
    })
    beforeEach(async () => {
      await makeFresh(database().db)
      kernel = createKernel(database())
    })
    afterEach(async () => {
      if (kernel && !tampered.has(kernel)) await verified(kernel)
    })
    body(() => {
      if (!kernel) throw new Error('the kernel is there only while a test runs')
      return kernel
    }, store)
  })
}

const tampered = new WeakSet<Kernel>()

/** Says that this test breaks the rules on purpose, so that the proof after it is left out. */
export function tampers(kernel: Kernel): Kernel {
  tampered.add(kernel)
  return kernel
}

/** The whole proof: fails with the violations in words. */
export async function verified({ audit }: Pick<Kernel, 'audit'>): Promise<void> {
  const report = await audit.verify()
  expect(report.violations).toEqual([])
  expect(report.ok).toBe(true)
}

/** What the proof finds, without its headings' long claims: 'invariant 2: … SUBJECT WORDS'. */
export async function violationsOf({ audit }: Pick<Kernel, 'audit'>): Promise<string[]> {
  return (await audit.verify()).violations
}

/** One more kernel over a database of a test's own, seeded like the others. */
export async function openKernel(store: TestStore): Promise<Kernel & { close(): Promise<void> }> {
  const database = await store.open()
  await seed(database.db)
  return { ...createKernel(database), close: database.close }
}

/** People and roles: three approvers of the shop, an admin, and everybody who may not decide there. */
export async function seed(db: Kysely<Database>): Promise<void> {
  const person = (id: string, roles: ('viewer' | 'responder' | 'approver' | 'admin')[], environments = ['shop']) => ({
    id,
    name: id[0]?.toUpperCase() + id.slice(1),
    roles,
    environments,
    links: [{ surface: 'slack' as const, tenant: 'T1', externalId: `U-${id}` }],
  })
  await createPeopleStore({ db }).sync([
    { ...person('ada', ['approver']), links: [linkTo('U-ada'), linkTo('U-ada-second')] },
    person('ben', ['approver']),
    person('cleo', ['approver']),
    person('max', ['admin'], ['*']),
    person('nora', ['admin'], ['*']),
    person('vera', ['viewer'], ['*']),
    person('rex', ['responder']),
    person('otto', ['approver'], ['other']),
    person('ina', ['approver']),
    person('nobody', []),
  ])
  await sql`update principal set active = false where id = 'ina'`.execute(db)
  await sql`insert into principal (id, kind, name) values ('bot', 'service', 'Bot')`.execute(db)
  await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T1', 'U-bot', 'bot', 'configuration')`.execute(
    db,
  )
  await sql`insert into role_grant (principal_id, role, environment, granted_by) values ('bot', 'approver', '*', 'configuration')`.execute(
    db,
  )
  await createApprovalKernel({ db }).registerActions(Object.values(SAMPLE_ACTIONS))
  await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
    select 'inc-' || n, n, 'errors', 'payments', 'shop', 2, 'rule', clk() from generate_series(1, 9) n`.execute(db)
  await createLeases({ db }).acquire('executor', 'test', LEASE_SECONDS)
}

function linkTo(externalId: string) {
  return { surface: 'slack' as const, tenant: 'T1', externalId }
}

export function createKernel(database: Pick<OpenDatabase, 'db'>): Kernel {
  const { db } = database
  let offset = 0
  const approvals = createApprovalKernel({ db })
  const executions = createExecutionKernel({ db })
  const kernel: Kernel = {
    db,
    approvals,
    executions,
    people: createPeopleStore({ db }),
    control: createControlStore({ db }),
    power: createPowerStore({ db }),
    policies: createPolicyStore({ db }),
    audit: createAuditStore({ db }),
    epoch: 1,
    now: () => new Date(Date.now() + offset * 1_000),
    async later(seconds) {
      offset += seconds
      await moveClock(database, offset)
    },
    async propose(options) {
      const { parent, undo } = samplePlan(kernel.now(), options)
      const { id } = await approvals.propose({ parent, undo, presentations: [CHANNEL], renderHash: RENDER_HASH, renderVersion: 1 })
      return { requestId: id, parent, undo }
    },
    click: async (asked, person, over) => await approvals.vote(clickOf(asked, person, over)),
    async authorise(options = {}) {
      const asked = await kernel.propose(options)
      const people = asked.parent.plan.approval.role === 'admin' ? ['max', 'nora'] : ['ada', 'ben', 'cleo', 'max', 'nora']
      for (const person of people.slice(0, asked.parent.plan.approval.needed)) await kernel.click(asked, person)
      return { ...asked, authorisationId: await authorisationOf(db, asked.parent.plan.id) }
    },
    async carryOut(options, ...steps) {
      const authorised = await kernel.authorise(options)
      const { executionId } = await executions.claim(authorised.authorisationId, kernel.epoch)
      for (const step of steps) await kernel.advance(executionId, step, step === 'verified' ? { samples: 5 } : {})
      return { ...authorised, executionId }
    },
    advance: async (executionId, to, detail = {}) => await executions.advance(executionId, to, kernel.epoch, detail),
  }
  return kernel
}

/** The authorisation of a plan; it has to be there. */
export async function authorisationOf(db: Kysely<Database>, planId: string): Promise<string> {
  const row = await db.selectFrom('authorisation').select('id').where('plan_id', '=', planId).executeTakeFirstOrThrow()
  return row.id
}
