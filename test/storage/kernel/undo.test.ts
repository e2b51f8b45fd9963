import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { approvalOutcome, approvalState, type ExecutionState } from '../../../agent/domain/approval.ts'
import { actorOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import { insertRow, type Row, undoRow } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const FAILED = ['intent', 'sent', 'succeeded', 'failed'] as const

describeKernel('undo: when', (kernel) => {
  test.each([
    [0, 'refused undo-not-due'],
    [58, 'refused undo-not-due'],
    [61, 'done'],
    [598, 'done'],
    [602, 'refused expired'],
  ])('%d s after the verification failed: %s', async (seconds, expected) => {
    const { carryOut, executions, later, db } = kernel()
    const failed = await carryOut({}, ...FAILED)
    await later(seconds)
    const due = expected === 'done' ? [{ executionId: failed.executionId, undoPlanId: failed.undo?.plan.id }] : []
    expect(await executions.undosDue()).toEqual(due)
    expect(await rehearse(db, (tx) => insertRow(tx, 'authorisation', undoRow(failed, failed.executionId)))).toBe(expected)
    expect(await outcomeOf(executions.authoriseUndo(failed.executionId))).toBe(expected)
  })

  const early: [string, readonly ExecutionState[]][] = [
    ['before it was sent', ['intent']],
    ['before there was an answer', ['intent', 'sent']],
    ['before it was verified', ['intent', 'sent', 'succeeded']],
    ['when it was verified', ['intent', 'sent', 'succeeded', 'verified']],
    ['when nobody could tell', ['intent', 'sent', 'succeeded', 'undetermined']],
    ['when it never took place', ['intent', 'sent', 'failed']],
    ['when it was aborted', ['aborted']],
  ]
  test.each(early)('not %s', async (_, way) => {
    const { carryOut, executions, later, db, approvals } = kernel()
    const asked = await carryOut({}, ...way)
    await later(61)
    expect(await executions.undosDue()).toEqual([])
    expect(await rehearse(db, (tx) => insertRow(tx, 'authorisation', undoRow(asked, asked.executionId)))).toBe('refused undo-not-due')
    expect(await outcomeOf(executions.authoriseUndo(asked.executionId))).toBe('refused undo-not-due')
    expect(await outcomeOf(approvals.keep(asked.requestId, actorOf('vera')))).toBe('refused undo-not-due')
    expect(await approvals.approval(asked.requestId)).toMatchObject({ undoFrom: null })
  })

  test('not without one', async () => {
    const { carryOut, executions, later, approvals } = kernel()
    const { executionId, requestId } = await carryOut({ undo: false }, ...FAILED)
    await later(61)
    expect(await executions.undosDue()).toEqual([])
    expect(await outcomeOf(approvals.keep(requestId, actorOf('vera')))).toBe('refused undo-not-due')
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused policy-denied')
  })

  test('not while stopped or frozen', async () => {
    const { carryOut, executions, later, control, now } = kernel()
    const { executionId } = await carryOut({}, ...FAILED)
    await later(61)
    await control.stop('env:shop', 'ada')
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused kill-switch')
    await control.start('env:shop', 'cli', 'host')
    const window = { from: new Date(now().getTime() - 1_000), to: new Date(now().getTime() + 60_000), reason: 'x', by: 'rex' }
    const id = await control.freeze({ scope: '*', ...window })
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused frozen')
    await control.unfreeze(id, 'rex')
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('done')
  })

  test('not once its own bytes expired', async () => {
    const { carryOut, executions, later, epoch } = kernel()
    const { executionId } = await carryOut({ undoTtlSeconds: 120 }, ...FAILED)
    await later(121)
    expect(await executions.undosDue()).toEqual([])
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused expired')
    expect(await executions.settleUndos(epoch)).toBe(1)
  })

  test('once', async () => {
    const { carryOut, executions, later } = kernel()
    const { executionId } = await carryOut({}, ...FAILED)
    await later(61)
    await executions.authoriseUndo(executionId)
    expect(await executions.undosDue()).toEqual([])
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused already-decided')
  })

  test('never again once it took back what was done', async () => {
    const { carryOut, executions, later, advance, epoch, db } = kernel()
    const asked = await carryOut({}, ...FAILED)
    await later(61)
    const undo = await executions.claim(await executions.authoriseUndo(asked.executionId), epoch)
    for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) await advance(undo.executionId, step, { samples: 1 })
    await executions.settleUndos(epoch)
    expect(await rehearse(db, (tx) => insertRow(tx, 'authorisation', undoRow(asked, asked.executionId)))).toBe('refused undo-not-due')
  })

  test('only of the execution that it takes back', async () => {
    const { carryOut, later, db } = kernel()
    const mine = await carryOut({}, ...FAILED)
    const other = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, ...FAILED)
    await later(61)
    expect(await rehearse(db, (tx) => insertRow(tx, 'authorisation', undoRow(mine, other.executionId)))).toBe(
      'refused policy-denied: not the undo of this execution',
    )
  })
})

