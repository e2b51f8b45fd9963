import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { digestOf } from '../../agent/domain/canonical-json.ts'
import { codeOf, sealChange } from '../../agent/domain/power.ts'
import type { Database } from '../../storage/schema.ts'
import { type Asked, actorOf, CHANNEL, type Kernel } from './kernel.ts'

type Db = Kysely<Database>

/** A row by column; values as the driver sends them. */
export type Row = Readonly<Record<string, unknown>>

/** Writes one row straight into a table, past every store. */
export async function insertRow(db: Db, table: string, row: Row): Promise<void> {
  const columns = sql.join(Object.keys(row).map((column) => sql.id(column)))
  const values = sql.join(Object.values(row).map((value) => sql`${value}`))
  await sql`insert into ${sql.id(table)} (${columns}) values (${values})`.execute(db)
}

/** The vote that a person's click would write. */
export async function voteRow(db: Db, asked: Asked, person: string, over: Row = {}): Promise<Row> {
  const { surface, tenant, externalId } = actorOf(person)
  return {
    request_id: asked.requestId,
    plan_id: asked.parent.plan.id,
    digest: asked.parent.digest,
    principal_id: person,
    link_id: await linkOf(db, externalId),
    decision: 'approve',
    surface,
    tenant,
    external_id: externalId,
    place: CHANNEL.place,
    confirm: asked.parent.plan.approval.confirm,
    reason: null,
    delivery_key: randomUUID(),
    ...over,
  }
}

/** The newest link of a Slack account. */
export async function linkOf(db: Db, externalId: string): Promise<number> {
  const row = db.selectFrom('identity_link').select('id').where('external_id', '=', externalId).orderBy('id', 'desc')
  return (await row.executeTakeFirstOrThrow()).id
}

/** The authorisation that a quorum would write. */
export function authorisationRow(asked: Asked, over: Row = {}): Row {
  return { plan_id: asked.parent.plan.id, digest: asked.parent.digest, kind: 'votes', request_id: asked.requestId, ...over }
}

/** The authorisation of an undo. */
export function undoRow(asked: Asked, parentExecutionId: string, over: Row = {}): Row {
  return { plan_id: asked.undo?.plan.id, digest: asked.undo?.digest, kind: 'undo', parent_execution_id: parentExecutionId, ...over }
}

/** One row at least in every table. */
export async function fillTables({ db, carryOut, control, approvals, power, policies, now }: Kernel): Promise<void> {
  const role = sealChange(randomUUID(), { kind: 'grant', person: 'nobody', role: 'viewer', environment: '*' })
  await power.ask(role, actorOf('max'))
  await power.confirm(codeOf(role), actorOf('nora'))
  await policies.offer({ digest: digestOf('version: 1'), text: 'version: 1', ask: () => role })
  const failed = await carryOut({}, 'intent', 'sent', 'succeeded', 'failed')
  await approvals.keep(failed.requestId, actorOf('vera'))
  await control.stop('env:x', 'ada')
  await control.start('env:x', 'ada', 'person')
  await control.freeze({ scope: 'env:x', from: now(), to: new Date(now().getTime() + 60_000), reason: 'x', by: 'rex' })
  await sql`insert into graduation_report (id, environment, build, diagnostic_accuracy, destructive_false_positives, resolved_sev34, coverage, clean_days, cases, evidence_sha256)
    values (gen_random_uuid(), 'shop', 'b', 0.95, 0, 0.97, 0.5, 8, 120, repeat('a', 64))`.execute(db)
  await sql`insert into standing_grant (environment, build, action_kind, action_version, reversibility, resource_pattern, max_uses, max_uses_an_hour,
      cooldown_seconds, max_replica_percent, granting_plan_id, first_grantor, second_grantor, expires_at, report_id, report_passed)
    select 'shop', 'b', 'sample.restart', 1, 'reversible', 'sample/shop/service/*', 20, 3, 1800, 25, p.id, 'ada', 'ben', clk() + interval '1 day', r.id, true
    from graduation_report r, plan p where p.undo_of is null`.execute(db)
  await sql`insert into restoration (taken_at, entries, head, sha256) values (clk(), 1, repeat('a', 64), repeat('b', 64))`.execute(db)
  await sql`insert into accepted_effect (execution_id, plan_id, digest, resource, reason)
    values (gen_random_uuid(), gen_random_uuid(), repeat('a', 64), 'sample/shop/service/payments', 'looked at it')`.execute(db)
  await sql`insert into refused_attempt (principal_id, what, code) values ('vera', 'do', 'not-authorised')`.execute(db)
  await sql`insert into drill_run (id, name, started_at, started_by) values ('run-1', 'bad-release', clk(), 'vera')`.execute(db)
}
