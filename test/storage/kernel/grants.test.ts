import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeKernel } from '../../support/kernel.ts'
import { insertRow, type Row } from '../../support/kernel-rows.ts'
import { outcomeOf, rehearse } from '../../support/kernel-sql.ts'

const DAY = 86_400_000
const TIMES = ['granted_at', 'expires_at']

const report = (over: Row = {}): Row => ({
  id: randomUUID(),
  environment: 'shop',
  build: 'b1',
  diagnostic_accuracy: '0.90',
  destructive_false_positives: 0,
  resolved_sev34: '0.95',
  coverage: '0.30',
  clean_days: 7,
  cases: 100,
  evidence_sha256: 'a'.repeat(64),
  ...over,
})

describeKernel('standing grants: the report', (kernel) => {
  test.each<[string, Row, boolean]>([
    ['exactly at its gates', {}, true],
    ['accuracy', { diagnostic_accuracy: '0.899' }, false],
    ['one destructive false positive', { destructive_false_positives: 1 }, false],
    ['resolution', { resolved_sev34: '0.949' }, false],
    ['coverage', { coverage: '0.299' }, false],
    ['the soak', { clean_days: 6 }, false],
    ['too few cases', { cases: 99 }, false],
  ])('passes or not by its numbers: %s', async (_, over, passed) => {
    const { db } = kernel()
    const row = report(over)
    await insertRow(db, 'graduation_report', row)
    const { rows } = await sql<{ passed: boolean }>`select passed from graduation_report`.execute(db)
    expect(rows).toEqual([{ passed }])
  })

  test.each<[string, Row, string]>([
    ['says that it passed', { passed: true }, expect.stringMatching('fault 428C9')],
    ['measures accuracy as no number', { diagnostic_accuracy: 'NaN' }, 'constraint graduation_accuracy'],
    ['measures accuracy over all', { diagnostic_accuracy: '1.01' }, 'constraint graduation_accuracy'],
    ['measures resolution as no number', { resolved_sev34: 'NaN' }, 'constraint graduation_resolved'],
    ['measures resolution over all', { resolved_sev34: '95' }, 'constraint graduation_resolved'],
    ['measures coverage as no number', { coverage: 'NaN' }, 'constraint graduation_coverage'],
    ['measures coverage over all', { coverage: '30' }, 'constraint graduation_coverage'],
    ['counts fewer than no false positives', { destructive_false_positives: -1 }, 'constraint graduation_false_positives'],
    ['has no evidence', { evidence_sha256: '' }, 'constraint graduation_evidence'],
  ])('one that %s', async (_, over, expected) => {
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'graduation_report', report(over)))).toEqual(expected)
  })
})

