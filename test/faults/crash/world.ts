import { randomUUID } from 'node:crypto'
import { createCatalog } from '../../../agent/actions/catalog.ts'
import type { ExecutorDeps } from '../../../agent/actions/executor.ts'
import { type ProposeDeps, proposeAction } from '../../../agent/actions/propose.ts'
import type { Crashpoint } from '../../../agent/crashpoint.ts'
import type { Approval } from '../../../agent/domain/approval.ts'
import type { Actor } from '../../../agent/domain/principal.ts'
import type { ApprovalKernel, ControlStore, EffectJournal, IncidentStore } from '../../../agent/ports.ts'
import { createApprovalKernel } from '../../../storage/approvals.ts'
import { createControlStore } from '../../../storage/control.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import { openEffectJournal } from '../../../storage/effect-journal.ts'
import { createExecutionKernel } from '../../../storage/execution.ts'
import { createIncidentStore } from '../../../storage/incidents.ts'
import { createLeases } from '../../../storage/leases.ts'
import { createPeopleStore } from '../../../storage/people.ts'
import { createCloudProvider, rowOf } from '../../support/fake-cloud/actions/provider.ts'
import { ENVIRONMENT } from '../../support/fake-cloud/actions/row.ts'
import { type CloudClient, type CloudControl, createCloudClient } from '../../support/fake-cloud/client.ts'
import { installClock, readClock, type TestClock } from './clock.ts'

export const APPROVERS = ['ada', 'ben', 'cleo'] as const
export const VIEWER = 'vera'
const LEASE_SECONDS = 10

/** The kernel of one process over a database and the fake cloud, as the product builds it. */
export interface World {
  database: OpenDatabase
  clock: TestClock
  cloud: CloudClient & CloudControl
  kernel: ApprovalKernel
  control: ControlStore
  journal: EffectJournal
  executor: ExecutorDeps
  /** Words of everything that the executor warned of or failed at. */
  complaints: string[]
  /** Opens an incident and puts the row's action before people; null when the kernel or the target would not have it. */
  ask(kind: string, name: string, incidentId?: string): Promise<Approval | null>
  openIncident(): Promise<string>
}

export function actorOf(person: string): Actor {
  return { surface: 'console', tenant: 'local', externalId: person }
}

/** What a new database is given: the clock, the people, the catalogue. */
export async function seedWorld({ db }: Pick<OpenDatabase, 'db'>): Promise<void> {
  await installClock(db)
  const person = (id: string, role: 'approver' | 'viewer') => ({
    id,
    name: id,
    roles: [role],
    environments: [ENVIRONMENT],
    links: [{ surface: 'console' as const, tenant: 'local', externalId: id }],
  })
  await createPeopleStore({ db }).sync([...APPROVERS.map((id) => person(id, 'approver')), person(VIEWER, 'viewer')])
  await createApprovalKernel({ db }).registerActions(
    createCatalog([createCloudProvider(createCloudClient('http://127.0.0.1:9'))]).definitions,
  )
}

export async function createWorld(options: {
  database: OpenDatabase
  cloudUrl: string
  journalDir: string
  crashpoint: Crashpoint
}): Promise<World> {
  const { database, crashpoint } = options
  const { db } = database
  const cloud = createCloudClient(options.cloudUrl)
  const clock = await readClock(db, cloud)
  const kernel = createApprovalKernel({ db })
  const control = createControlStore({ db })
  const incidents = createIncidentStore({ db, now: clock.now })
  const journal = await openEffectJournal(options.journalDir)
  const catalog = createCatalog([createCloudProvider(cloud)])
  const leases = createLeases({ db })
  // Names the process, for whoever watches the lease.
  const holder = `${process.pid} ${randomUUID()}`
  const complaints: string[] = []
  const complain = (detail: object, message: string): void => void complaints.push(`${message} ${JSON.stringify(detail)}`)
  const proposing: ProposeDeps = {
    kernel,
    catalog,
    policy: () => ({
      decide: 'ask',
      asking: { rule: 'crash', role: 'approver', needed: 1, requesterMayApprove: false, ttlSeconds: 900, cooldownSeconds: 0, typed: false },
    }),
    card: { fits: () => true, renderHash: () => 'a'.repeat(64), renderVersion: 1 },
    presentations: () => [{ surface: 'console', tenant: 'local', place: 'console' }],
    dependents: async () => [],
    build: () => 'b'.repeat(64),
    workspaces: [],
    now: clock.now,
  }
  return {
    database,
    clock,
    cloud,
    kernel,
    control,
    journal,
    complaints,
    executor: {
      kernel: createExecutionKernel({ db }),
      approvals: kernel,
      control,
      catalog,
      journal,
      objectionOfPolicy: () => null,
      crashpoint,
      now: clock.now,
      lease: {
        acquire: async () => await leases.acquire('executor', holder, LEASE_SECONDS),
        renew: async (epoch) => await leases.renew('executor', holder, epoch, LEASE_SECONDS),
        release: async (epoch) => await leases.release('executor', holder, epoch),
      },
      observing: async () => [],
      moved: async () => {},
      log: { info: () => {}, warn: complain, error: complain },
    },
    openIncident: async () => await openIncident(incidents),
    async ask(kind, name, incidentId) {
      const entry = catalog.find(kind, 1)
      const incident = await incidents.get(incidentId ?? (await openIncident(incidents)))
      if (!entry || !incident) throw new Error(`there is no ${kind}, or no incident`)
      const parameters = rowOf(kind).wanted(await cloud.read(kind, name))
      const proposal = await proposeAction(
        proposing,
        {
          incident,
          hypothesis: {
            rank: 1,
            class: 'bad_release',
            component: name,
            confidence: 80,
            parts: [],
            claims: [],
            against: [],
            unknown: [],
            since: null,
          },
          corroborated: true,
          symptom: null,
          approvals: [],
          requester: null,
          asked: true,
        },
        entry,
        { target: { environment: ENVIRONMENT, name }, parameters },
      )
      return proposal.result === 'asked' ? proposal.approval : null
    },
  }
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
      environment: ENVIRONMENT,
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
      environment: ENVIRONMENT,
      severity: 2,
      severityReason: 'test',
      drillRun: null,
      reason: 'test',
    }),
  )
  if (!incidentId) throw new Error('no incident was opened')
  return incidentId
}