describeKernel('undo: keeping the change', (kernel) => {
  test.each(['vera', 'rex', 'ada', 'max'])('%s, who has a role, presses Keep', async (person) => {
    const { carryOut, executions, later, approvals } = kernel()
    const { requestId, executionId } = await carryOut({}, ...FAILED)
    const kept = await approvals.keep(requestId, actorOf(person))
    expect(kept).toMatchObject({ keptBy: person, undoLapsed: false })
    expect([approvalState(kept), approvalOutcome(kept)]).toEqual(['done', 'failed'])
    await later(61)
    expect(await executions.undosDue()).toEqual([])
    expect(await outcomeOf(executions.authoriseUndo(executionId))).toBe('refused kept')
    expect(await outcomeOf(approvals.keep(requestId, actorOf('ben')))).toBe('refused kept')
  })

  test.each([
    ['nobody', 'refused not-authorised'],
    ['ina', 'refused not-authorised'],
    ['bot', 'refused not-authorised'],
    ['otto', 'refused not-authorised'],
    ['stranger', 'refused not-linked'],
  ])('%s does not', async (person, expected) => {
    const { carryOut, approvals } = kernel()
    const { requestId } = await carryOut({}, ...FAILED)
    expect(await outcomeOf(approvals.keep(requestId, actorOf(person)))).toBe(expected)
  })

  test('who may is told to whoever may not', async () => {
    const { carryOut, approvals } = kernel()
    const { requestId } = await carryOut({}, ...FAILED)
    const needs = { role: 'viewer', of: { service: 'payments', environment: 'shop' } }
    await expect(approvals.keep(requestId, actorOf('nobody'))).rejects.toMatchObject({ code: 'not-authorised', needs })
  })

  test('of one execution, whatever became of those before and after it', async () => {
    const { carryOut, approvals, executions, later, epoch } = kernel()
    const verified = async (incident: string, name: string) =>
      await carryOut({ incident, target: { name } }, 'intent', 'sent', 'succeeded', 'verified')
    await verified('inc-2', 'checkout')
    await carryOut({ incident: 'inc-4', target: { name: 'storefront' }, undoTtlSeconds: 120 }, ...FAILED)
    await later(121)
    expect(await executions.settleUndos(epoch)).toBe(1)
    const kept = await carryOut({ incident: 'inc-5', target: { name: 'bank' } }, ...FAILED)
    await approvals.keep(kept.requestId, actorOf('vera'))
    const { requestId } = await carryOut({}, ...FAILED)
    await verified('inc-3', 'inventory')
    expect(await approvals.keep(requestId, actorOf('vera'))).toMatchObject({ keptBy: 'vera' })
  })

  test('not before anything was carried out, and not after the undo was authorised', async () => {
    const { authorise, carryOut, executions, later, approvals } = kernel()
    expect(await outcomeOf(approvals.keep((await authorise({ incident: 'inc-2' })).requestId, actorOf('ada')))).toBe('refused undo-not-due')
    const { requestId, executionId } = await carryOut({ target: { name: 'checkout' } }, ...FAILED)
    await later(61)
    await executions.authoriseUndo(executionId)
    expect(await outcomeOf(approvals.keep(requestId, actorOf('ada')))).toBe('refused too-late')
  })

  test('between the authorisation of the undo and its steps nobody can keep any more, and it goes on', async () => {
    const { carryOut, executions, later, approvals, epoch, advance } = kernel()
    const { requestId, executionId } = await carryOut({}, ...FAILED)
    await later(61)
    const undo = await executions.claim(await executions.authoriseUndo(executionId), epoch)
    expect(await outcomeOf(approvals.keep(requestId, actorOf('ada')))).toBe('refused too-late')
    expect(await outcomeOf(advance(undo.executionId, 'intent'))).toBe('done')
  })

  describe('rows written past every store', () => {
    test.each<[string, Row, string, string]>([
      ['kept', { how: 'kept', principal_id: 'ada' }, 'done', 'done'],
      ['kept by nobody', { how: 'kept' }, 'refused not-authorised', 'constraint undo_kept_by_somebody'],
      ['kept by a bot', { how: 'kept', principal_id: 'bot' }, 'refused not-authorised', 'done'],
      [
        'kept by who does not exist',
        { how: 'kept', principal_id: 'eve' },
        'refused not-authorised',
        'constraint undo_waived_principal_id_fkey',
      ],
      ['lapsed too early', { how: 'lapsed' }, 'refused undo-not-due', 'done'],
      ['lapsed by somebody', { how: 'lapsed', principal_id: 'ada' }, 'refused undo-not-due', 'constraint undo_kept_by_somebody'],
      ['another way', { how: 'lost' }, 'constraint undo_waived_how', 'constraint undo_waived_how'],
    ])('%s', async (_, over, guarded, unguarded) => {
      const { carryOut, db } = kernel()
      const { executionId } = await carryOut({}, ...FAILED)
      const row = { execution_id: executionId, ...over }
      expect(await rehearse(db, (tx) => insertRow(tx, 'undo_waived', row))).toBe(guarded)
      expect(await rehearseUnguarded(db, ['undo_waived'], (tx) => insertRow(tx, 'undo_waived', row))).toBe(unguarded)
    })

    test('the time is the database’s', async () => {
      const { carryOut, db } = kernel()
      const { executionId } = await carryOut({}, ...FAILED)
      await insertRow(db, 'undo_waived', { execution_id: executionId, how: 'kept', principal_id: 'ada', at: new Date(0) })
      expect((await db.selectFrom('undo_waived').select('at').executeTakeFirstOrThrow()).at.getTime()).toBeGreaterThan(Date.now() - 60_000)
    })

    test('of an execution there is not', async () => {
      const { db } = kernel()
      const row = { execution_id: '00000000-0000-4000-8000-000000000000', how: 'kept', principal_id: 'ada' }
      expect(await rehearse(db, (tx) => insertRow(tx, 'undo_waived', row))).toBe('refused undo-not-due')
      expect(await rehearseUnguarded(db, ['undo_waived'], (tx) => insertRow(tx, 'undo_waived', row))).toBe(
        'constraint undo_waived_execution_id_fkey',
      )
    })
  })
})

