import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { type JournalEntry, journalAhead } from '../../../agent/actions/effect-journal.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import { createLeases, type Leases } from '../../../storage/leases.ts'
import { makeFresh, rememberFresh } from '../../support/fresh-database.ts'
import { type Asked, createKernel, type Kernel, seed } from '../../support/kernel.ts'
import { PREPARE_BACKUP, RESTORE_BACKUP, TAKE_BACKUP } from './backup.ts'
import type { Model, Person } from './model.ts'

/** Long enough for every sequence, however often the clock is moved. */
export const LEASE_SECONDS = 100_000_000
/** Incidents below belong to the seed. */
const FIRST_INCIDENT = 1_000

/** The kernel over one database, and the world outside it that a restored backup does not take back. */
export interface World {
  kernel: Kernel
  leases: Leases
  /** The number of the sequence: names its incidents and resources. */
  number: number
  holders: number
  asked: Asked[]
  executionIds: Map<string, string>
  freezeIds: string[]
  journal: JournalEntry[]
  /** Calls to the target, by plan. */
  effects: Map<string, number>
  backup: { model: Model; asked: Asked[]; executionIds: Map<string, string>; freezeIds: string[] } | null
  restored: boolean
  /** Sets the database's clock to this many milliseconds after the world began. */
  clock(ms: number): Promise<void>
  incident(index: number): string
  resource(index: number): string
  /** Whether the journal knows effects that the database does not: then the executor only observes. */
  ahead(): Promise<boolean>
  at(ms: number): Date
  takeBackup(model: Model): Promise<void>
  restoreBackup(): Promise<Model | null>
  /** Empties the database; the next sequence is the first again. */
  fresh(): Promise<void>
  /** Begins one more sequence beside those that are there. */
  next(now: number): Promise<Model>
}

export async function createWorld(database: OpenDatabase, began: Date): Promise<World> {
  const { db } = database
  const at = (ms: number): Date => new Date(began.getTime() + ms)
  const clock = async (ms: number): Promise<void> =>
    void (await sql`select set_config('test.clock', ${at(ms).toISOString()}, false)`.execute(db))
  await clock(0)
  await sql`create or replace function clk() returns timestamptz language sql volatile as 'select current_setting(''test.clock'')::timestamptz'`.execute(
    db,
  )
  await seed(db)
  await sql`update principal set active = false where id in ('max', 'nora')`.execute(db)
  const leases = createLeases({ db })
  await leases.acquire('executor', 'test', LEASE_SECONDS)
  await rememberFresh(db)
  await sql.raw(PREPARE_BACKUP).execute(db)
  const world: World = {
    ...{ kernel: createKernel(database), leases, number: 0, holders: 0, ...empty() },
    clock,
    at,
    incident: (index) => `inc-${FIRST_INCIDENT + 2 * world.number + index}`,
    resource: (index) => `sequence-${world.number}-${index}`,
    async ahead() {
      if (!world.restored) return false
      return journalAhead(world.journal, await world.kernel.executions.sentExecutions()).length > 0
    },
    async takeBackup(model) {
      await sql.raw(TAKE_BACKUP).execute(db)
      const { asked, executionIds, freezeIds } = world
      world.backup = { model: structuredClone(model), asked: [...asked], executionIds: new Map(executionIds), freezeIds: [...freezeIds] }
    },
    async restoreBackup() {
      if (!world.backup) return null
      await sql.raw(RESTORE_BACKUP).execute(db)
      const { model, asked, executionIds, freezeIds } = world.backup
      Object.assign(world, { restored: true, asked: [...asked], executionIds: new Map(executionIds), freezeIds: [...freezeIds] })
      return structuredClone(model)
    },
    async fresh() {
      await makeFresh(db)
      world.number = 0
    },
    async next(now) {
      Object.assign(world, { number: world.number + 1, ...empty() })
      await clock(now)
      await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
        select 'inc-' || n, n, 'errors', 'payments', 'shop', 2, 'rule', clk()
        from generate_series(${FIRST_INCIDENT + 2 * world.number}::int, ${FIRST_INCIDENT + 2 * world.number + 1}::int) n`.execute(db)
      const lease = await leases.current('executor')
      return { now, plans: [], people: cast(), stopped: new Map(), freezes: [], epoch: lease?.epoch ?? 0, lapsed: lease === null }
    },
  }
  return world
}

function empty() {
  return { asked: [], executionIds: new Map(), freezeIds: [], journal: [], effects: new Map(), backup: null, restored: false }
}

function cast(): Map<string, Person> {
  const ranks = { ada: 3, ben: 3, cleo: 3, rex: 2, vera: 1 }
  return new Map(Object.entries(ranks).map(([name, rank]) => [name, { rank, role: 0, link: 0, active: true }]))
}

/** Puts back what a sequence left behind for everybody: the switch, freezes, people, the lease. */
export async function tidy({ kernel, leases, freezeIds }: World, model: Model): Promise<void> {
  for (const scope of model.stopped.keys()) await kernel.control.start(scope, 'host', 'host')
  for (const [index, { ended }] of model.freezes.entries()) if (!ended) await kernel.control.unfreeze(freezeIds[index] ?? '', 'host')
  for (const [name, person] of model.people) await giveBack(kernel, name, person)
  const lease = model.lapsed ? await leases.acquire('executor', randomUUID(), LEASE_SECONDS) : null
  await kernel.executions.settleUndos(lease?.epoch ?? model.epoch)
}

/** What a person lacks, as new rows: what was revoked stays revoked. */
export async function giveBack({ db }: Kernel, name: string, { role, link, active }: Person): Promise<void> {
  if (role === null)
    await sql`insert into role_grant (principal_id, role, environment, granted_by) values (${name}, 'approver', 'shop', 'configuration')`.execute(
      db,
    )
  if (link === null)
    await sql`insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('slack', 'T1', ${`U-${name}`}, ${name}, 'configuration')`.execute(
      db,
    )
  if (!active) await sql`update principal set active = true where id = ${name}`.execute(db)
}
