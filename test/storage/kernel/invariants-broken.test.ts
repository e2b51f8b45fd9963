import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel, type Kernel, openKernel, violationsOf } from '../../support/kernel.ts'
import { SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { behind } from '../../support/kernel-sql.ts'

const VERIFIED = ['intent', 'sent', 'succeeded', 'verified'] as const
const FAILED = ['intent', 'sent', 'succeeded', 'failed'] as const

/** 'invariant 2: its claim SUBJECT words' → 'invariant 2 words'. */
const said = (violations: readonly string[], invariant: number): string[] =>
  violations.filter((text) => text.startsWith(`invariant ${invariant}:`)).map((text) => text.replace(/^.*?[.)] (\{.*?\}|\S+) /, ''))

describeKernel('invariants: constraints and guards taken away', (_, store) => {
  /** Breaks the schema of a database of its own, then does what the rule forbids. */
  const without = async (change: string, forbidden: (kernel: Kernel) => Promise<unknown>): Promise<string[]> => {
    const kernel = await openKernel(store)
    try {
      await sql.raw(change).execute(kernel.db)
      await forbidden(kernel)
      return await violationsOf(kernel)
    } finally {
      await kernel.close()
    }
  }
  const noRefusal = `create or replace function refusal_to_act(x uuid) returns text language sql as 'select null::text'`

  test('1: a send although the approver had been deactivated', async () => {
    const violations = await without(noRefusal, async ({ carryOut, advance, db }) => {
      const { executionId } = await carryOut({}, 'intent')
      await sql`update principal set active = false where id = 'ada'`.execute(db)
      await advance(executionId, 'sent')
    })
    expect(violations).toEqual([expect.stringMatching(/^invariant 1: .* was sent without enough approvals of its digest$/)])
  })

  test('1: a deactivation that was over by the send is none', async () => {
    const violations = await without(noRefusal, async ({ carryOut, advance, db }) => {
      const { executionId } = await carryOut({}, 'intent')
      await sql`update principal set active = false where id = 'ada'`.execute(db)
      await sql`update principal set active = true where id = 'ada'`.execute(db)
      await advance(executionId, 'sent')
    })
    expect(violations).toEqual([])
  })

  test('1: a plan of other bytes than its digest', async () => {
    const violations = await without('alter table plan drop constraint plan_digest_is_of_its_bytes', async ({ carryOut, db }) => {
      await carryOut({}, 'intent')
      await behind(db, async (tx) => await sql`update plan set canonical = canonical || ' '`.execute(tx))
    })
    expect(said(violations, 1)).toEqual(['has another digest than its plan'])
  })

  test('2: two intents, two sends', async () => {
    const violations = await without('drop index one_intent_ever; drop index one_sent_ever', async ({ carryOut, db }) => {
      await carryOut({}, 'intent', 'sent')
      await behind(
        db,
        async (tx) =>
          await sql`insert into execution_event (execution_id, seq, from_state, to_state, epoch)
        select execution_id, seq + 10, from_state, to_state, epoch from execution_event where seq > 1`.execute(tx),
      )
    })
    expect(said(violations, 2)).toEqual(expect.arrayContaining(['has two events intent', 'has two events sent']))
  })

  test('2: two executions of a plan, two authorisations of a plan', async () => {
    const change = `alter table execution drop constraint plan_is_executed_once; alter table authorisation drop constraint plan_is_authorised_once cascade`
    const violations = await without(change, async ({ carryOut, db }) => {
      await carryOut({}, 'aborted')
      await behind(db, async (tx) => {
        await sql`insert into authorisation (plan_id, digest, kind, request_id) select plan_id, digest, kind, gen_random_uuid() from authorisation`.execute(
          tx,
        )
        await sql`insert into execution (authorisation_id, plan_id, digest, resource, epoch) select gen_random_uuid(), plan_id, digest, resource, epoch from execution`.execute(
          tx,
        )
      })
    })
    expect(said(violations, 2)).toEqual(expect.arrayContaining(['has two executions', 'has two authorisations']))
  })

  test('2: two in flight on a resource', async () => {
    const change = 'drop index one_in_flight_per_resource; alter table execution disable trigger execution_guard'
    const violations = await without(change, async ({ carryOut }) => {
      await carryOut({ incident: 'inc-1' }, 'intent')
      await carryOut({ incident: 'inc-2' }, 'intent')
    })
    expect(said(violations, 2)).toEqual(['has two executions in flight'])
  })

  test.each(['*', 'env:shop', 'kind:sample.restart'])('6: a step while %s is stopped', async (scope) => {
    const violations = await without(noRefusal, async ({ carryOut, advance, control }) => {
      const { executionId } = await carryOut({}, 'intent')
      await control.stop(scope, 'ada')
      await advance(executionId, 'sent')
    })
    expect(violations).toEqual([expect.stringMatching(/^invariant 6: .* had its step sent while stopped$/)])
  })

  test('6: a step before the stop, after the start, or elsewhere is none', async () => {
    const violations = await without(noRefusal, async ({ carryOut, advance, control }) => {
      const { executionId } = await carryOut({}, 'intent')
      await control.stop('*', 'ada')
      await control.start('*', 'cli', 'host')
      await control.stop('env:other', 'ada')
      await control.stop('kind:sample.rollback', 'ada')
      await advance(executionId, 'sent')
      await control.stop('*', 'ada')
    })
    expect(violations).toEqual([])
  })

  test('8: a notice that is not written', async () => {
    const change = `create or replace function tell(unique_name text, topic text, incident text, body jsonb, priority int) returns void language sql as 'select null'`
    const violations = await without(change, async ({ carryOut }) => await carryOut({}, ...VERIFIED))
    expect(said(violations, 8)).toEqual(['ended verified without a notice', 'became authorised without a notice'])
  })

  test('9: a row that is written without its entry', async () => {
    const violations = await without('alter table vote disable trigger audit', async ({ authorise }) => await authorise())
    expect(said(violations, 9)).toEqual(['vote is not in the audit log'])
  })

  test('12: the third change of an incident by one person', async () => {
    const violations = await without(noRefusal, async ({ carryOut }) => {
      for (const name of ['a', 'b', 'c'])
        await carryOut({ target: { name }, cause: { class: 'bad_release', component: name } }, ...VERIFIED)
    })
    expect(violations).toEqual([expect.stringMatching(/^invariant 12: .* was the third change of its incident with one person$/)])
  })

  test('12: by two people, or with an undo between, it is none', async () => {
    const violations = await without(noRefusal, async (kernel) => {
      await undone(kernel)
      for (const name of ['b', 'c'])
        await kernel.carryOut(
          { target: { name }, cause: { class: 'bad_release', component: name }, needed: name === 'c' ? 2 : 1 },
          ...VERIFIED,
        )
    })
    expect(violations).toEqual([])
  })

  test('5: an irreversible plan of one person, and one without a confirmation', async () => {
    const change =
      'alter table plan drop constraint irreversible_plan_is_strict; alter table plan drop constraint plan_digest_is_of_its_bytes'
    for (const [path, value] of [
      ['{approval,needed}', '1'],
      ['{approval,confirm}', 'null'],
    ]) {
      const violations = await without(change, async ({ propose, db }) => {
        await propose({ action: SAMPLE_ACTIONS.purge })
        await behind(
          db,
          async (tx) => await sql.raw(`update plan set canonical = jsonb_set(canonical::jsonb, '${path}', '${value}')::text`).execute(tx),
        )
      })
      expect(said(violations, 5)).toContain('is irreversible without its safeguards')
    }
  })
})

/** An action that failed and whose undo was verified. */
async function undone({ carryOut, executions, later, advance, epoch }: Kernel): Promise<void> {
  const { executionId } = await carryOut({}, ...FAILED)
  await later(65)
  const undo = await executions.claim(await executions.authoriseUndo(executionId), epoch)
  for (const step of VERIFIED) await advance(undo.executionId, step, { samples: 1 })
  await executions.settleUndos(epoch)
}