describeKernel('undo: carrying it out', (kernel) => {
  const begin = async (): Promise<{ parentId: string; requestId: string; undoId: string }> => {
    const { carryOut, executions, later, epoch } = kernel()
    const { executionId, requestId } = await carryOut({}, ...FAILED)
    await later(61)
    const undo = await executions.claim(await executions.authoriseUndo(executionId), epoch)
    return { parentId: executionId, requestId, undoId: undo.executionId }
  }

  test('has its own intent and sent, and its own verification makes the action undone', async () => {
    const { executions, advance, approvals, epoch } = kernel()
    const { parentId, requestId, undoId } = await begin()
    const seen = async () => {
      const approval = await approvals.approval(requestId)
      return approval && [approvalState(approval), approvalOutcome(approval), approval.undoExecution?.state]
    }
    for (const step of ['intent', 'sent', 'succeeded'] as const) {
      await advance(undoId, step)
      expect(await outcomeOf(advance(parentId, 'undone'))).toBe('refused undo-not-due')
      expect(await executions.settleUndos(epoch)).toBe(0)
      expect(await seen()).toEqual(['executing', 'failed', step])
    }
    await advance(undoId, 'verified', { samples: 3 })
    expect(await executions.settleUndos(epoch)).toBe(1)
    expect(await executions.settleUndos(epoch)).toBe(0)
    expect(await seen()).toEqual(['done', 'undone', 'verified'])
    expect((await executions.sentExecutions()).map((sent) => sent.executionId)).toEqual([parentId, undoId])
  })

  test('what was verified of something else undoes nothing', async () => {
    const { carryOut, executions, later, advance } = kernel()
    const { executionId } = await carryOut({}, ...FAILED)
    await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent', 'succeeded', 'verified')
    await later(61)
    await executions.authoriseUndo(executionId)
    expect(await outcomeOf(advance(executionId, 'undone'))).toBe('refused undo-not-due')
  })

  test.each<[string, readonly ExecutionState[]]>([
    ['aborted', ['aborted']],
    ['failed', ['intent', 'sent', 'failed']],
    ['undetermined', ['intent', 'sent', 'succeeded', 'undetermined']],
  ])('an undo that ended %s leaves the action failed', async (_, way) => {
    const { executions, advance, approvals, epoch } = kernel()
    const { parentId, requestId, undoId } = await begin()
    for (const step of way) await advance(undoId, step)
    expect(await executions.settleUndos(epoch)).toBe(0)
    expect(await outcomeOf(advance(parentId, 'undone'))).toBe('refused undo-not-due')
    const approval = await approvals.approval(requestId)
    expect(approval && [approvalState(approval), approvalOutcome(approval)]).toEqual(['done', 'failed'])
  })

  const between: [string, (kernel: Kernel) => Promise<unknown>, string][] = [
    [
      'the approver lost the role',
      async ({ db }) => await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(db),
      'lost-authority',
    ],
    ['everything was stopped', async ({ control }) => await control.stop('*', 'ben'), 'kill-switch'],
    ['its time was over', async ({ later }) => await later(3_600), 'expired'],
  ]
  describe.each(between)('%s', (_, change, code) => {
    test.each([
      ['intent', []],
      ['sent', ['intent']],
    ] as const)('before its %s', async (step, way) => {
      const { executions, advance } = kernel()
      const { undoId } = await begin()
      for (const before of way) await advance(undoId, before)
      await change(kernel())
      expect(await executions.refusalToAct(undoId)).toEqual({ code, detail: null })
      expect(await outcomeOf(advance(undoId, step))).toBe(`refused ${code}`)
    })
  })

  test('a waiver that stands beside its authorisation stops it all the same', async () => {
    const { db, epoch } = kernel()
    const { parentId, undoId } = await begin()
    const outcome = rehearse(db, async (tx) => {
      await sql`alter table undo_waived disable trigger undo_waived_guard`.execute(tx)
      await insertRow(tx, 'undo_waived', { execution_id: parentId, how: 'kept', principal_id: 'ada' })
      await insertRow(tx, 'execution_event', { execution_id: undoId, seq: 2, from_state: 'claimed', to_state: 'intent', epoch })
    })
    expect(await outcome).toBe('refused kept')
  })

  test('what was kept of something else stops nothing', async () => {
    const { carryOut, approvals, executions, advance } = kernel()
    const other = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, ...FAILED)
    await approvals.keep(other.requestId, actorOf('vera'))
    const { undoId } = await begin()
    expect(await executions.refusalToAct(undoId)).toBeNull()
    expect(await outcomeOf(advance(undoId, 'intent'))).toBe('done')
  })

  test('no undo undoes an undo', async () => {
    const { advance, executions, later } = kernel()
    const { undoId } = await begin()
    for (const step of FAILED) await advance(undoId, step)
    await later(61)
    expect(await executions.undosDue()).toEqual([])
  })
})

