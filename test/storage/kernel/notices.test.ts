import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { actorOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import { insertRow, voteRow } from '../../support/kernel-rows.ts'
import { countOf } from '../../support/kernel-sql.ts'

const FAILED = ['intent', 'sent', 'succeeded', 'failed'] as const

describeKernel('notices: written with what they tell', (kernel) => {
  const told = async (since = 0) => {
    const rows = kernel().db.selectFrom('outbox').select(['id', 'topic', 'incident_id', 'body']).where('id', '>', since).orderBy('id')
    return await rows.execute()
  }
  const newest = async (): Promise<number> => (await told()).at(-1)?.id ?? 0

  type Case = [string, (kernel: Kernel) => Promise<() => Promise<unknown>>, string[]]
  const cases: Case[] = [
    [
      'asking',
      async ({ propose }) =>
        async () =>
          await propose(),
      ['request-pending'],
    ],
    [
      'approving',
      async ({ propose, click }) => {
        const asked = await propose()
        return async () => await click(asked, 'ada')
      },
      ['request-authorised'],
    ],
    [
      'one approval of two',
      async ({ propose, click }) => {
        const asked = await propose({ needed: 2 })
        return async () => await click(asked, 'ada')
      },
      [],
    ],
    [
      'denying',
      async ({ propose, click }) => {
        const asked = await propose()
        return async () => await click(asked, 'ada', { decision: 'deny' })
      },
      ['request-denied'],
    ],
    [
      'cancelling',
      async ({ propose, approvals }) => {
        const { requestId } = await propose()
        return async () => await approvals.cancel(requestId, 'ada', 'x')
      },
      ['request-cancelled'],
    ],
    [
      'expiring',
      async ({ propose, approvals, later }) => {
        await propose()
        await later(601)
        return async () => await approvals.expireDue()
      },
      ['request-expired'],
    ],
    [
      'superseding',
      async ({ propose }) => {
        await propose()
        return async () => await propose()
      },
      ['request-pending'],
    ],
    ...(['unknown', 'failed'] as const).map(
      (state): Case => [
        `becoming ${state}`,
        async ({ carryOut, advance }) => {
          const { executionId } = await carryOut({}, 'intent', 'sent')
          return async () => await advance(executionId, state)
        },
        [`execution-${state}`],
      ],
    ),
    ...(['verified', 'failed', 'undetermined'] as const).map(
      (state): Case => [
        `being ${state}`,
        async ({ carryOut, advance }) => {
          const { executionId } = await carryOut({}, 'intent', 'sent', 'succeeded')
          return async () => await advance(executionId, state, { samples: 1 })
        },
        [`execution-${state}`],
      ],
    ),
    [
      'aborting',
      async ({ carryOut, advance }) => {
        const { executionId } = await carryOut({})
        return async () => await advance(executionId, 'aborted')
      },
      ['execution-aborted'],
    ],
    ...(['intent', 'sent', 'succeeded'] as const).map(
      (state, index): Case => [
        `the step ${state}`,
        async ({ carryOut, advance }) => {
          const { executionId } = await carryOut({}, ...(['intent', 'sent'] as const).slice(0, index))
          return async () => await advance(executionId, state)
        },
        [],
      ],
    ),
    [
      'keeping',
      async ({ carryOut, approvals }) => {
        const { requestId } = await carryOut({}, ...FAILED)
        return async () => await approvals.keep(requestId, actorOf('vera'))
      },
      ['undo-kept'],
    ],
    [
      'letting an undo lapse',
      async ({ carryOut, executions, later, epoch }) => {
        await carryOut({}, ...FAILED)
        await later(601)
        return async () => await executions.settleUndos(epoch)
      },
      ['undo-lapsed'],
    ],
    [
      'an undo that is aborted',
      async (given) => {
        const { undoId } = await undoing(given)
        return async () => await given.advance(undoId, 'aborted')
      },
      ['undo-aborted'],
    ],
    [
      'an undo that is verified',
      async (given) => {
        const { undoId } = await undoing(given)
        for (const step of ['intent', 'sent', 'succeeded'] as const) await given.advance(undoId, step)
        return async () => await given.advance(undoId, 'verified', { samples: 1 })
      },
      ['undo-verified'],
    ],
    [
      'having been undone',
      async (given) => {
        const { undoId } = await undoing(given)
        for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) await given.advance(undoId, step, { samples: 1 })
        return async () => await given.executions.settleUndos(given.epoch)
      },
      ['execution-undone'],
    ],
    [
      'stopping',
      async ({ control }) =>
        async () =>
          await control.stop('*', 'ada'),
      ['stopped'],
    ],
    [
      'stopping something of its own',
      async ({ control }) =>
        async () =>
          await control.stop('env:new', 'ada'),
      ['stopped'],
    ],
    [
      'stopping again',
      async ({ control }) => {
        await control.stop('*', 'ada')
        return async () => await control.stop('*', 'ben')
      },
      [],
    ],
    [
      'starting',
      async ({ control }) => {
        await control.stop('*', 'ada')
        return async () => await control.start('*', 'cli', 'host')
      },
      ['started'],
    ],
    ['freezing', async (given) => async () => await freeze(given), ['frozen']],
    [
      'ending a freeze',
      async (given) => {
        const id = await freeze(given)
        return async () => await given.control.unfreeze(id, 'cleo')
      },
      ['unfrozen'],
    ],
  ]

  test.each(cases)('%s', async (_, prepare, codes) => {
    const act = await prepare(kernel())
    const since = await newest()
    await act()
    const rows = await told(since)
    expect(rows.filter(({ topic }) => topic === 'notice').map(({ body }) => body['code'])).toEqual(codes)
    const cards = rows.filter(({ topic }) => topic === 'approval-changed')
    for (const { incident_id, body } of cards) expect(body).toMatchObject({ incidentId: incident_id, requestId: expect.any(String) })
    expect(rows.every(({ topic, incident_id }) => topic === 'approval-changed' || incident_id !== null || !codes[0]?.includes('-'))).toBe(
      true,
    )
  })

  test('every step of an execution has its card drawn anew, once', async () => {
    const { carryOut, advance } = kernel()
    const { executionId, requestId } = await carryOut({})
    for (const step of ['intent', 'sent', 'succeeded', 'verified'] as const) {
      const since = await newest()
      await advance(executionId, step, { samples: 1 })
      const cards = (await told(since)).filter(({ topic }) => topic === 'approval-changed')
      expect(cards.map(({ body }) => body)).toEqual([{ incidentId: 'inc-1', requestId, executionId }])
    }
  })

  test('a notice names what it is about', async () => {
    const { carryOut } = kernel()
    const { requestId, executionId } = await carryOut({}, ...FAILED)
    expect((await told()).at(-1)).toMatchObject({
      topic: 'notice',
      incident_id: 'inc-1',
      body: { incidentId: 'inc-1', requestId, executionId, code: 'execution-failed' },
    })
    await kernel().control.stop('env:shop', 'ada')
    expect((await told()).at(-1)).toMatchObject({
      topic: 'notice',
      incident_id: null,
      body: { incidentId: null, requestId: null, code: 'stopped', scope: 'env:shop', by: 'ada' },
    })
  })

  test('what is rolled back is not told', async () => {
    const { db, propose } = kernel()
    const asked = await propose()
    const before = await countOf(db, 'outbox')
    const row = await voteRow(db, asked, 'ada')
    const failing = db.transaction().execute(async (tx) => {
      await insertRow(tx, 'vote', row)
      expect(await countOf(tx, 'outbox')).toBe(before + 3)
      throw new Error('the process died')
    })
    await expect(failing).rejects.toThrow('the process died')
    expect([await countOf(db, 'outbox'), await countOf(db, 'vote'), await countOf(db, 'authorisation')]).toEqual([before, 0, 0])
  })

  test('a row that was put there first does not keep the notice from being sent', async () => {
    const { db, propose, click } = kernel()
    const asked = await propose()
    await insertRow(db, 'outbox', {
      dedupe: `notice:request:${asked.requestId}:denied`,
      topic: 'nothing',
      body: {},
      priority: 9,
      attempts: 12,
      done_at: new Date(),
    })
    await click(asked, 'ada', { decision: 'deny' })
    const { rows } = await sql`select topic, body ->> 'code' as code, priority, attempts, done_at, dead_at, incident_id from outbox
      where dedupe = ${`notice:request:${asked.requestId}:denied`}`.execute(db)
    expect(rows).toEqual([
      { topic: 'notice', code: 'request-denied', priority: 2, attempts: 0, done_at: null, dead_at: null, incident_id: 'inc-1' },
    ])
  })
})

async function undoing({ carryOut, executions, later, epoch }: Kernel): Promise<{ undoId: string }> {
  const { executionId } = await carryOut({}, ...FAILED)
  await later(61)
  return { undoId: (await executions.claim(await executions.authoriseUndo(executionId), epoch)).executionId }
}

async function freeze({ control, now }: Kernel): Promise<string> {
  return await control.freeze({ scope: '*', from: now(), to: new Date(now().getTime() + 60_000), reason: 'launch', by: 'rex' })
}
