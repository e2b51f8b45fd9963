import { type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { CHECKERS } from '../../../storage/invariants.ts'
import type { Database } from '../../../storage/schema.ts'
import { actorOf, describeKernel, type Kernel, tampers, verified, violationsOf } from '../../support/kernel.ts'
import { SAMPLE_ACTIONS } from '../../support/kernel-plans.ts'
import { insertRow, voteRow } from '../../support/kernel-rows.ts'
import { behind } from '../../support/kernel-sql.ts'

type Break = (tx: Kysely<Database>) => Promise<unknown>
const VERIFIED = ['intent', 'sent', 'succeeded', 'verified'] as const
const FAILED = ['intent', 'sent', 'succeeded', 'failed'] as const

/** 'invariant 2: its claim SUBJECT words' → 'invariant 2 words'. */
const said = (violations: readonly string[], invariant: number): string[] =>
  violations.filter((text) => text.startsWith(`invariant ${invariant}:`)).map((text) => text.replace(/^.*?[.)] (\{.*?\}|\S+) /, ''))

describeKernel('invariants: rows changed behind the guards', (kernel) => {
  const broken = async (tamper: Break): Promise<string[]> => {
    await behind(tampers(kernel()).db, tamper)
    const report = await kernel().audit.verify()
    expect(report.ok).toBe(false)
    return report.violations
  }
  const run =
    (statement: string): Break =>
    async (tx) =>
      await sql.raw(statement).execute(tx)
  const unapproved = 'was sent without enough approvals of its digest'

  const proof: [string, string][] = [
    ['its vote is gone', `delete from vote`],
    ['its vote was a denial', `update vote set decision = 'deny'`],
    ['its vote was of another digest', `update vote set digest = repeat('a', 64)`],
    ['its vote was of a bot', `update principal set kind = 'service' where id = 'ada'`],
    ['its vote was of an account of somebody else', `update identity_link set principal_id = 'ben' where external_id = 'U-ada'`],
    [
      'its account was unlinked before the send',
      `update identity_link set revoked_at = (select at from vote), revoked_by = 'host' where external_id = 'U-ada'`,
    ],
    [
      'its role was revoked before the send',
      `update role_grant set revoked_at = (select at from vote), revoked_by = 'host' where principal_id = 'ada'`,
    ],
    ['its role had ended before the send', `update role_grant set valid_until = (select at from vote) where principal_id = 'ada'`],
    ['its role was for another environment', `update role_grant set environment = 'other' where principal_id = 'ada'`],
    ['its role was a lesser one', `update role_grant set role = 'responder' where principal_id = 'ada'`],
    ['its authorisation is gone', `delete from authorisation`],
    ['its authorisation is of another digest', `update authorisation set digest = repeat('a', 64)`],
    ['its authorisation is of another plan', `update authorisation set plan_id = gen_random_uuid()`],
    ['its request is gone', `delete from request`],
  ]
  test.each(proof)('1, the proof query: %s', async (_, statement) => {
    const { executionId } = await kernel().carryOut({}, ...VERIFIED)
    const violations = await broken(run(statement))
    expect(violations).toContainEqual(expect.stringMatching(`^invariant 1: .*the proof query.*${executionId} ${unapproved}$`))
  })

  test('1, the proof query: one approval of two', async () => {
    await kernel().carryOut({ needed: 2 }, ...VERIFIED)
    expect(said(await broken(run(`delete from vote where principal_id = 'ben'`)), 1)).toEqual([unapproved])
  })

  test('1, the proof query: a revocation after the send is none', async () => {
    const { carryOut, db, audit } = kernel()
    await carryOut({}, ...VERIFIED)
    await sql`update role_grant set revoked_at = clk(), revoked_by = 'host' where principal_id = 'ada'`.execute(db)
    await sql`update principal set active = false where id = 'ada'`.execute(db)
    await verified({ audit })
  })

  test('1, the proof query: an undo stands on its parent’s votes', async () => {
    await undone(kernel())
    const violations = await broken(run('delete from vote'))
    expect(said(violations, 1)).toEqual([unapproved, unapproved])
  })

  test.each<[string, string]>([
    ['digest', `update execution set digest = repeat('a', 64)`],
    [
      'digest of the authorisation, and so of the execution',
      `update execution set digest = repeat('b', 64); update authorisation set digest = repeat('b', 64)`,
    ],
  ])('1: an execution of another %s', async (_, statement) => {
    await kernel().carryOut({}, 'intent')
    expect(said(await broken(run(statement)), 1)).toContain('has another digest than its plan')
  })

  test.each<[string, string, string]>([
    [
      'of another execution',
      `update authorisation set parent_execution_id = gen_random_uuid() where kind = 'undo'`,
      'is an undo that its parent does not name',
    ],
    [
      'by votes',
      `update authorisation set kind = 'votes', request_id = gen_random_uuid(), parent_execution_id = null where kind = 'undo'`,
      'is an undo that its parent does not name',
    ],
    [
      'too early',
      `update authorisation set at = at - interval '10 seconds' where kind = 'undo'`,
      'is an undo outside its ten minutes, or of a change that was kept',
    ],
    [
      'too late',
      `update authorisation set at = at + interval '10 minutes' where kind = 'undo'`,
      'is an undo outside its ten minutes, or of a change that was kept',
    ],
    [
      'of what had not failed',
      `update execution_event set from_state = 'sent' where to_state = 'failed'`,
      'is an undo outside its ten minutes, or of a change that was kept',
    ],
    [
      'of what was kept',
      `insert into undo_waived (execution_id, how, principal_id) select parent_execution_id, 'kept', 'ada' from authorisation where kind = 'undo'`,
      'is an undo outside its ten minutes, or of a change that was kept',
    ],
    ['that was not verified', `update execution set state = 'failed' where state = 'verified'`, 'is called undone without a verified undo'],
  ])('1: an undo %s', async (_, statement, words) => {
    await undone(kernel())
    expect(said(await broken(run(statement)), 1)).toContain(words)
  })

  test.each<[string, string, string]>([
    ['an execution in another state than its last event', `update execution set state = 'failed'`, 'is not in the state of its last event'],
    ['an execution of another epoch than its last event', `update execution set epoch = 9`, 'is not in the state of its last event'],
    ['an execution on another resource', `update execution set resource = 'x'`, 'acts on another resource than its plan'],
    ['a step that is missing', `delete from execution_event where seq = 3`, 'took the step succeeded to verified out of turn'],
    ['a step from elsewhere', `update execution_event set from_state = 'sent' where seq = 5`, 'took the step sent to verified out of turn'],
    [
      'a step that is not allowed',
      `update execution_event set to_state = 'unknown' where seq = 4; update execution_event set from_state = 'unknown' where seq = 5`,
      'took the step unknown to verified out of turn',
    ],
    ['steps of nothing', `delete from execution`, 'took the step none to claimed out of turn'],
  ])('2: %s', async (_, statement, words) => {
    await kernel().carryOut({}, ...VERIFIED)
    expect(said(await broken(run(statement)), 2)).toContain(words)
  })

  test.each<[string, string, string]>([
    ['an authorisation against a denial', `update vote set decision = 'deny'`, 'was authorised although somebody denied it'],
    ['an expiry before its time', `update request set state = 'expired'`, 'expired before its time'],
    ['an authorised request without authorisation', `delete from authorisation`, 'is called authorised and is not'],
    [
      'a send after the expiry',
      `update execution_event set at = at + interval '1 hour' where to_state = 'sent'`,
      'was sent after its plan expired',
    ],
  ])('3: %s', async (_, statement, words) => {
    await kernel().carryOut({}, ...VERIFIED)
    expect(said(await broken(run(statement)), 3)).toContain(words)
  })

  test('4: an approval by who asked', async () => {
    await kernel().authorise({ requester: 'cleo' })
    expect(said(await broken(run(`update vote set principal_id = 'cleo'`)), 4)).toEqual(['was approved by its requester cleo'])
  })

  test('4: and by who asked and may is none', async () => {
    const { propose, click } = kernel()
    await click(await propose({ requester: 'ada', requesterMayApprove: true }), 'ada')
  })

  test('5: an approval without the confirmation typed', async () => {
    await kernel().authorise({ action: SAMPLE_ACTIONS.purge })
    expect(said(await broken(run(`update vote set confirm = 'x' where principal_id = 'ada'`)), 5)).toEqual([
      'has an approval without the confirmation typed',
    ])
  })

  test('5: an irreversible plan that lived for more than ten minutes', async () => {
    await kernel().authorise({ action: SAMPLE_ACTIONS.purge })
    expect(said(await broken(run(`update plan set created_at = created_at - interval '1 minute'`)), 5)).toEqual([
      'is irreversible without its safeguards',
    ])
  })

  test.each([
    [`min_needed = 3`],
    [`role = 'admin'`],
    [`step_up = 'typed'`],
    [`min_cooldown_seconds = 60`],
    [`requester_may_approve = false`],
  ])('5: a plan that asks for less than its action needs: %s', async (change) => {
    await kernel().authorise({ requesterMayApprove: true })
    const violations = await broken(run(`update action_definition set ${change} where kind = 'sample.restart'`))
    expect(said(violations, 5)).toContain('asks for less than its action needs')
  })

  test.each<[string, string, string]>([
    ['an event of an older epoch', `update execution_event set epoch = 0 where seq = 4`, 'has an event of an older epoch'],
    [
      'a send by another epoch',
      `update execution_event set epoch = 0 where to_state = 'intent'`,
      'was sent by another epoch than its intent',
    ],
    ['a send without intent', `delete from execution_event where to_state = 'intent'`, 'was sent by another epoch than its intent'],
  ])('7: %s', async (_, statement, words) => {
    await kernel().carryOut({}, ...VERIFIED)
    expect(said(await broken(run(statement)), 7)).toContain(words)
  })

  describe('8: an ending without its notice', () => {
    const endings: [string, (kernel: Kernel) => Promise<unknown>, string[]][] = [
      ['verified', async ({ carryOut }) => await carryOut({}, ...VERIFIED), ['ended verified']],
      ['unknown', async ({ carryOut }) => await carryOut({}, 'intent', 'sent', 'unknown'), ['ended unknown']],
      ['aborted', async ({ carryOut }) => await carryOut({}, 'aborted'), ['ended aborted']],
      [
        'kept',
        async ({ carryOut, approvals }) => await approvals.keep((await carryOut({}, ...FAILED)).requestId, actorOf('ada')),
        ['ended failed', 'had its undo waived'],
      ],
      ['denied', async ({ propose, click }) => await click(await propose(), 'ada', { decision: 'deny' }), ['became denied']],
      [
        'cancelled',
        async ({ propose, approvals }) => await approvals.cancel((await propose()).requestId, 'ada', 'x'),
        ['became cancelled'],
      ],
      ['pending', async ({ propose }) => await propose(), ['became pending']],
    ]
    test.each(endings)('%s', async (_, end, expected) => {
      await end(kernel())
      const violations = await broken(run(`delete from outbox where topic = 'notice'`))
      for (const words of expected) expect(said(violations, 8)).toContain(`${words} without a notice`)
    })

    test('and one that was turned into something else', async () => {
      await kernel().propose()
      expect(said(await broken(run(`update outbox set topic = 'approval-changed'`)), 8)).toEqual(['became pending without a notice'])
    })
  })
})

