import { describe, expect, test } from 'vitest'
import type { AuditSubject } from '../../../agent/ports.ts'
import { auditWords } from '../../../bot/messages/audit-words.ts'
import { AUDITED } from '../../../storage/invariants.ts'

const about = (more: Partial<AuditSubject> = {}): AuditSubject => ({
  seq: 1,
  incidentId: 'inc-1',
  requestId: 'r1',
  title: 'Roll back payments',
  undo: false,
  state: null,
  person: null,
  role: null,
  freeze: null,
  ...more,
})

const FREEZE = { scope: '*', from: new Date(0), to: new Date(1_800_000), reason: 'quarter end' }

describe('an entry of the audit log in words', () => {
  test.each([
    ['vote-written', { key: { decision: 'approve' } }, about(), 'approved Roll back payments'],
    ['vote-written', { key: { decision: 'deny' } }, about(), 'denied Roll back payments'],
    ['request-changed', {}, about({ state: 'expired' }), 'let the time to decide run out for Roll back payments'],
    ['execution_event-written', { facts: { to_state: 'sent' } }, about(), 'sent Roll back payments'],
    ['execution_event-written', { facts: { to_state: 'sent' } }, about({ undo: true }), 'sent the undo of Roll back payments'],
    ['plan-written', {}, null, 'planned a plan'],
    ['kill_switch-changed', { key: { scope: '*' }, facts: { engaged: true } }, null, 'stopped everything'],
    ['kill_switch-changed', { key: { scope: 'env:shop' }, facts: { engaged: false } }, null, 'let env:shop run again'],
    ['kill_switch-changed', { key: { scope: '*' }, facts: { engaged: false } }, null, 'let everything run again'],
    ['freeze_window-written', {}, about({ freeze: FREEZE }), 'froze everything for 30 min: quarter end'],
    ['freeze_window-changed', {}, about({ freeze: { ...FREEZE, scope: 'env:shop' } }), 'ended the freeze of env:shop'],
    ['role_grant-written', {}, about({ person: 'carol', role: 'approver' }), 'gave carol the role approver'],
    ['principal-changed', { key: { id: 'bob' }, facts: { active: false } }, null, 'ended bob'],
    [
      'refused_attempt-written',
      { facts: { what: 'checkAgain', code: 'not-authorised' } },
      about(),
      'tried “check again” on Roll back payments and was refused: You do not hold the role for this.',
    ],
    [
      'refused_attempt-written',
      { facts: { what: 'do', code: 'not-authorised' } },
      null,
      'tried “do” and was refused: You do not hold the role for this.',
    ],
    ['drill_start-written', { facts: { name: 'blip', principal_id: 'ann' } }, null, 'started the drill blip'],
    [
      'drill_start-written',
      { facts: { name: 'blip', principal_id: null } },
      null,
      'started the drill blip from the command line or by a program',
    ],
    ['something-new', {}, null, 'something-new'],
  ])('%s %j', (what, body, subject, words) => expect(auditWords({ what, body }, subject)).toBe(words))

  test.each(Object.keys(AUDITED))('%s has words of its own', (table) => {
    expect(auditWords({ what: `${table}-written`, body: {} }, null)).not.toBe(`${table}-written`)
  })

  test('a long title is cut', () => {
    expect(auditWords({ what: 'plan-written', body: {} }, about({ title: 'x'.repeat(5_000) })).length).toBeLessThanOrEqual(300)
  })
})
