import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { beforeEach, expect, type TestContext, test } from 'vitest'
import { createLeases } from '../../../storage/leases.ts'
import { actorOf, describeKernel, type Kernel } from '../../support/kernel.ts'
import type { PlanOptions } from '../../support/kernel-plans.ts'
import { countOf, outcomeOf } from '../../support/kernel-sql.ts'

/** The short form; enough to fail within a second on a kernel whose writes take no turns. */
const ROUNDS = 50

describeKernel('races', (kernel, store) => {
  beforeEach(async () => {
    await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      select 'inc-' || n, n, 'errors', 'payments', 'shop', 2, 'rule', clk() from generate_series(100, ${1_000 + ROUNDS}) n`.execute(
      kernel().db,
    )
  })

  /** A plan of its own incident and resource in each round. */
  const apart = (round: number, index = 0): PlanOptions => ({
    incident: `inc-${100 + round * 6 + index}`,
    target: { name: `service-${round}-${index}` },
  })
  const rounds = (name: string, race: (round: number) => Promise<void>): void => {
    test(name, { timeout: 120_000 }, async (context: TestContext) => {
      if (store.kind === 'pglite') context.skip('races need several connections: PostgreSQL only')
      for (let round = 0; round < ROUNDS; round += 1) await race(round)
    })
  }
  /** Starts all at once, in another order each round, and says how each ended. */
  const raceOf = async (round: number, runners: readonly (() => Promise<unknown>)[]): Promise<string[]> => {
    const order = runners.map((_, index) => (index + round) % runners.length)
    const running = new Map(order.map((index) => [index, outcomeOf(Promise.resolve().then(runners[index]))]))
    return await Promise.all(runners.map(async (_, index) => (await running.get(index)) ?? ''))
  }
  const sends = async ({ db }: Kernel): Promise<number> => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from execution_event where to_state = 'sent'`.execute(db)
    return rows[0]?.n ?? 0
  }

  rounds('stop against sent: once stop has returned, nothing is sent', async (round) => {
    const { carryOut, advance, control } = kernel()
    const ready = await Promise.all([0, 1, 2, 3].map(async (index) => await carryOut(apart(round, index), 'intent')))
    let sentAtStop = -1
    const stop = async (): Promise<void> => {
      await control.stop('*', 'ada')
      sentAtStop = await sends(kernel())
    }
    const outcomes = await raceOf(round, [
      stop,
      ...ready.map(
        ({ executionId }) =>
          async () =>
            await advance(executionId, 'sent'),
      ),
    ])
    expect(outcomes[0]).toBe('done')
    for (const outcome of outcomes.slice(1)) expect(['done', 'refused kill-switch']).toContain(outcome)
    expect(await sends(kernel())).toBe(sentAtStop)
    await control.start('*', 'cli', 'host')
  })

  rounds('many clicks of three people: one authorisation', async (round) => {
    const { propose, click, db } = kernel()
    const asked = await propose(apart(round))
    const before = await countOf(db, 'authorisation')
    const clicks = ['ada', 'ben', 'cleo', 'ada', 'ben', 'cleo'].map((person) => async () => await click(asked, person))
    for (const outcome of await raceOf(round, clicks))
      expect(['done', 'refused already-decided', 'refused already-voted']).toContain(outcome)
    expect(await countOf(db, 'authorisation')).toBe(before + 1)
  })

  rounds('one click delivered many times: one vote, no error', async (round) => {
    const { propose, click, db } = kernel()
    const asked = await propose({ ...apart(round), needed: 2 })
    const deliveryKey = randomUUID()
    const before = await countOf(db, 'vote')
    const outcomes = await raceOf(
      round,
      Array.from({ length: 8 }, () => async () => await click(asked, 'ada', { deliveryKey })),
    )
    expect(new Set(outcomes)).toEqual(new Set(['done']))
    expect(await countOf(db, 'vote')).toBe(before + 1)
  })

  rounds('two accounts of one person: one vote', async (round) => {
    const { propose, click, db } = kernel()
    const asked = await propose({ ...apart(round), needed: 2 })
    const second = { actor: { ...actorOf('ada'), externalId: 'U-ada-second' } }
    const outcomes = await raceOf(round, [async () => await click(asked, 'ada'), async () => await click(asked, 'ada', second)])
    expect(outcomes.toSorted()).toEqual(['done', 'refused already-voted'])
    expect(await db.selectFrom('authorisation').select('id').where('plan_id', '=', asked.parent.plan.id).execute()).toEqual([])
  })

  rounds('deny against the last approval: one of them decides', async (round) => {
    const { propose, click, approvals, db } = kernel()
    const asked = await propose({ ...apart(round), needed: 2 })
    await click(asked, 'ada')
    const outcomes = await raceOf(round, [
      async () => await click(asked, 'ben'),
      async () => await click(asked, 'cleo', { decision: 'deny' }),
    ])
    expect(outcomes.toSorted()).toEqual(['done', 'refused already-decided'])
    const state = (await approvals.approval(asked.requestId))?.requestState
    expect(state).toBe(outcomes[0] === 'done' ? 'authorised' : 'denied')
    const authorised = await db.selectFrom('authorisation').select('id').where('plan_id', '=', asked.parent.plan.id).execute()
    expect(authorised).toHaveLength(state === 'authorised' ? 1 : 0)
  })

  rounds('many claimers: one execution', async (round) => {
    const { authorise, executions, epoch } = kernel()
    const { authorisationId } = await authorise(apart(round))
    const outcomes = await raceOf(
      round,
      Array.from({ length: 6 }, () => async () => await executions.claim(authorisationId, epoch)),
    )
    expect(outcomes.toSorted()).toEqual(['done', ...Array.from({ length: 5 }, () => 'refused in-flight')])
  })

  rounds('two plans for one resource: one in flight', async (round) => {
    const { authorise, executions, epoch } = kernel()
    const { target } = apart(round)
    const plans = await Promise.all([0, 1].map(async (index) => await authorise({ ...apart(round, index), ...(target ? { target } : {}) })))
    const outcomes = await raceOf(
      round,
      plans.map(
        ({ authorisationId }) =>
          async () =>
            await executions.claim(authorisationId, epoch),
      ),
    )
    expect(outcomes.toSorted()).toEqual(['done', 'refused in-flight'])
  })

  rounds('cancel against sent: one of them', async (round) => {
    const { carryOut, advance, approvals } = kernel()
    const { requestId, executionId } = await carryOut(apart(round), 'intent')
    const [cancelled, sent] = await raceOf(round, [
      async () => await approvals.cancel(requestId, 'ada', 'x'),
      async () => await advance(executionId, 'sent'),
    ])
    expect([
      ['done', 'refused cancelled'],
      ['refused too-late', 'done'],
    ]).toContainEqual([cancelled, sent])
  })

  rounds('the same step by two: once', async (round) => {
    const { carryOut, advance } = kernel()
    const { executionId } = await carryOut(apart(round), 'intent')
    const outcomes = await raceOf(
      round,
      Array.from({ length: 4 }, () => async () => await advance(executionId, 'sent')),
    )
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
  })

  rounds('takeover against sent: once the new holder is there, the old one sends nothing', async (round) => {
    const { carryOut, advance, db } = kernel()
    const leases = createLeases({ db })
    const { executionId } = await carryOut(apart(round), 'intent')
    let sentAtTakeover = -1
    const takeOver = async (): Promise<void> => {
      await sql`update lease set holder = ${`node-${round}`}, epoch = epoch + 1 where name = 'executor'`.execute(db)
      sentAtTakeover = await sends(kernel())
    }
    const [taken, sent] = await raceOf(round, [takeOver, async () => await advance(executionId, 'sent')])
    expect(taken).toBe('done')
    expect(['done', 'refused fenced']).toContain(sent)
    expect(await sends(kernel())).toBe(sentAtTakeover)
    kernel().epoch = (await leases.current('executor'))?.epoch ?? 0
  })

  rounds('a role that is revoked against sent: once it is revoked, nothing is sent by it', async (round) => {
    const { carryOut, advance, db } = kernel()
    const { executionId } = await carryOut(apart(round), 'intent')
    let sentAtRevoke = -1
    const revoke = async (): Promise<void> => {
      await sql`update role_grant set revoked_at = clk() where principal_id = 'ada' and revoked_at is null`.execute(db)
      sentAtRevoke = await sends(kernel())
    }
    const [revoked, sent] = await raceOf(round, [revoke, async () => await advance(executionId, 'sent')])
    expect(revoked).toBe('done')
    expect(['done', 'refused lost-authority']).toContain(sent)
    expect(await sends(kernel())).toBe(sentAtRevoke)
    await sql`insert into role_grant (principal_id, role, environment, granted_by) values ('ada', 'approver', 'shop', 'configuration')`.execute(
      db,
    )
  })

  rounds('two proposals for one incident: one waits', async (round) => {
    const { propose, approvals } = kernel()
    const options = apart(round)
    expect(
      await raceOf(
        round,
        [0, 1, 2].map(() => async () => await propose(options)),
      ),
    ).toEqual(['done', 'done', 'done'])
    const { items } = await approvals.approvals({ incidentId: options.incident ?? '', limit: 10 })
    expect(items.map(({ requestState }) => requestState).toSorted()).toEqual(['pending', 'superseded', 'superseded'])
  })

  rounds('undo against Keep: one of them', async (round) => {
    const { carryOut, executions, approvals, later } = kernel()
    const { requestId, executionId } = await carryOut(apart(round), 'intent', 'sent', 'succeeded', 'failed')
    await later(61)
    const [undone, kept] = await raceOf(round, [
      async () => await executions.authoriseUndo(executionId),
      async () => await approvals.keep(requestId, actorOf('vera')),
    ])
    expect([
      ['done', 'refused too-late'],
      ['refused kept', 'done'],
    ]).toContainEqual([undone, kept])
  })

  rounds('two who press Keep: one keeps', async (round) => {
    const { carryOut, approvals } = kernel()
    const { requestId } = await carryOut(apart(round), 'intent', 'sent', 'succeeded', 'failed')
    const outcomes = await raceOf(
      round,
      ['vera', 'ada'].map((person) => async () => await approvals.keep(requestId, actorOf(person))),
    )
    expect(outcomes.toSorted()).toEqual(['done', 'refused kept'])
  })

  rounds('two who start again at once: it runs, with two votes', async (round) => {
    const { control } = kernel()
    await control.stop('*', 'ada')
    const outcomes = await raceOf(
      round,
      ['ada', 'ben'].map((person) => async () => await control.start('*', person, 'person')),
    )
    expect(outcomes).toEqual(['done', 'done'])
    expect(await control.stopped()).toEqual([])
  })
})
