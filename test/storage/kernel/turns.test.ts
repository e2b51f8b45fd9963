import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel } from '../../support/kernel.ts'
import { fillTables } from '../../support/kernel-rows.ts'
import { disable, outcomeOf, rehearse } from '../../support/kernel-sql.ts'

describeKernel('history: writes take turns', (kernel) => {
  /** Statements whose guard has to hold the turn by the time it reads; every other trigger of the table is off. */
  const GUARDS: [string, string, string][] = [
    ['principal', 'principal_turn', `update principal set name = 'X' where id = 'ada'`],
    ['identity_link', 'identity_link_turn', `update identity_link set revoked_at = clk() where principal_id = 'ada'`],
    ['role_grant', 'role_grant_turn', `update role_grant set revoked_at = clk() where principal_id = 'ada'`],
    ['kill_switch', 'kill_switch_turn', `update kill_switch set by_whom = 'host'`],
    ['freeze_window', 'freeze_turn', `update freeze_window set reason = 'y'`],
    ['request', 'request_turn', `update request set reason = 'y'`],
    ['principal', 'principal_turn', `insert into principal (id, kind, name) values ('dora', 'human', 'Dora')`],
    [
      'identity_link',
      'identity_link_turn',
      `insert into identity_link (surface, tenant, external_id, principal_id, linked_by) values ('teams', 't', 'x', 'ada', 'configuration')`,
    ],
    [
      'role_grant',
      'role_grant_turn',
      `insert into role_grant (principal_id, role, environment, granted_by) values ('ada', 'admin', 'shop', 'configuration')`,
    ],
    ['kill_switch', 'kill_switch_turn', `insert into kill_switch (scope, engaged, by_whom) values ('env:y', true, 'host')`],
    [
      'freeze_window',
      'freeze_turn',
      `insert into freeze_window (scope, starts_at, ends_at, reason, by_whom) values ('*', clk(), clk() + interval '1 hour', 'x', 'rex')`,
    ],
    ['start_vote', 'start_vote_guard', `insert into start_vote (scope, generation, principal_id) values ('env:x', 0, 'ben')`],
    ['plan', 'plan_guard', `insert into plan (id, canonical, digest, expires_at) select id, canonical, digest, expires_at from plan`],
    [
      'request',
      'request_guard',
      `insert into request (plan_id, digest, incident_id, render_hash, render_version) select plan_id, digest, incident_id, render_hash, render_version from request`,
    ],
    [
      'vote',
      'vote_guard',
      `insert into vote select request_id, plan_id, digest, principal_id, link_id, 'deny', surface, tenant, external_id, place, confirm, reason, last_grant, 'k', at from vote`,
    ],
    [
      'authorisation',
      'authorisation_guard',
      `insert into authorisation (plan_id, digest, kind, request_id) select plan_id, digest, kind, request_id from authorisation`,
    ],
    [
      'execution',
      'execution_guard',
      `insert into execution (authorisation_id, plan_id, digest, resource, epoch) select authorisation_id, plan_id, digest, resource, epoch from execution`,
    ],
    [
      'execution_event',
      'execution_event_guard',
      `insert into execution_event (execution_id, seq, from_state, to_state, epoch) select execution_id, 6, 'failed', 'undone', 1 from execution_event`,
    ],
    ['undo_waived', 'undo_waived_guard', `insert into undo_waived select * from undo_waived`],
    ['power_change', 'power_change_turn', `update power_change set decided_by = 'max'`],
    [
      'power_change',
      'power_change_guard',
      `insert into power_change (id, canonical, digest, asked_by) select id, canonical, digest, asked_by from power_change`,
    ],
    [
      'power_confirmation',
      'power_confirmation_guard',
      `insert into power_confirmation (change_id, digest, principal_id, link_id) select change_id, digest, 'max', link_id from power_confirmation`,
    ],
    ['policy_activation', 'policy_activation_guard', `insert into policy_activation (digest) select digest from policy_activation`],
    // What the audit log is told of: its own guard takes the turn, whoever forgot to.
    [
      'freeze_window',
      'audit',
      `insert into freeze_window (scope, starts_at, ends_at, reason, by_whom) values ('*', clk(), clk() + interval '1 hour', 'x', 'rex')`,
    ],
    ['standing_grant', 'standing_grant_begins', `insert into standing_grant select * from standing_grant`],
  ]

  test.each(GUARDS)('%s: %s', async (table, trigger, statement) => {
    const { db } = kernel()
    await fillTables(kernel())
    const released = await outcomeOf(
      db
        .transaction()
        .execute(async (tx) => {
          await sql`alter table ${sql.id(table)} disable trigger user`.execute(tx)
          await sql`alter table ${sql.id(table)} enable trigger ${sql.id(trigger)}`.execute(tx)
          // A refusal or a constraint comes after the turn was taken, and a savepoint keeps the lock it found.
          await sql
            .raw(
              `do $do$ begin ${statement}; exception when others then if sqlstate not like 'SH%' and sqlstate not like '23%' then raise; end if; end $do$`,
            )
            .execute(tx)
          const { rows } = await sql<{
            mine: boolean
          }>`select turnstile.mine from (select xmax::text::bigint >= pg_current_xact_id()::xid::text::bigint as mine from kernel_turn) turnstile`.execute(
            tx,
          )
          throw new Error(`the turn is ${rows[0]?.mine ? 'taken' : 'free'}`)
        })
        .catch((error: unknown) => {
          if (error instanceof Error && error.message === 'the turn is taken') return
          throw error
        }),
    )
    expect(released).toBe('done')
  })

  test.each(['repeatable read', 'serializable'] as const)(
    'at %s nothing is written: it would not see what was stopped while it waited',
    async (level) => {
      const { db } = kernel()
      const write = db
        .transaction()
        .setIsolationLevel(level)
        .execute(async (tx) => await sql`update principal set name = 'X' where id = 'ada'`.execute(tx))
      expect(await outcomeOf(write)).toBe('broken the kernel is written at read committed only')
    },
  )

  test('without its row nobody takes a turn', async () => {
    const { db } = kernel()
    const write = rehearse(db, async (tx) => {
      await disable(tx, 'kernel_turn', 'kernel_turn_stays')
      await sql`delete from kernel_turn`.execute(tx)
      await sql`update principal set name = 'X' where id = 'ada'`.execute(tx)
    })
    expect(await write).toBe('broken the row by which kernel writes take turns is gone')
  })
})
