import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel } from '../../support/kernel.ts'
import { SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { rehearse } from '../../support/kernel-sql.ts'

describeKernel('plans: the catalogue', (kernel) => {
  const define = (change: string): ReturnType<typeof sql> =>
    sql.raw(
      `insert into action_definition select (jsonb_populate_record(d, '{"version": 2}' || '${change}'::jsonb)).* from action_definition d where kind = 'sample.purge'`,
    )

  test.each([
    ['nothing else', '{}', 'done'],
    ['another class', '{"reversibility": "harmless"}', 'constraint action_reversibility'],
    ['another risk', '{"risk": "none"}', 'constraint action_risk'],
    ['a role that cannot vote', '{"role": "responder"}', 'constraint action_role_can_vote'],
    ['nobody needed', '{"min_needed": 0, "reversibility": "reversible"}', 'constraint action_needs_people'],
    ['six people', '{"min_needed": 6}', 'constraint action_needs_people'],
    ['another step-up', '{"step_up": "wink"}', 'constraint action_step_up'],
    ['half a minute less a second', '{"max_ttl_seconds": 29}', 'constraint action_ttl'],
    ['an hour and a second', '{"max_ttl_seconds": 3601, "reversibility": "reversible"}', 'constraint action_ttl'],
    ['a negative cooldown', '{"min_cooldown_seconds": -1}', 'constraint action_cooldown'],
    ['a cooldown over a day', '{"min_cooldown_seconds": 86401}', 'constraint action_cooldown'],
    ['another retry', '{"retry": "always", "reversibility": "reversible"}', 'constraint action_retry'],
    ['no probe horizon', '{"probe_horizon_seconds": 0}', 'constraint action_probe_horizon'],
    ['a probe horizon over an hour', '{"probe_horizon_seconds": 3601}', 'constraint action_probe_horizon'],
    ['irreversible by one person', '{"min_needed": 1}', 'constraint irreversible_is_strict'],
    ['irreversible by a click alone', '{"step_up": "none"}', 'constraint irreversible_is_strict'],
    ['irreversible and tried again', '{"retry": "token"}', 'constraint irreversible_is_strict'],
    ['irreversible for over ten minutes', '{"max_ttl_seconds": 601}', 'constraint irreversible_is_strict'],
    ['irreversible, approved by who asked', '{"requester_may_approve": true}', 'constraint own_approval_is_never_irreversible'],
  ])('%s', async (_, change, expected) => {
    expect(await rehearse(kernel().db, (tx) => define(change).execute(tx))).toBe(expected)
  })

  test('never changes a version: what is known is taken as it is, what changed is refused in words', async () => {
    const { approvals } = kernel()
    await approvals.registerActions(Object.values(SAMPLE_ACTIONS))
    await expect(approvals.registerActions([{ ...SAMPLE_ACTIONS.restart, minNeeded: 2, retry: 'never' }])).rejects.toThrow(
      'action sample.restart version 1 changed (min_needed, retry): give it a new version',
    )
    await approvals.registerActions([{ ...SAMPLE_ACTIONS.restart, version: 2, minNeeded: 2 }])
  })
})
