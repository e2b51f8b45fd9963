import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { REFUSALS } from '../../../agent/domain/refusal.ts'
import { authorisationOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import type { PlanOptions } from '../../support/kernel-plans.ts'
import { insertRow } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse } from '../../support/kernel-sql.ts'

type Claimed = Awaited<ReturnType<Kernel['carryOut']>>

/** What may come between the click and the effect, and the refusal that it has to end in. */
const BETWEEN: readonly [string, (kernel: Kernel, claimed: Claimed) => Promise<unknown>, string][] = [
  ['everything was stopped', async ({ control }) => await control.stop('*', 'ada'), 'kill-switch'],
  ['the environment was stopped', async ({ control }) => await control.stop('env:shop', 'ada'), 'kill-switch'],
  ['the action was stopped', async ({ control }) => await control.stop('kind:sample.restart', 'ada'), 'kill-switch'],
  ['a freeze began', async (kernel) => await freeze(kernel, '*'), 'frozen'],
  ['a freeze of the resource began', async (kernel) => await freeze(kernel, 'resource:sample/shop/service/payments'), 'frozen'],
  ['its time was over', async ({ later }) => await later(601), 'expired'],
  ['it was cancelled', async ({ approvals }, { requestId }) => await approvals.cancel(requestId, 'rex', 'x'), 'cancelled'],
  [
    'the approver lost the role',
    async ({ db }) => await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(db),
    'lost-authority',
  ],
  [
    'the approver was deactivated',
    async ({ db }) => await sql`update principal set active = false where id = 'ada'`.execute(db),
    'lost-authority',
  ],
  [
    'the approver’s account was unlinked',
    async ({ db }) => await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db),
    'lost-authority',
  ],
]

const freeze = async ({ control, now }: Kernel, scope: string): Promise<unknown> =>
  await control.freeze({
    scope,
    from: new Date(now().getTime() - 1_000),
    to: new Date(now().getTime() + 60_000),
    reason: 'launch',
    by: 'rex',
  })

describeKernel('limits: read again before intent and before sent', (kernel) => {
  describe.each(BETWEEN)('%s', (_, change, code) => {
    test.each([
      ['intent', []],
      ['sent', ['intent']],
    ] as const)('between the claim and %s', async (step, way) => {
      const { carryOut, executions, advance, db, epoch } = kernel()
      const claimed = await carryOut({}, ...way)
      expect(await executions.refusalToAct(claimed.executionId)).toBeNull()
      await change(kernel(), claimed)
      expect(await executions.refusalToAct(claimed.executionId)).toEqual({ code, detail: null })
      expect(await outcomeOf(advance(claimed.executionId, step))).toBe(`refused ${code}`)
      const from = way.at(-1) ?? 'claimed'
      const row = { execution_id: claimed.executionId, seq: way.length + 2, from_state: from, to_state: step, epoch }
      expect(await rehearse(db, (tx) => insertRow(tx, 'execution_event', row))).toBe(`refused ${code}`)
      expect(await outcomeOf(advance(claimed.executionId, 'aborted', { reason: code }))).toBe('done')
    })
  })

  test('none of it holds up what was sent already', async () => {
    const { carryOut, advance, control } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent')
    await control.stop('*', 'ada')
    await freeze(kernel(), '*')
    for (const step of ['unknown', 'succeeded'] as const) expect(await outcomeOf(advance(executionId, step))).toBe('done')
    expect(await outcomeOf(advance(executionId, 'verified', { samples: 1 }))).toBe('done')
  })

  test('one of several approvers may go, as long as enough are left; who comes back has not come back with the vote', async () => {
    const { propose, click, executions, db, epoch } = kernel()
    const asked = await propose({ needed: 1 })
    await click(asked, 'ada')
    const twice = await propose({ needed: 2, incident: 'inc-2', target: { name: 'checkout' } })
    await click(twice, 'ada')
    await click(twice, 'ben')
    const executionOf = async ({ parent }: typeof asked) =>
      (await executions.claim(await authorisationOf(db, parent.plan.id), epoch)).executionId
    const [one, two] = [await executionOf(asked), await executionOf(twice)]
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ben'`.execute(db)
    expect(await executions.refusalToAct(one)).toBeNull()
    expect(await executions.refusalToAct(two)).toEqual({ code: 'lost-authority', detail: null })
    await sql`insert into role_grant (principal_id, role, environment, granted_by) values ('ben', 'admin', '*', 'configuration')`.execute(
      db,
    )
    expect(await executions.refusalToAct(two)).toEqual({ code: 'lost-authority', detail: null })
  })

  test('every refusal it may return has words for people', async () => {
    const { db } = kernel()
    const { rows } = await sql<{ source: string }>`select prosrc as source from pg_proc where proname = 'refusal_to_act'`.execute(db)
    const codes = [...(rows[0]?.source ?? '').matchAll(/return '([a-z-]+)'/g)].map(([, code]) => code)
    expect(codes.length).toBeGreaterThan(8)
    expect(codes.filter((code) => !Object.hasOwn(REFUSALS, code ?? ''))).toEqual([])
  })
})

