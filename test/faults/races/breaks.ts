import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'

type Db = Kysely<Database>

/** One way to break the kernel, and the race that has to notice. */
export interface Break {
  race: string
  /** What is missing, for the documentation. */
  without: string
  apply(db: Db): Promise<void>
}

/** Rewrites a function of the database as it stands there. @throws Error when it does not hold the text. */
async function rewrite(db: Db, name: string, text: string, replacement: string): Promise<void> {
  const { rows } = await sql<{ source: string }>`select pg_get_functiondef(oid) as source from pg_proc where proname = ${name}`.execute(db)
  const source = rows[0]?.source ?? ''
  if (!source.includes(text)) throw new Error(`${name} does not hold: ${text}`)
  await sql.raw(source.replace(text, () => replacement)).execute(db)
}

async function drop(db: Db, table: string, ...constraints: readonly string[]): Promise<void> {
  for (const name of constraints) await sql`alter table ${sql.id(table)} drop constraint ${sql.id(name)}`.execute(db)
}

/** A guard that asks, and is told no for ever. */
async function never(db: Db, name: string, condition: string): Promise<void> {
  await rewrite(db, name, `if ${condition} then`, 'if false then')
}

/** Every race is seen to fail on at least one of these. */
export const BREAKS: readonly Break[] = [
  {
    race: 'double click',
    without: 'the keys of a vote and the test that the request is still pending',
    async apply(db) {
      await drop(db, 'vote', 'vote_counts_people', 'vote_delivery_counts_once')
      await never(db, 'vote_guard', "r.state <> 'pending'")
      await sql`alter table vote disable trigger vote_decides`.execute(db)
    },
  },
  {
    race: 'two approvers at once',
    without: 'taking turns',
    apply: async (db) =>
      await rewrite(db, 'take_turn', 'perform 1 from kernel_turn where id = 1 for update', 'perform 1 from kernel_turn where id = 1'),
  },
  {
    race: 'deny against approve',
    without: 'the test that the request is still pending, and the end that is final',
    async apply(db) {
      await never(db, 'vote_guard', "r.state <> 'pending'")
      await never(db, 'request_end_guard', "old.state <> 'pending'")
    },
  },
  {
    race: 'cancel against claim and send',
    without: 'the look at the request before intent and sent',
    apply: async (db) =>
      await never(db, 'refusal_to_act', "exists (select 1 from request r where r.id = root and r.state <> 'authorised')"),
  },
  {
    race: 'kill switch against send',
    without: 'the look at the kill switch before intent and sent',
    apply: async (db) => await never(db, 'refusal_to_act', 'stopped(p.environment, p.action_kind)'),
  },
  {
    race: 'kill switch against claim and send',
    without: 'the look at the kill switch before intent and sent',
    apply: async (db) => await never(db, 'refusal_to_act', 'stopped(p.environment, p.action_kind)'),
  },
  {
    race: 'takeover against send',
    without: 'the fence',
    apply: async (db) => await rewrite(db, 'fence', 'if not found', 'if false'),
  },
  ...['role revoked against claim and send', 'account unlinked against claim and send'].map(
    (race): Break => ({
      race,
      without: 'counting the approvals again before intent and sent',
      apply: async (db) =>
        await never(
          db,
          'refusal_to_act',
          'standing_approvals(root) < (select q.needed from plan q where q.id = coalesce(p.undo_of, p.id))',
        ),
    }),
  ),
  {
    race: 'undo against Keep',
    without: 'the look of an undo at Keep',
    apply: async (db) => await never(db, 'authorisation_guard', 'exists (select 1 from undo_waived w where w.execution_id = parent.id)'),
  },
  {
    race: 'two claimers',
    without: 'the keys of an execution and one in flight for a resource',
    async apply(db) {
      await drop(db, 'execution', 'authorisation_is_used_once', 'plan_is_executed_once')
      await sql`drop index one_in_flight_per_resource`.execute(db)
      await sql`alter table execution disable trigger execution_guard`.execute(db)
    },
  },
  {
    race: 'expiry against vote',
    without: 'the look at the request when a vote is written',
    async apply(db) {
      await sql`alter table vote disable trigger vote_guard`.execute(db)
      await sql`alter table authorisation disable trigger authorisation_guard`.execute(db)
    },
  },
]