describeKernel('standing grants: their scope', (kernel) => {
  /** A valid grant with one thing changed, on a report that may be changed too; times are milliseconds from now. */
  const granting = async (over: Row, reportOver: Row = {}): Promise<string> => {
    const { db, now } = kernel()
    const { parent } = await kernel().propose()
    const from = (ms: number): Date => new Date(now().getTime() + ms)
    return await rehearse(db, async (tx) => {
      const { id } = report()
      await insertRow(tx, 'graduation_report', report({ id, ...reportOver }))
      await insertRow(tx, 'standing_grant', {
        environment: 'shop',
        build: 'b1',
        action_kind: 'sample.restart',
        action_version: 1,
        reversibility: 'reversible',
        resource_pattern: 'sample/shop/service/*',
        max_uses: 20,
        max_uses_an_hour: 3,
        cooldown_seconds: 1_800,
        max_replica_percent: 25,
        granting_plan_id: parent.plan.id,
        first_grantor: 'ada',
        second_grantor: 'ben',
        expires_at: from(7 * DAY - 60_000),
        report_id: id,
        report_passed: true,
        ...over,
        ...Object.fromEntries(TIMES.filter((column) => column in over).map((column) => [column, from(Number(over[column]))])),
      })
    })
  }

  test.each<[string, Row, string]>([
    ['nothing else', {}, 'done'],
    [
      'a compensable action',
      { action_kind: 'sample.rollback', reversibility: 'compensable' },
      'constraint grant_is_for_reversible_actions',
    ],
    [
      'an irreversible action',
      { action_kind: 'sample.purge', reversibility: 'irreversible' },
      'constraint grant_is_for_reversible_actions',
    ],
    ['an irreversible action called reversible', { action_kind: 'sample.purge' }, 'constraint grant_is_for_a_known_action'],
    ['an unknown action', { action_kind: 'sample.shell' }, 'constraint grant_is_for_a_known_action'],
    ['an unknown version', { action_version: 2 }, 'constraint grant_is_for_a_known_action'],
    ['every resource', { resource_pattern: '*' }, 'constraint grant_names_something'],
    ['no resource', { resource_pattern: '' }, 'constraint grant_names_something'],
    ['a pattern of signs', { resource_pattern: '*/*/?' }, 'constraint grant_names_something'],
    ['a pattern of 301 characters', { resource_pattern: 'x'.repeat(301) }, 'constraint grant_names_something'],
    ['severity 2', { least_severity: 2 }, 'constraint grant_is_for_lesser_incidents'],
    ['no use', { max_uses: 0 }, 'constraint grant_uses'],
    ['21 uses', { max_uses: 21 }, 'constraint grant_uses'],
    ['no use an hour', { max_uses_an_hour: 0 }, 'constraint grant_uses_an_hour'],
    ['four uses an hour', { max_uses_an_hour: 4 }, 'constraint grant_uses_an_hour'],
    ['a cooldown under half an hour', { cooldown_seconds: 1_799 }, 'constraint grant_cooldown'],
    ['no replica', { max_replica_percent: 0 }, 'constraint grant_replicas'],
    ['26 % of the replicas', { max_replica_percent: 26 }, 'constraint grant_replicas'],
    ['one grantor twice', { second_grantor: 'ada' }, 'constraint grant_has_two_grantors'],
    ['a grantor there is not', { second_grantor: 'eve' }, 'constraint standing_grant_second_grantor_fkey'],
    ['a first grantor there is not', { first_grantor: 'eve' }, 'constraint standing_grant_first_grantor_fkey'],
    ['no plan of its own', { granting_plan_id: randomUUID() }, 'constraint standing_grant_granting_plan_id_fkey'],
    ['an end before its beginning', { expires_at: -1_000 }, 'constraint grant_lives_a_week_at_most'],
    ['over a week', { expires_at: 7 * DAY + 60_000 }, 'constraint grant_lives_a_week_at_most'],
    [
      'a beginning in the future, to last longer',
      { granted_at: DAY, expires_at: 8 * DAY - 60_000 },
      'constraint grant_lives_a_week_at_most',
    ],
    ['a report of another environment', { environment: 'other' }, 'constraint grant_report_is_of_this_build'],
    ['a report of another build', { build: 'b2' }, 'constraint grant_report_is_of_this_build'],
    ['no report', { report_id: randomUUID() }, 'constraint grant_report_is_of_this_build'],
    ['a report that did not pass', { report_passed: false }, 'constraint grant_stands_on_a_passed_report'],
  ])('%s', async (_, over, expected) => {
    expect(await granting(over)).toBe(expected)
  })

  test('a report that did not pass, called passed', async () => {
    expect(await granting({}, { cases: 99 })).toBe('constraint grant_report_is_of_this_build')
  })

  test('a second grant on one plan', async () => {
    const { db, propose } = kernel()
    const { parent } = await propose()
    const row = report()
    const grant: Row = {
      environment: 'shop',
      build: 'b1',
      action_kind: 'sample.restart',
      action_version: 1,
      reversibility: 'reversible',
      resource_pattern: 'x',
      max_uses: 1,
      max_uses_an_hour: 1,
      cooldown_seconds: 1_800,
      max_replica_percent: 1,
      granting_plan_id: parent.plan.id,
      first_grantor: 'ada',
      second_grantor: 'ben',
      expires_at: new Date(Date.now() + DAY),
      report_id: row['id'],
      report_passed: true,
    }
    await insertRow(db, 'graduation_report', row)
    await insertRow(db, 'standing_grant', { ...grant, revoked_at: new Date(0) })
    expect(await rehearse(db, (tx) => insertRow(tx, 'standing_grant', grant))).toBe('constraint standing_grant_granting_plan_id_key')
    const revoke = (set: string) => sql.raw(`update standing_grant set ${set}`).execute(db)
    expect(await outcomeOf(revoke(`max_uses = 20`))).toBe('kept standing_grant may only be revoked')
    expect(await outcomeOf(revoke(`revoked_at = clk()`))).toBe('done')
    expect(await outcomeOf(revoke(`revoked_at = null`))).toBe('kept standing_grant may only be revoked')
  })

  test('nothing is authorised by one', async () => {
    const { db, propose } = kernel()
    const { parent } = await propose()
    const row = { plan_id: parent.plan.id, digest: parent.digest, kind: 'grant' }
    expect(await rehearse(db, (tx) => insertRow(tx, 'authorisation', row))).toBe('refused policy-denied: not the undo of this execution')
  })
})
