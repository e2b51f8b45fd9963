import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { approvalOutcome, approvalState, EXECUTION_STATES, type ExecutionState } from '../../../agent/domain/approval.ts'
import { Refusal } from '../../../agent/domain/refusal.ts'
import { authorisationOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import { insertRow, type Row } from '../../support/kernel-rows.ts'
import { disable, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

/** How to reach each state, from claimed on. */
const WAY: Record<Exclude<ExecutionState, 'undone'>, readonly ExecutionState[]> = {
  claimed: [],
  intent: ['intent'],
  sent: ['intent', 'sent'],
  unknown: ['intent', 'sent', 'unknown'],
  succeeded: ['intent', 'sent', 'succeeded'],
  verified: ['intent', 'sent', 'succeeded', 'verified'],
  failed: ['intent', 'sent', 'failed'],
  undetermined: ['intent', 'sent', 'succeeded', 'undetermined'],
  aborted: ['aborted'],
}

const ALLOWED: readonly string[] = [
  'claimed intent',
  'claimed aborted',
  'intent sent',
  'intent aborted',
  'sent succeeded',
  'sent failed',
  'sent unknown',
  'unknown succeeded',
  'unknown failed',
  'succeeded verified',
  'succeeded failed',
  'succeeded undetermined',
  'failed undone',
]

const executionRow = async ({ db, epoch }: Kernel, authorisationId: string, over: Row = {}): Promise<Row> => {
  const { rows } =
    await sql<Row>`select a.plan_id, a.digest, p.resource from authorisation a join plan p on p.id = a.plan_id where a.id = ${authorisationId}`.execute(
      db,
    )
  return { authorisation_id: authorisationId, ...rows[0], epoch, ...over }
}

describeKernel('execution: its steps', (kernel) => {
  const states = Object.keys(WAY) as (keyof typeof WAY)[]

  /** What stands in the way of a step when the guard is off: a unique index, the table of allowed steps, or nothing. */
  const unguarded = (from: keyof typeof WAY, to: string): string => {
    if ((to === 'intent' || to === 'sent') && WAY[from].includes(to)) return `constraint one_${to}_ever`
    return ALLOWED.includes(`${from} ${to}`) ? 'done' : 'constraint execution_takes_allowed_steps'
  }
  const guarded = (from: keyof typeof WAY, to: string): string => {
    if (to === 'undone') return 'refused undo-not-due: the undo is not verified'
    if (to === 'sent' && !WAY[from].includes('intent')) return 'refused fenced: intent was written by another epoch'
    return unguarded(from, to)
  }

  test.each(states)('from %s there is no way but the allowed ones', async (from) => {
    const { carryOut, db, epoch } = kernel()
    const { executionId } = await carryOut({}, ...WAY[from])
    for (const to of ['none', ...EXECUTION_STATES]) {
      const row = { execution_id: executionId, seq: WAY[from].length + 2, from_state: from, to_state: to, epoch, detail: { samples: 3 } }
      const step = (tx: Kernel['db']) => insertRow(tx, 'execution_event', row)
      expect([to, await rehearse(db, step)]).toEqual([to, guarded(from, to)])
      expect([to, await rehearseUnguarded(db, ['execution_event'], step)]).toEqual([to, unguarded(from, to)])
    }
  })

  test('a second intent, and a second sent', async () => {
    const { carryOut, db, epoch } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent')
    const row = { execution_id: executionId, seq: 4, epoch }
    const trying = (over: Row) => rehearseUnguarded(db, ['execution_event'], (tx) => insertRow(tx, 'execution_event', { ...row, ...over }))
    expect(await trying({ from_state: 'claimed', to_state: 'intent' })).toBe('constraint one_intent_ever')
    expect(await trying({ from_state: 'intent', to_state: 'sent' })).toBe('constraint one_sent_ever')
    const claiming = (over: Row) => rehearse(db, (tx) => insertRow(tx, 'execution_event', { ...row, ...over }))
    expect(await claiming({ from_state: 'claimed', to_state: 'intent' })).toBe('broken the execution is sent, not claimed')
    expect(await claiming({ from_state: 'intent', to_state: 'sent' })).toBe('broken the execution is sent, not intent')
    for (const step of ['intent', 'sent'] as const)
      expect(await outcomeOf(kernel().advance(executionId, step))).toBe('refused already-sent')
  })

  test.each<[string, Row, string]>([
    ['a gap', { seq: 4 }, 'broken execution events leave no gap'],
    ['a place that is taken', { seq: 2 }, 'broken execution events leave no gap'],
    ['a place before the first', { seq: 0 }, 'broken execution events leave no gap'],
    ['another beginning than its state', { from_state: 'claimed', to_state: 'aborted' }, 'broken the execution is intent, not claimed'],
    ['a beginning again', { from_state: 'none', to_state: 'claimed' }, 'broken the execution is intent, not none'],
    ['another epoch', { epoch: 2 }, 'refused fenced'],
    ['an execution there is not', { execution_id: randomUUID(), seq: 1 }, expect.stringMatching('broken')],
    ['a detail over 32 KiB', { detail: { words: 'x'.repeat(32_768) } }, 'constraint execution_detail_is_bounded'],
  ])('%s', async (_, over, expected) => {
    const { carryOut, db, epoch } = kernel()
    const { executionId } = await carryOut({}, 'intent')
    const row = { execution_id: executionId, seq: 3, from_state: 'intent', to_state: 'aborted', epoch, ...over }
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution_event', row))).toEqual(expected)
  })

  test('where no guard looks: a place before the first, and an execution there is not', async () => {
    const { carryOut, db, epoch } = kernel()
    const { executionId } = await carryOut({}, 'intent')
    const row = { execution_id: executionId, seq: 3, from_state: 'intent', to_state: 'aborted', epoch }
    const trying = (over: Row) => rehearseUnguarded(db, ['execution_event'], (tx) => insertRow(tx, 'execution_event', { ...row, ...over }))
    expect(await trying({ seq: 0 })).toBe('constraint execution_event_seq')
    expect(await trying({ seq: 2 })).toBe('constraint execution_event_pkey')
    expect(await trying({ execution_id: randomUUID() })).toBe('constraint execution_event_execution_id_fkey')
  })

  test('the time of an event is the database’s', async () => {
    const { carryOut, db, epoch } = kernel()
    const { executionId } = await carryOut({})
    await insertRow(db, 'execution_event', {
      execution_id: executionId,
      seq: 2,
      from_state: 'claimed',
      to_state: 'aborted',
      epoch,
      at: new Date(0),
    })
    const { at } = await db.selectFrom('execution_event').select('at').where('seq', '=', 2).executeTakeFirstOrThrow()
    expect(at.getTime()).toBeGreaterThan(Date.now() - 60_000)
  })

  test('an unknown execution is a fault, and its steps and refusals are not made up', async () => {
    const { executions, epoch } = kernel()
    const unknown = randomUUID()
    await expect(executions.advance(unknown, 'aborted', epoch, {})).rejects.toThrow(`execution ${unknown} does not exist`)
    await expect(executions.refusalToAct(unknown)).rejects.toThrow('there is no such execution')
    await expect(executions.authoriseUndo(unknown)).rejects.toThrow(`execution ${unknown} does not exist`)
  })

  test('a detail that came from outside is stored clean', async () => {
    const { carryOut, approvals, advance } = kernel()
    const { executionId, requestId } = await carryOut({}, 'intent', 'sent')
    await advance(executionId, 'failed', { words: 'no\u0000 \ud800answer', at: new Date(0), none: undefined })
    expect((await approvals.approval(requestId))?.execution?.events.at(-1)?.detail).toEqual({
      words: 'no\uFFFD \uFFFDanswer',
      at: '1970-01-01T00:00:00.000Z',
    })
  })
})

describeKernel('execution: success is what was measured', (kernel) => {
  test.each<[Record<string, unknown>, string]>([
    [{}, 'constraint verified_has_samples'],
    [{ samples: 0 }, 'constraint verified_has_samples'],
    [{ samples: -3 }, 'constraint verified_has_samples'],
    [{ samples: null }, 'constraint verified_has_samples'],
    [{ samples: 'many' }, expect.stringMatching('fault 22P02')],
    [{ samples: 1 }, 'done'],
  ])('verified with %j: %s', async (detail, expected) => {
    const { carryOut, advance } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent', 'succeeded')
    expect(await outcomeOf(advance(executionId, 'verified', detail))).toEqual(expected)
  })

  test('no samples are undetermined, which is neither success nor failure', async () => {
    const { carryOut, approvals } = kernel()
    const { requestId } = await carryOut({}, 'intent', 'sent', 'succeeded', 'undetermined')
    const approval = await approvals.approval(requestId)
    expect(approval && [approvalState(approval), approvalOutcome(approval)]).toEqual(['done', 'undetermined'])
  })

  test('the whole way: proposed, approved, carried out, verified', async () => {
    const { approvals, executions, carryOut } = kernel()
    const { requestId, executionId, parent } = await carryOut({}, 'intent', 'sent', 'succeeded', 'verified')
    const approval = await approvals.approval(requestId)
    expect(approval && [approvalState(approval), approvalOutcome(approval)]).toEqual(['done', 'verified'])
    expect(approval?.execution?.events.map(({ seq, state }) => `${seq} ${state}`)).toEqual([
      '1 claimed',
      '2 intent',
      '3 sent',
      '4 succeeded',
      '5 verified',
    ])
    expect(await executions.unfinished()).toEqual([])
    expect(await executions.sentExecutions()).toEqual([{ executionId, planId: parent.plan.id, digest: parent.digest }])
  })

  test.each<[ExecutionState, readonly ExecutionState[], boolean]>([
    ['claimed', [], false],
    ['intent', ['intent'], false],
    ['sent', ['intent', 'sent'], true],
    ['unknown', ['intent', 'sent', 'unknown'], true],
    ['succeeded', ['intent', 'sent', 'succeeded'], true],
  ])('what a crash leaves %s is found again', async (state, way, wasSent) => {
    const { executions, carryOut } = kernel()
    const { executionId, authorisationId, parent } = await carryOut({}, ...way)
    expect(await executions.unfinished()).toEqual([
      {
        executionId,
        authorisationId,
        state,
        epoch: 1,
        plan: parent,
        sentAgoMs: wasSent ? expect.any(Number) : null,
        sentEpoch: wasSent ? 1 : null,
        inStateMs: expect.any(Number),
      },
    ])
  })
})

describeKernel('execution: the lease', (kernel) => {
  test('a new holder settles what it finds, and never sends what another intended', async () => {
    const { carryOut, executions, db } = kernel()
    const { executionId } = await carryOut({}, 'intent')
    await takeOver(db)
    expect(await outcomeOf(executions.advance(executionId, 'sent', 1, {}))).toBe('refused fenced')
    await expect(executions.advance(executionId, 'sent', 2, {})).rejects.toThrow(
      new Refusal('fenced', 'intent was written by another epoch'),
    )
    await executions.advance(executionId, 'aborted', 2, { reason: 'restarted' })
  })

  test('who lost the lease writes nothing: no step, no claim', async () => {
    const { carryOut, authorise, executions, db } = kernel()
    const { executionId } = await carryOut({}, 'intent', 'sent')
    const { authorisationId } = await authorise({ incident: 'inc-2', target: { name: 'checkout' } })
    await takeOver(db)
    for (const to of ['succeeded', 'failed', 'unknown'] as const)
      expect(await outcomeOf(executions.advance(executionId, to, 1, {}))).toBe('refused fenced')
    expect(await outcomeOf(executions.claim(authorisationId, 1))).toBe('refused fenced')
    await executions.advance(executionId, 'unknown', 2, {})
  })

  test('a lapsed lease is none, though nobody took over yet', async () => {
    const { carryOut, executions, later } = kernel()
    const { executionId } = await carryOut({ ttlSeconds: 3_000 }, 'intent')
    await later(86_401)
    expect(await outcomeOf(executions.advance(executionId, 'aborted', 1, {}))).toBe('refused fenced')
  })

  test('sent by another epoch than intent is refused past every store too', async () => {
    const { carryOut, db } = kernel()
    const { executionId } = await carryOut({}, 'intent')
    await takeOver(db)
    const row = { execution_id: executionId, seq: 3, from_state: 'intent', to_state: 'sent', epoch: 2 }
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution_event', row))).toBe('refused fenced: intent was written by another epoch')
  })

  test('nor does it help that the new holder intends something else', async () => {
    const { carryOut, authorise, executions, db } = kernel()
    const { executionId } = await carryOut({}, 'intent')
    const { authorisationId } = await authorise({ incident: 'inc-2', target: { name: 'checkout' } })
    await takeOver(db)
    const other = await executions.claim(authorisationId, 2)
    await executions.advance(other.executionId, 'intent', 2, {})
    const row = { execution_id: executionId, seq: 3, from_state: 'intent', to_state: 'sent', epoch: 2 }
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution_event', row))).toBe('refused fenced: intent was written by another epoch')
  })

  describe('of the whole kernel', () => {
    test('an authorisation is found by its plan', async () => {
      const { authorise, db } = kernel()
      const { parent, authorisationId } = await authorise()
      expect(await authorisationOf(db, parent.plan.id)).toBe(authorisationId)
    })

    test('an execution whose first event is missing is not moved on', async () => {
      const { authorise, db, epoch } = kernel()
      const { authorisationId } = await authorise()
      const row = await executionRow(kernel(), authorisationId)
      const outcome = rehearse(db, async (tx) => {
        await disable(tx, 'execution', 'execution_begins')
        await insertRow(tx, 'execution', row)
        const { id } = await tx.selectFrom('execution').select('id').executeTakeFirstOrThrow()
        await insertRow(tx, 'execution_event', { execution_id: id, seq: 1, from_state: 'claimed', to_state: 'intent', epoch })
      })
      expect(await outcome).toBe('broken the execution is claimed, not claimed')
    })
  })
})

/** Another process takes the lease: the epoch grows. */
async function takeOver(db: Kernel['db']): Promise<void> {
  await sql`update lease set holder = 'another', epoch = epoch + 1 where name = 'executor'`.execute(db)
}
