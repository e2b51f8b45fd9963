import { type Kysely, sql } from 'kysely'
import type { ExecutionState } from '../../../agent/domain/approval.ts'
import type { SealedPlan } from '../../../agent/domain/plan.ts'
import { openDatabase } from '../../../storage/database.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import type { Database } from '../../../storage/schema.ts'
import { makeFresh, rememberFresh } from '../../support/fresh-database.ts'
import { type Asked, CHANNEL, createKernel, type Kernel, RENDER_HASH, seed } from '../../support/kernel.ts'
import { type PlanOptions, samplePlan } from '../../support/kernel-plans.ts'
import { createDatabase } from '../../support/peers.ts'

/** Real connections to one database, so that no contender waits for another's. */
const CONNECTIONS = 8

/** One plan that is ready to be fought over. */
export interface Prize extends Asked {
  /** Empty until it is authorised. */
  authorisationId: string
  /** Empty until it is claimed. */
  executionId: string
}

/** How far the plans are taken before the race. */
export interface Preparation {
  plans: readonly PlanOptions[]
  voters: readonly string[]
  steps: readonly ExecutionState[]
}

/** A database of its own on a PostgreSQL server, with a kernel on eight connections. */
export interface Arena {
  db: Kysely<Database>
  kernel: Kernel
  prepare(preparation: Preparation): Promise<Prize[]>
  /** The last entry of the audit log: what is written after this moment stands behind it. */
  head(): Promise<number>
  /** Empties the database and puts the clock right. */
  fresh(): Promise<void>
  close(): Promise<void>
}

/** @param server postgres:// address of a server whose user may create databases */
export async function openArena(server: string): Promise<Arena> {
  const { url, drop } = await createDatabase(server)
  const open = async () =>
    await openDatabase({ dataDir: ':memory:', databaseUrl: url, now: () => new Date(), limits: { connections: CONNECTIONS } })
  // A race asks who was first, not what a power cut leaves; each connection reads the setting when it is opened.
  const setup = await open()
  await sql`alter database ${sql.id(new URL(url).pathname.slice(1))} set synchronous_commit to off`.execute(setup.db)
  await setup.close()
  const database = await open()
  const { db } = database
  await migrateToLatest(db)
  await seed(db)
  await sql.raw(PREPARE).execute(db)
  await rememberFresh(db)
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => await sql`select pg_sleep(0.01)`.execute(db)))
  const arena: Arena = {
    db,
    kernel: createKernel(database),
    prepare: async (preparation) => await prepare(arena.kernel, preparation),
    async head() {
      const { rows } = await sql<{ seq: number }>`select coalesce(max(seq), 0) as seq from audit_entry`.execute(db)
      return rows[0]?.seq ?? 0
    },
    async fresh() {
      await makeFresh(db)
      arena.kernel = createKernel(database)
    },
    async close() {
      await database.close()
      await drop()
    },
  }
  return arena
}

async function prepare(kernel: Kernel, { plans, voters, steps }: Preparation): Promise<Prize[]> {
  const sealed = plans.map((options) => samplePlan(kernel.now(), options))
  const row = (plan: SealedPlan | null) =>
    plan && { id: plan.plan.id, canonical: plan.canonical, digest: plan.digest, expires: plan.plan.expiresAt }
  const wanted = JSON.stringify(
    sealed.map(({ parent, undo }) => ({ parent: row(parent), undo: row(undo), incident: parent.plan.incident })),
  )
  const { rows } = await sql<{ request_id: string; authorisation_id: string | null; execution_id: string | null }>`
    select * from prepare_race(${wanted}::jsonb, ${voters}::text[], ${steps}::text[], ${JSON.stringify({ ...CHANNEL, hash: RENDER_HASH, epoch: kernel.epoch })}::jsonb)`.execute(
    kernel.db,
  )
  return sealed.map((plan, index) => ({
    ...plan,
    requestId: rows[index]?.request_id ?? '',
    authorisationId: rows[index]?.authorisation_id ?? '',
    executionId: rows[index]?.execution_id ?? '',
  }))
}

/** Many plans in one statement, through the same guards as one by one: setting up must not take longer than the race. */
const PREPARE = /* sql */ `
create function prepare_race(plans jsonb, voters text[], steps text[], shown jsonb)
returns table (request_id uuid, authorisation_id uuid, execution_id uuid) language plpgsql as $$
#variable_conflict use_column
declare
  wanted jsonb;
  one jsonb;
  voter text;
  step text;
  place int;
begin
  perform take_turn();
  for wanted in select value from jsonb_array_elements(plans) loop
    insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      select wanted ->> 'incident', substr(wanted ->> 'incident', 5)::int, 'errors', 'payments', 'shop', 2, 'rule', clk()
      on conflict do nothing;
    for one in select value from jsonb_array_elements(jsonb_build_array(wanted -> 'undo', wanted -> 'parent')) where value <> 'null' loop
      insert into plan (id, canonical, digest, expires_at)
        values ((one ->> 'id')::uuid, one ->> 'canonical', one ->> 'digest', (one ->> 'expires')::timestamptz);
    end loop;
    insert into request (plan_id, digest, incident_id, render_hash, render_version)
      values ((one ->> 'id')::uuid, one ->> 'digest', wanted ->> 'incident', shown ->> 'hash', 1) returning id into request_id;
    insert into presentation (request_id, surface, tenant, place) values (request_id, shown ->> 'surface', shown ->> 'tenant', shown ->> 'place');
    foreach voter in array voters loop
      insert into vote (request_id, plan_id, digest, principal_id, link_id, decision, surface, tenant, external_id, place, confirm, delivery_key)
        select request_id, p.id, p.digest, l.principal_id, l.id, 'approve', l.surface, l.tenant, l.external_id, shown ->> 'place', p.confirm, gen_random_uuid()
        from plan p, identity_link l
        where p.id = (one ->> 'id')::uuid and l.external_id = 'U-' || voter and l.revoked_at is null;
    end loop;
    select a.id into authorisation_id from authorisation a where a.plan_id = (one ->> 'id')::uuid;
    execution_id := null;
    place := 1;
    foreach step in array steps loop
      if step = 'claimed' then
        insert into execution (authorisation_id, plan_id, digest, resource, epoch)
          select authorisation_id, p.id, p.digest, p.resource, (shown ->> 'epoch')::int from plan p where p.id = (one ->> 'id')::uuid returning id into execution_id;
      else
        place := place + 1;
        insert into execution_event (execution_id, seq, from_state, to_state, epoch)
          select x.id, place, x.state, step, (shown ->> 'epoch')::int from execution x where x.id = execution_id;
      end if;
    end loop;
    return next;
  end loop;
end $$;
`