describeKernel('invariants: the list', (kernel) => {
  test('every rule that SQL can hold has a checker, each a claim of its own', () => {
    expect([...new Set(CHECKERS.map(({ invariant }) => invariant))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 12])
    expect(new Set(CHECKERS.map(({ claim }) => claim)).size).toBe(CHECKERS.length)
  })

  test('what should have moved on is told', async () => {
    const { audit, authorise, carryOut, later } = kernel()
    const waiting = await authorise({ ttlSeconds: 3_000 })
    const sent = await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent')
    const unknown = await carryOut({ incident: 'inc-3', target: { name: 'inventory' } }, 'intent', 'sent', 'unknown')
    expect(await audit.overdue()).toEqual([])
    await later(61)
    expect(await audit.overdue()).toEqual([`overdue: ${waiting.authorisationId} was authorised over 60 s ago and nobody claimed it`])
    await later(240)
    const overdue = await audit.overdue()
    expect(overdue).toContain(`overdue: ${sent.executionId} is sent for over 5 minutes`)
    expect(overdue).toContain(`overdue: ${unknown.executionId} is unknown for over 5 minutes`)
    expect(overdue).toContain('overdue: notices are unsent for over 5 minutes')
    await sql`update outbox set done_at = clk() where id % 2 = 0`.execute(kernel().db)
    await sql`update outbox set dead_at = clk() where done_at is null`.execute(kernel().db)
    const given = (await audit.overdue()).filter((words) => words.includes('notice'))
    expect(given).toEqual(['overdue: notices were given up since yesterday'])
    await later(86_401)
    expect((await audit.overdue()).filter((words) => words.includes('notice'))).toEqual([])
  })

  test('a page that cannot be sent makes no page about itself', async () => {
    const { audit, db, later } = kernel()
    await sql`update outbox set done_at = clk()`.execute(db)
    await sql`insert into outbox (dedupe, topic, body) values ('page:1', 'page', '{}'), ('page:2', 'page', '{}')`.execute(db)
    await later(600)
    expect(await audit.overdue()).toEqual([])
  })

  test('every card that was shown is there for the re-render', async () => {
    const { audit, propose } = kernel()
    const { requestId, parent } = await propose()
    expect(await audit.plans()).toEqual([{ requestId, canonical: parent.canonical, renderHash: 'c'.repeat(64), renderVersion: 1 }])
  })

  test('a vote that nobody cast is found by every rule it breaks', async () => {
    const { propose, db } = tampers(kernel())
    const asked = await propose({ requester: 'ben' })
    await behind(db, async (tx) => await insertRow(tx, 'vote', await voteRow(tx, asked, 'ben')))
    const violations = await violationsOf(kernel())
    expect(said(violations, 4)).toEqual(['was approved by its requester ben'])
    expect(said(violations, 9)).toEqual(['vote is not in the audit log'])
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
