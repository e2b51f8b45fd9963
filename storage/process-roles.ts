import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/** The processes that Steadyhand can be split into, each with a PostgreSQL role of its own. */
export const PROCESS_ROLES = ['edge', 'agent', 'executor'] as const
export type ProcessRole = (typeof PROCESS_ROLES)[number]

/** Nobody logs in with these: the login of a process is made a member of one. */
export const roleName = (role: ProcessRole): string => `steadyhand_${role}`

/** What a role may do with each table; `columns (a, b)` limits a right to them. Whatever is not named is refused. */
type Rights = Readonly<Record<string, readonly string[]>>

/** Read by all three: nothing in them lets anybody act in somebody's name. */
const OPEN_TABLES = [
  ...['principal', 'role', 'role_grant', 'power_change', 'power_confirmation', 'policy_version', 'policy_activation'],
  ...['kill_switch', 'start_vote', 'freeze_window', 'action_definition', 'plan', 'request', 'presentation', 'authorisation'],
  ...['execution_state', 'execution_edge', 'execution', 'execution_event', 'undo_waived', 'graduation_report', 'standing_grant'],
  ...['incident', 'incident_event', 'alert', 'alert_move', 'placed_alert', 'evidence', 'hypothesis_set', 'incident_feedback'],
  ...[
    'lease',
    'job',
    'outbox',
    'telemetry',
    'app_meta',
    'drill_run',
    'audit_entry',
    'told_notice',
    'runbook_chunk',
    'model_run',
    'model_step',
    'restoration',
    'accepted_effect',
    'refused_attempt',
    'drill_start',
    'kysely_migration',
  ],
]
/** What follows from a vote, a command or a step: an incident moves, work waits, somebody is told. */
const FOLLOWING: Rights = {
  incident: ['update (state, ended_at, severity, severity_reason, last_event, last_evidence, last_diagnosis)'],
  incident_event: ['insert'],
  job: ['insert'],
  outbox: ['insert'],
}

/** What a worker of the queue writes: never what the work is. */
const WORKED_ON = 'update (claimed_by, claimed_until, attempts, run_at, finished_at, dead_at, last_error)'

const RIGHTS: Readonly<Record<ProcessRole, Rights>> = {
  /** Takes what arrives, shows, and writes down what people said. */
  edge: {
    ...FOLLOWING,
    inbox: ['select', 'insert', 'update (state, error, processed_at, attempts)', 'delete'],
    // It keeps house as well: what is old and over goes.
    outbox: ['insert', 'update', 'delete'],
    told_notice: ['insert'],
    telemetry: ['delete'],
    // It answers what people say in a chat itself.
    job: ['insert', WORKED_ON, 'delete'],
    evidence: ['update (content)'],
    model_step: ['update (body)'],
    session: ['select', 'insert', 'update', 'delete'],
    provider_session: ['select', 'insert', 'update', 'delete'],
    sign_in_attempt: ['select', 'insert', 'update', 'delete'],
    surface_message: ['select', 'insert', 'delete'],
    posting: ['select', 'insert', 'update', 'delete'],
    identity_link: ['select'],
    vote: ['select', 'insert'],
    request: ['update (state, decided_by, reason)'],
    start_vote: ['insert'],
    kill_switch: ['insert', 'update (engaged, by_whom)'],
    freeze_window: ['insert', 'update (ended_at, ended_by)'],
    undo_waived: ['insert'],
    power_change: ['insert', 'update (state, decided_by)'],
    power_confirmation: ['insert'],
    alert_move: ['insert'],
    incident_feedback: ['insert'],
    refused_attempt: ['insert'],
    app_meta: ['insert', 'update', 'delete'],
  },
  /** Reads the world and proposes: it sees neither who is signed in nor how a click was delivered. */
  agent: {
    ...FOLLOWING,
    inbox: ['select', 'update (state, error, processed_at, attempts)'],
    job: ['insert', WORKED_ON, 'delete'],
    intake_turn: ['select', 'update (last_incident)'],
    incident: ['insert', 'update'],
    alert: ['insert', 'update (deliveries, last_received_at)'],
    evidence: ['insert'],
    hypothesis_set: ['insert'],
    runbook_chunk: ['insert', 'update', 'delete'],
    model_run: ['insert'],
    model_step: ['insert'],
    plan: ['insert'],
    request: ['insert', 'update (state)'],
    presentation: ['insert'],
    identity_link: ['select (id, principal_id, revoked_at)'],
    vote: ['select (request_id, plan_id, digest, principal_id, link_id, decision, reason, at)'],
    telemetry: ['insert'],
    app_meta: ['insert', 'update', 'delete'],
    drill_run: ['insert', 'update'],
  },
  /** Carries out what was authorised. */
  executor: {
    ...FOLLOWING,
    lease: ['insert', 'update'],
    power_change: ['update (state, decided_by)'],
    action_definition: ['insert'],
    authorisation: ['insert'],
    execution: ['insert'],
    execution_event: ['insert'],
    undo_waived: ['insert'],
    request: ['update (state)'],
    identity_link: ['select'],
    vote: ['select'],
    app_meta: ['insert', 'update', 'delete'],
  },
}