describeKernel('limits: repetition', (kernel) => {
  const sent = ['intent', 'sent', 'succeeded', 'verified'] as const
  const refusal = async (options: PlanOptions): Promise<string | null> => {
    const { carryOut, executions } = kernel()
    const { executionId } = await carryOut(options)
    return (await executions.refusalToAct(executionId))?.code ?? null
  }
  /** Both steps have to refuse, not only the question. */
  const stepsOf = async (options: PlanOptions): Promise<string> => {
    const { carryOut, advance } = kernel()
    const { executionId } = await carryOut(options)
    return await outcomeOf(advance(executionId, 'intent'))
  }

  test('a resource is left alone for its cooldown, counted from the send', async () => {
    const { carryOut, later } = kernel()
    await carryOut({ incident: 'inc-1' }, ...sent)
    await later(118)
    expect(await stepsOf({ incident: 'inc-2', cooldownSeconds: 120 })).toBe('refused cooldown')
    await later(4)
    expect(await refusal({ incident: 'inc-4', target: { name: 'checkout' }, cooldownSeconds: 120 })).toBeNull()
  })

  test('after the cooldown, on another resource, or without one there is none', async () => {
    const { carryOut, later, advance } = kernel()
    await carryOut({ incident: 'inc-1' }, ...sent)
    expect(await refusal({ incident: 'inc-2', target: { name: 'checkout' }, cooldownSeconds: 120 })).toBeNull()
    const { executionId } = await carryOut({ incident: 'inc-3' })
    expect(await outcomeOf(advance(executionId, 'intent'))).toBe('done')
    await advance(executionId, 'aborted')
    await later(121)
    expect(await refusal({ incident: 'inc-4', cooldownSeconds: 120 })).toBeNull()
  })

  test('nor is there one where only another resource was changed, and the own action was aborted', async () => {
    const { carryOut } = kernel()
    await carryOut({ incident: 'inc-1' }, 'aborted')
    await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, ...sent)
    expect(await refusal({ incident: 'inc-3', cooldownSeconds: 120 })).toBeNull()
  })

  test('what it sent itself is neither its cooldown, nor an attempt before it, nor a change before it', async () => {
    const { carryOut, executions } = kernel()
    const own = await carryOut({ cooldownSeconds: 120, maxAttempts: 1 }, 'intent', 'sent')
    expect(await executions.refusalToAct(own.executionId)).toBeNull()
    await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, ...sent)
    const second = await carryOut({ incident: 'inc-2', target: { name: 'inventory' } }, 'intent', 'sent')
    expect(await executions.refusalToAct(second.executionId)).toBeNull()
  })

  test('a cooldown that begins between intent and sent stops the send', async () => {
    const { carryOut, advance, db } = kernel()
    const { executionId } = await carryOut({ cooldownSeconds: 120 }, 'intent')
    const other = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent')
    const outcome = rehearse(db, async (tx) => {
      await sql`alter table execution disable trigger execution_follows_its_events`.execute(tx)
      await sql`alter table execution disable trigger all`.execute(tx)
      await sql`drop index one_in_flight_per_resource`.execute(tx)
      await sql`update execution set resource = 'sample/shop/service/payments' where id = ${other.executionId}`.execute(tx)
      await insertRow(tx, 'execution_event', { execution_id: executionId, seq: 3, from_state: 'intent', to_state: 'sent', epoch: 1 })
    })
    expect(await outcome).toBe('refused cooldown')
    expect(await outcomeOf(advance(executionId, 'sent'))).toBe('done')
  })

  test('a send that failed counts for the cooldown, one that was aborted before does not', async () => {
    const { carryOut } = kernel()
    await carryOut({ incident: 'inc-1' }, 'aborted')
    await carryOut({ incident: 'inc-2' }, 'intent', 'aborted')
    await carryOut({ incident: 'inc-3', cooldownSeconds: 60 }, 'intent', 'sent', 'failed')
    expect(await stepsOf({ incident: 'inc-4', cooldownSeconds: 60 })).toBe('refused cooldown')
  })

  test('two attempts at a cause of an incident, then a person takes over', async () => {
    const { carryOut } = kernel()
    await carryOut({}, ...sent)
    await carryOut({ needed: 2 }, ...sent)
    expect(await stepsOf({ needed: 2 })).toBe('refused attempts-exhausted')
    expect(await refusal({ needed: 2, target: { name: 'checkout' }, incident: 'inc-2' })).toBeNull()
  })

  test('the attempts at the same cause in another incident are not its own', async () => {
    const { carryOut } = kernel()
    const cause = { class: 'bad_release', component: 'payments' } as const
    await carryOut({ cause }, ...sent)
    await carryOut({ cause, needed: 2 }, ...sent)
    expect(await refusal({ cause, incident: 'inc-2', target: { name: 'checkout' } })).toBeNull()
  })

  test('one attempt where the plan says so; another cause has its own', async () => {
    const { carryOut } = kernel()
    await carryOut({}, ...sent)
    expect(await refusal({ maxAttempts: 1, target: { name: 'checkout' }, cause: { class: 'bad_release', component: 'payments' } })).toBe(
      'attempts-exhausted',
    )
    expect(
      await refusal({ maxAttempts: 1, target: { name: 'inventory' }, cause: { class: 'memory_leak', component: 'payments' } }),
    ).toBeNull()
    expect(
      await refusal({ maxAttempts: 1, target: { name: 'storefront' }, cause: { class: 'bad_release', component: 'checkout' } }),
    ).toBeNull()
  })

  test('attempts count what was sent, not what was aborted', async () => {
    const { carryOut } = kernel()
    for (let n = 0; n < 3; n += 1) await carryOut({ maxAttempts: 1 }, 'intent', 'aborted')
    expect(await refusal({ maxAttempts: 1 })).toBeNull()
  })

  test('the third change of an incident needs two people', async () => {
    const { carryOut } = kernel()
    await carryOut({ target: { name: 'a' }, cause: { class: 'bad_release', component: 'a' } }, ...sent)
    expect(await refusal({ target: { name: 'x' }, cause: { class: 'bad_release', component: 'x' } })).toBeNull()
    await carryOut({ target: { name: 'b' }, cause: { class: 'bad_release', component: 'b' } }, ...sent)
    const third = { target: { name: 'c' }, cause: { class: 'bad_release', component: 'c' } } as const
    expect(await stepsOf(third)).toBe('refused needs-more-people')
    expect(await stepsOf({ ...third, target: { name: 'd' }, needed: 2 })).toBe('done')
    expect(await stepsOf({ ...third, target: { name: 'e' }, incident: 'inc-2' })).toBe('done')
  })

  test('an undo is no change of its own, no attempt, and waits for no cooldown', async () => {
    const { carryOut, executions, epoch, later, advance } = kernel()
    const first = await carryOut({ cooldownSeconds: 600 }, 'intent', 'sent', 'succeeded', 'failed')
    await later(61)
    const { executionId } = await executions.claim(await executions.authoriseUndo(first.executionId), epoch)
    expect(await executions.refusalToAct(executionId)).toBeNull()
    for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) await advance(executionId, step, { samples: 1 })
    expect(await refusal({ cooldownSeconds: 0 })).toBeNull()
    expect(await refusal({ target: { name: 'b' }, maxAttempts: 2 })).toBeNull()
  })

  test('an undo counts for the cooldown of what comes after it', async () => {
    const { carryOut, executions, epoch, later, advance } = kernel()
    const first = await carryOut({}, 'intent', 'sent', 'succeeded', 'failed')
    await later(61)
    const { executionId } = await executions.claim(await executions.authoriseUndo(first.executionId), epoch)
    for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) await advance(executionId, step, { samples: 1 })
    expect(await refusal({ incident: 'inc-2', cooldownSeconds: 30 })).toBe('cooldown')
  })
})