describeKernel('undo: letting it lapse', (kernel) => {
  test('after ten minutes nobody undoes it any more, and that is said', async () => {
    const { carryOut, executions, later, approvals, epoch } = kernel()
    const { requestId } = await carryOut({}, ...FAILED)
    await later(599)
    expect(await executions.settleUndos(epoch)).toBe(0)
    await later(2)
    expect(await executions.settleUndos(epoch)).toBe(1)
    expect(await executions.settleUndos(epoch)).toBe(0)
    const approval = await approvals.approval(requestId)
    expect(approval).toMatchObject({ keptBy: null, undoLapsed: true })
    expect(approval && [approvalState(approval), approvalOutcome(approval)]).toEqual(['done', 'failed'])
    expect(await outcomeOf(approvals.keep(requestId, actorOf('ada')))).toBe('refused too-late')
  })

  test('an undo that was authorised and that nobody claimed in time lapses, and no claim comes after it', async () => {
    const { carryOut, executions, approvals, audit, later, epoch, db } = kernel()
    const { requestId, executionId } = await carryOut({ undoTtlSeconds: 900 }, ...FAILED)
    await later(61)
    const authorisationId = await executions.authoriseUndo(executionId)
    await later(700)
    expect(await executions.settleUndos(epoch)).toBe(0)
    await later(200)
    expect(await executions.settleUndos(epoch)).toBe(1)
    expect(await executions.settleUndos(epoch)).toBe(0)
    const approval = await approvals.approval(requestId)
    expect(approval).toMatchObject({ undoLapsed: true })
    expect(approval && approvalState(approval)).toBe('done')
    const notice = db.selectFrom('outbox').select('id').where('dedupe', '=', `notice:undo-waived:${executionId}`)
    expect(await notice.execute()).toHaveLength(1)
    expect(await executions.claimable(10)).toEqual([])
    expect(await outcomeOf(executions.claim(authorisationId, epoch))).toBe('refused expired')
    expect(await audit.overdue()).not.toContainEqual(expect.stringContaining('nobody claimed it'))
  })

  test('what was kept, or is being undone, does not lapse', async () => {
    const { carryOut, executions, later, approvals, epoch } = kernel()
    const kept = await carryOut({}, ...FAILED)
    await approvals.keep(kept.requestId, actorOf('vera'))
    const undone = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, ...FAILED)
    await later(61)
    await executions.authoriseUndo(undone.executionId)
    await later(700)
    expect(await executions.settleUndos(epoch)).toBe(0)
  })
})