/** The work that takes in a delivery. */
export const INTAKE = 'intake'
/** The work of the agent. All other is what people did in a chat: stored and worked on by the edge alone. */
export const AGENT_JOBS: readonly string[] = [INTAKE, 'investigate', 'refine', 'sweep']

/** Which rows of a table a role's rights reach, where they do not reach all of them. Whatever is not named is out of reach. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  job: [
    'for select to ALL using (true)',
    'for insert to EDGE with check (true)',
    `for insert to AGENT, EXECUTOR with check (kind = any (${array(AGENT_JOBS)}))`,
    `for update to EDGE using (kind <> all (${array(AGENT_JOBS)}))`,
    `for update to AGENT using (kind = any (${array(AGENT_JOBS)}))`,
    'for delete to EDGE, AGENT using (finished_at is not null)',
  ],
  inbox: ['for all to EDGE using (true)', `for all to AGENT using (job_kind = '${INTAKE}')`],
}

/** Functions that statements call by name. Trigger functions are called by nobody: who could would attach them to a table of their own. */
const CALLED = [
  ...[
    'clk',
    'take_turn',
    'may',
    'may_anywhere',
    'may_decide',
    'vote_counts',
    'start_vote_counts',
    'stopped',
    'frozen',
    'refusal_to_act',
    'undo_window_opened_at',
  ],
  ...['row_digest', 'audit_hash'],
]

/**
 * Makes the three roles, when they are not there, and gives each exactly what its process needs, whatever it had. As the owner of the tables, who
 * may also create roles; without that right somebody else makes them first.
 */
export async function grantProcessRoles(db: Kysely<Database>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const statement of statements()) await sql.raw(statement).execute(tx)
  })
}

function statements(): string[] {
  const roles = PROCESS_ROLES.map(roleName).join(', ')
  return [
    ...PROCESS_ROLES.map(
      (role) => `do $$ begin
        if not exists (select 1 from pg_roles where rolname = '${roleName(role)}') then create role ${roleName(role)} nologin; end if;
      exception when duplicate_object or unique_violation then null; end $$`,
    ),
    `revoke create on schema public from public`,
    `do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$`,
    `revoke all on all tables in schema public from public, ${roles}`,
    `do $$
      declare f record;
      begin
        for f in
          select p.oid::regprocedure as name, p.prorettype = 'trigger'::regtype as fires, p.proname = any ('{${CALLED.join(',')}}') as called from pg_proc p
          where p.pronamespace = 'public'::regnamespace and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        loop
          execute format('revoke all on function %s from public, ${roles}', f.name);
          -- Those of later migrations as well: they read, refuse and tell as the owner.
          if f.fires then execute format('alter function %s security definer set search_path to public, pg_temp', f.name); end if;
          if f.called then execute format('grant execute on function %s to ${roles}', f.name); end if;
        end loop;
      end $$`,
    `grant usage on schema public to ${roles}`,
    `grant select on ${OPEN_TABLES.join(', ')} to ${roles}`,
    ...PROCESS_ROLES.flatMap((role) =>
      Object.entries(RIGHTS[role]).map(([table, rights]) => `grant ${rights.join(', ')} on ${table} to ${roleName(role)}`),
    ),
    ...Object.entries(ROWS).flatMap(([table, policies]) => [
      `alter table ${table} enable row level security`,
      `do $$
        declare p record;
        begin
          for p in select policyname as name from pg_policies where schemaname = 'public' and tablename = '${table}'
          loop execute format('drop policy %I on ${table}', p.name); end loop;
        end $$`,
      ...policies.map((policy, index) => `create policy ${table}_${index + 1} on ${table} ${named(policy)}`),
    ]),
  ]
}

function named(policy: string): string {
  return policy
    .replace('ALL', PROCESS_ROLES.map(roleName).join(', '))
    .replace(/\b(EDGE|AGENT|EXECUTOR)\b/g, (role) => roleName(PROCESS_ROLES.find((name) => name === role.toLowerCase()) ?? 'executor'))
}

function array(values: readonly string[]): string {
  return `array[${values.map((value) => `'${value}'`).join(', ')}]`
}
