import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { createApprovalKernel } from '../storage/approvals.ts'
import { createAuditStore } from '../storage/audit.ts'
import { openDatabase } from '../storage/database.ts'
import { createLeases } from '../storage/leases.ts'
import { migrateToLatest } from '../storage/migrate.ts'
import { createPeopleStore } from '../storage/people.ts'
import { keepUp } from '../storage/pglite-upkeep.ts'
import type { Database } from '../storage/schema.ts'
import { SAMPLE_ACTIONS, samplePlan } from '../test/support/kernel-plans.ts'
import type { Figure } from './report.ts'
import type { BenchOptions } from './run.ts'

/** Entries of the log at which the proof is timed; --rounds N stops after the first N. */
const SIZES = [1_000, 10_000, 30_000, 100_000] as const
const BATCH = 100
const now = (): Date => new Date(performance.timeOrigin + performance.now())

/** The proof over a growing log, on PGlite with its files on disk: before its tables were analysed, after, and of the newest entries alone. */
export async function run({ rounds }: Pick<BenchOptions, 'rounds'>): Promise<readonly Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const database = await openDatabase({ dataDir, now })
  try {
    const { db } = database
    await prepare(db)
    const figures: Figure[] = []
    for (const size of SIZES.slice(0, rounds ?? SIZES.length)) figures.push(...(await measure(db, size)))
    return figures
  } finally {
    await database.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function measure(db: Kysely<Database>, size: number): Promise<Figure[]> {
  while ((await entries(db)) < size) await carryOut(db, BATCH)
  const rows = await entries(db)
  const audit = createAuditStore({ db })
  const figure = async (name: string, options?: { since: 'last' }): Promise<Figure> => {
    const start = performance.now()
    const { violations } = await audit.verify(options)
    if (violations.length > 0) throw new Error(violations.join('\n'))
    return { name: `${name} of ${rows} entries`, value: performance.now() - start, unit: 'ms', n: 1 }
  }
  const figures = [await figure('the whole proof, tables as they grew,')]
  await keepUp(db)
  figures.push(await figure('the whole proof, tables analysed,'))
  figures.push(await figure('the proof since the last, nothing new,', { since: 'last' }))
  await carryOut(db, 1)
  figures.push(await figure('the proof since the last, one action new,', { since: 'last' }))
  return figures
}

async function entries(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ seq: number | null }>`select max(seq) as seq from audit_entry`.execute(db)
  return rows[0]?.seq ?? 0
}

async function prepare(db: Kysely<Database>): Promise<void> {
  await migrateToLatest(db)
  const links = [{ surface: 'console' as const, tenant: 'console', externalId: 'alice' }]
  await createPeopleStore({ db }).sync([{ id: 'alice', name: 'Alice', roles: ['approver'], environments: ['shop'], links }])
  await createApprovalKernel({ db }).registerActions(Object.values(SAMPLE_ACTIONS))
  await createLeases({ db }).acquire('executor', 'bench', 86_400)
}

/** Whole actions through the kernel's own guards, from the plan to the verdict, without a round trip for each row. */
async function carryOut(db: Kysely<Database>, actions: number): Promise<void> {
  const { parent, undo } = samplePlan(now(), { ttlSeconds: 2_000 })
  await sql`select set_config('bench.plan', ${parent.canonical}, false), set_config('bench.undo', ${undo?.canonical ?? ''}, false)`.execute(
    db,
  )
  await sql.raw(ONE_ACTION.replace('ACTIONS', String(actions))).execute(db)
}

const ONE_ACTION = /* sql */ `do $$
declare
  n int;
  own jsonb;
  back jsonb;
  asked uuid;
  run uuid;
  step text;
  before text;
begin
  for i in 1..ACTIONS loop
    select coalesce(max(number), 0) + 1 into n from incident;
    insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      values ('inc-' || n, n, 'errors', 'payments', 'shop', 2, 'rule', clk());
    own := current_setting('bench.plan')::jsonb || jsonb_build_object('id', gen_random_uuid(), 'incident', 'inc-' || n);
    own := jsonb_set(jsonb_set(own, '{target,name}', to_jsonb('s-' || n)), '{resource}', to_jsonb('sample/shop/service/s-' || n));
    back := current_setting('bench.undo')::jsonb || jsonb_build_object('id', gen_random_uuid(), 'incident', 'inc-' || n, 'undoOf', own ->> 'id');
    back := jsonb_set(jsonb_set(back, '{target,name}', to_jsonb('s-' || n)), '{resource}', to_jsonb('sample/shop/service/s-' || n));
    own := jsonb_set(jsonb_set(own, '{undo,plan}', back -> 'id'), '{undo,digest}', to_jsonb(encode(sha256(convert_to(back::text, 'UTF8')), 'hex')));
    insert into plan (id, canonical, digest, expires_at)
      select (p ->> 'id')::uuid, p::text, encode(sha256(convert_to(p::text, 'UTF8')), 'hex'), (p ->> 'expiresAt')::timestamptz
      from unnest(array[back, own]) with ordinality as written (p, place) order by place;
    insert into request (plan_id, digest, incident_id, render_hash, render_version)
      select id, digest, incident_id, repeat('c', 64), 1 from plan where id = (own ->> 'id')::uuid returning id into asked;
    insert into presentation (request_id, surface, tenant, place) values (asked, 'console', 'console', 'main');
    insert into vote (request_id, plan_id, digest, principal_id, link_id, decision, surface, tenant, external_id, place, delivery_key)
      select r.id, r.plan_id, r.digest, l.principal_id, l.id, 'approve', l.surface, l.tenant, l.external_id, 'main', 'click-' || n
      from request r, identity_link l where r.id = asked;
    insert into execution (authorisation_id, plan_id, digest, resource, epoch)
      select a.id, a.plan_id, a.digest, own ->> 'resource', 1 from authorisation a where a.request_id = asked returning id into run;
    before := 'claimed';
    foreach step in array array['intent', 'sent', 'succeeded', 'verified'] loop
      insert into execution_event (execution_id, seq, from_state, to_state, epoch, detail)
        select run, count(*) + 1, before, step, 1, '{"samples": 5}' from execution_event where execution_id = run;
      before := step;
    end loop;
  end loop;
end $$`
