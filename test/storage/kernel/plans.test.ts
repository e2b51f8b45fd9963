import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { CHANNEL, describeKernel, type Kernel, RENDER_HASH } from '../../support/kernel.ts'
import { type Forgery, forge, type PlanOptions, SAMPLE_ACTIONS, samplePlan } from '../../support/kernel-plans.ts'
import { insertPlan, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const { failover, purge, rollback } = SAMPLE_ACTIONS

/** Writes a sample and its undo, both as they are, and says how that ended. */
const write = async ({ db, now }: Kernel, options: PlanOptions, forgery: Forgery = {}): Promise<string> =>
  await rehearse(db, async (tx) => {
    const { parent, undo } = samplePlan(now(), options)
    if (undo) await insertPlan(tx, undo)
    await insertPlan(tx, forge(parent, forgery))
    await sql`set constraints all immediate`.execute(tx)
  })

describeKernel('plans: what may be proposed', (kernel) => {
  test.each<[string, PlanOptions]>([
    ['a reversible action with its undo', {}],
    ['a compensable one', { action: rollback }],
    ['one without a way back', { undo: false }],
    ['one that asks for more people than its action', { needed: 3 }],
    ['one that asks for a greater role', { role: 'admin' }],
    ['one that its requester may approve', { requester: 'ada', requesterMayApprove: true }],
    ['an irreversible one', { action: purge }],
    ['the strictest one', { action: failover, undo: false }],
    ['the strictest one with an undo', { action: failover }],
    ['one that lives as long as its action lets it', { ttlSeconds: 3_000 }],
    ['an undo that lives nearly an hour', { undoTtlSeconds: 3_590 }],
  ])('%s', async (_, options) => {
    expect(await write(kernel(), options)).toBe('done')
  })

  test('its columns say what its bytes say', async () => {
    const { db, propose } = kernel()
    const { parent, undo } = await propose({ action: failover, requester: 'ada', cooldownSeconds: 130 })
    const row = await db.selectFrom('plan').selectAll().where('id', '=', parent.plan.id).executeTakeFirstOrThrow()
    expect(row).toMatchObject({
      digest: parent.digest,
      expires_at: new Date(parent.plan.expiresAt),
      incident_id: 'inc-1',
      severity: 2,
      action_kind: 'sample.failover',
      action_version: 1,
      environment: 'shop',
      resource: 'sample/shop/service/payments',
      reversibility: 'compensable',
      requester: 'ada',
      cause: 'bad_release payments',
      role: 'admin',
      needed: 2,
      requester_may_approve: false,
      confirm: 'payments',
      cooldown_seconds: 130,
      max_attempts: 2,
      build: parent.plan.build,
      undo_plan_id: undo?.plan.id,
      undo_digest: undo?.digest,
      undo_of: null,
    })
  })

  test('64 KiB to the byte, and not one more', async () => {
    const { propose, approvals } = kernel()
    const { parent } = samplePlan(kernel().now(), { undo: false })
    const room = 65_536 - Buffer.byteLength(parent.canonical) - Buffer.byteLength(',"zz":""')
    const padded = (length: number): Forgery => ({ zz: 'z'.repeat(length) })
    expect(await write(kernel(), { undo: false }, padded(room))).toBe('done')
    expect(await write(kernel(), { undo: false }, padded(room + 1))).toBe('constraint plan_fits_in_64_kib')
    const large = forge(parent, padded(room + 1))
    const asking = approvals.propose({ parent: large, undo: null, presentations: [CHANNEL], renderHash: RENDER_HASH, renderVersion: 1 })
    expect(await outcomeOf(asking)).toBe('refused plan-too-large')
    await propose()
  })

  test('a text that cannot be stored is refused in words', async () => {
    expect(await outcomeOf(kernel().propose({ over: { parameters: { note: 'a\u0000b' } } }))).toBe('refused invalid-parameters')
  })
})

describeKernel('plans: bytes and columns', (kernel) => {
  const columns: [string, Parameters<typeof insertPlan>[2], string][] = [
    ['another digest', { digest: 'a'.repeat(64) }, 'constraint plan_digest_is_of_its_bytes'],
    ['another id than its bytes', { id: randomUUID() }, 'constraint plan_id_is_in_its_bytes'],
    ['another expiry than its bytes', { expires_at: new Date(Date.now() + 60_000) }, 'constraint plan_expiry_is_in_its_bytes'],
  ]
  test.each(columns)('%s', async (_, over, expected) => {
    const { db, now } = kernel()
    const { parent } = samplePlan(now(), { undo: false })
    expect(await rehearse(db, (tx) => insertPlan(tx, parent, over))).toBe(expected)
  })

  const forgeries: [string, Forgery, string][] = [
    ['no id', { id: undefined }, 'constraint plan_id_is_in_its_bytes'],
    ['no expiry', { expiresAt: undefined }, 'constraint plan_expiry_is_in_its_bytes'],
    ['another resource', { resource: 'sample/shop/service/other' }, 'constraint plan_resource_is_its_target'],
    ['a resource of a target without a name', { 'target.name': undefined }, 'constraint plan_resource_is_its_target'],
    ['a resource of a target without a provider', { 'target.provider': undefined }, 'constraint plan_resource_is_its_target'],
    ['another kind of target', { 'target.kind': 'disk' }, 'constraint plan_resource_is_its_target'],
    ['another environment', { 'target.environment': 'other' }, 'constraint plan_resource_is_its_target'],
    ['a severity of 0', { severity: 0 }, 'constraint plan_severity'],
    ['a severity of 5', { severity: 5 }, 'constraint plan_severity'],
    ['no attempt', { 'limits.maxAttempts': 0 }, 'constraint plan_attempts'],
    ['three attempts', { 'limits.maxAttempts': 3 }, 'constraint plan_attempts'],
    ['an empty confirmation', { 'approval.confirm': '' }, 'constraint plan_confirmation_has_to_be_typed'],
    ['a blank confirmation', { 'approval.confirm': ' \t' }, 'constraint plan_confirmation_has_to_be_typed'],
    ['a confirmation of 201 characters', { 'approval.confirm': 'x'.repeat(201) }, 'constraint plan_confirmation_has_to_be_typed'],
    ['an unknown incident', { incident: 'inc-99' }, 'constraint plan_incident_id_fkey'],
    ['an unknown requester', { requester: 'mallory' }, 'constraint plan_requester_fkey'],
    ['an unknown role', { 'approval.role': 'owner' }, 'constraint plan_role_fkey'],
    ['an unknown action', { 'action.kind': 'sample.shell' }, 'refused unknown-action'],
    ['an unknown version', { 'action.version': 2 }, 'refused unknown-action'],
    ['another class than its action', { reversibility: 'compensable' }, 'constraint plan_action_is_in_the_catalogue'],
    ['no incident', { incident: undefined }, 'null incident_id'],
    ['no severity', { severity: undefined }, 'null severity'],
    ['no resource', { resource: undefined }, 'null resource'],
    ['no class', { reversibility: undefined }, 'null reversibility'],
    ['no cause', { cause: undefined }, 'null cause'],
    ['no role', { 'approval.role': undefined }, 'null role'],
    ['no number of people', { 'approval.needed': undefined }, 'null needed'],
    ['no word on its requester', { 'approval.requesterMayApprove': undefined }, 'null requester_may_approve'],
    ['no cooldown', { 'limits.cooldownSeconds': undefined }, 'null cooldown_seconds'],
    ['no attempts', { 'limits.maxAttempts': undefined }, 'null max_attempts'],
    ['no build', { build: undefined }, 'null build'],
  ]
  test.each(forgeries)('%s', async (_, forgery, expected) => {
    expect(await write(kernel(), { undo: false }, forgery)).toBe(expected)
  })

  test.each([
    ['in no time zone', ''],
    ['in another notation of the same', '+00:00'],
  ])('an expiry %s', async (_, zone) => {
    const { db, now } = kernel()
    const { parent } = samplePlan(now(), { undo: false })
    const written = rehearse(db, async (tx) => {
      await sql`set local timezone to 'UTC'`.execute(tx)
      await insertPlan(tx, forge(parent, { expiresAt: parent.plan.expiresAt.replace('Z', zone) }))
    })
    expect(await written).toBe('constraint plan_expiry_is_in_its_bytes')
  })

  test.each([
    'incident_id',
    'severity',
    'action_kind',
    'action_version',
    'environment',
    'resource',
    'reversibility',
    'requester',
    'cause',
    'role',
    'needed',
    'requester_may_approve',
    'confirm',
    'cooldown_seconds',
    'max_attempts',
    'build',
    'undo_plan_id',
    'undo_digest',
    'undo_of',
  ])('nobody sets the column %s', async (column) => {
    const { db, now } = kernel()
    const { parent } = samplePlan(now(), { undo: false })
    const setting = rehearse(db, (tx) =>
      sql`insert into plan (id, canonical, digest, expires_at, ${sql.id(column)})
        values (${parent.plan.id}, ${parent.canonical}, ${parent.digest}, ${parent.plan.expiresAt}, null)`.execute(tx),
    )
    expect(await setting).toMatch(`fault 428C9 cannot insert a non-DEFAULT value into column "${column}"`)
  })
})

describeKernel('plans: what an action asks at least', (kernel) => {
  test.each<[string, PlanOptions, string]>([
    ['fewer people', { needed: 1 }, 'fewer people than the action needs'],
    ['a lesser role', { role: 'approver' }, 'a lesser role than the action needs'],
    ['its requester among them', { requesterMayApprove: true }, 'the action does not let its requester approve'],
    ['no confirmation', { confirm: null }, 'the action needs a typed confirmation'],
    ['a shorter cooldown', { cooldownSeconds: 119 }, 'a shorter cooldown than the action needs'],
    ['more time', { ttlSeconds: 320 }, 'more time to decide than the action allows'],
  ])('%s', async (_, options, words) => {
    expect(await write(kernel(), { action: failover, undo: false, ...options })).toBe(`refused policy-denied: ${words}`)
  })

  test.each<[string, PlanOptions, string]>([
    ['an hour and a second', { undoTtlSeconds: 3_620 }, 'constraint plan_lives_an_hour_at_most'],
    ['an expiry that is past', { undoTtlSeconds: -1 }, 'constraint plan_lives_an_hour_at_most'],
  ])('%s', async (_, options, expected) => {
    expect(await write(kernel(), options)).toBe(expected)
  })

  test('its beginning is the database’s, so that no plan lives longer by one in the future', async () => {
    const { db, now } = kernel()
    const tomorrow = new Date(now().getTime() + 86_400_000)
    const { undo } = samplePlan(tomorrow)
    const ahead = rehearse(db, (tx) => (undo ? insertPlan(tx, undo, { created_at: tomorrow }) : Promise.resolve()))
    expect(await ahead).toBe('constraint plan_lives_an_hour_at_most')
  })

  describe('where no guard looks', () => {
    const unguarded = async (options: PlanOptions, forgery: Forgery): Promise<string> => {
      const { db, now } = kernel()
      return await rehearseUnguarded(db, ['plan'], async (tx) => {
        const { parent, undo } = samplePlan(now(), options)
        if (undo) await insertPlan(tx, undo)
        await insertPlan(tx, forge(parent, forgery))
      })
    }
    test.each<[string, PlanOptions, Forgery, string]>([
      ['nobody needed', {}, { 'approval.needed': 0 }, 'plan_needs_somebody'],
      ['an unknown action', {}, { 'action.kind': 'sample.shell' }, 'plan_action_is_in_the_catalogue'],
      [
        'an irreversible action approved by who asked',
        { action: purge },
        { 'approval.requesterMayApprove': true },
        'own_approval_only_when_it_can_be_taken_back',
      ],
      ['an irreversible action of one person', { action: purge }, { 'approval.needed': 1 }, 'irreversible_plan_is_strict'],
      ['an irreversible action by a click alone', { action: purge }, { 'approval.confirm': null }, 'irreversible_plan_is_strict'],
      [
        'an irreversible action that promises a way back',
        { action: purge },
        { undo: { plan: randomUUID(), digest: 'a'.repeat(64), title: 'x', changes: [] } },
        'irreversible_plan_is_strict',
      ],
    ])('%s', async (_, options, forgery, constraint) => {
      expect(await unguarded(options, forgery)).toBe(`constraint ${constraint}`)
    })
  })
})
