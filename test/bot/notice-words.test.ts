import { describe, expect, test } from 'vitest'
import type { PowerChange } from '../../agent/domain/power.ts'
import { approvalNotice, controlNotice, powerNotice } from '../../bot/notice-words.ts'
import { anApproval, anExecution, at, aVote } from '../support/builders.ts'

const EFFECT = ['claimed', 'intent', 'sent', 'succeeded'] as const

/** A request that went all the way: told late, each notice has to tell its own moment. */
const undone = anApproval({
  requestState: 'authorised',
  votes: [aVote('alice')],
  decidedAt: at(41),
  execution: anExecution([...EFFECT, 'failed', 'undone']),
  undoExecution: anExecution([...EFFECT, 'verified'], {}, 110),
  undoFrom: at(106),
})
const NOW = at(10_000)
const head = (code: string): string | undefined => approvalNotice({ code }, undone, NOW)?.split(/[:?.]/)[0]

describe('a notice about a request', () => {
  test.each([
    ['request-pending', 'Approve'],
    ['request-authorised', 'Approved'],
    ['execution-failed', 'Did not help, undo is due'],
    ['execution-undone', 'Undone'],
  ])('%s tells its own moment, however late it is told', (code, words) => expect(head(code)).toBe(words))

  test('the verified undo is told by the end of the action it took back', () =>
    expect(approvalNotice({ code: 'undo-verified' }, undone, NOW)).toBeNull())

  test('the votes are told from the decision on, not before', () => {
    expect(approvalNotice({ code: 'request-pending' }, undone, NOW)).not.toContain('Alice')
    expect(approvalNotice({ code: 'request-authorised' }, undone, NOW)).toContain('Approved by Alice')
  })

  test.each([
    ['request-denied', anApproval({ requestState: 'denied', votes: [aVote('carol', 'deny', 5, 'not now')], decidedAt: at(5) }), 'not now'],
    [
      'execution-aborted',
      anApproval({
        requestState: 'authorised',
        votes: [aVote('alice')],
        execution: anExecution(['claimed', 'aborted'], { code: 'healed' }),
      }),
      'recovered by itself',
    ],
  ])('%s says why', (code, approval, words) => expect(approvalNotice({ code }, approval, NOW)).toContain(words))
})

describe('a notice about a control', () => {
  const names = (id: string): string => ({ alice: 'Alice' })[id] ?? id
  test.each([
    [{ code: 'stopped', scope: '*', by: 'alice' }, 'Stopped, by Alice: nothing runs until it is started again.'],
    [
      { code: 'started', scope: 'env:local', by: 'host' },
      'Not stopped (env:local), from the command line on the host: approved actions may run.',
    ],
    [{ code: 'frozen', scope: 'env:<!channel>\u202e', by: 'bob' }, 'Frozen (env:<!channel>), by bob: nothing runs until the freeze ends.'],
    [{ code: 'unfrozen' }, 'The freeze is over.'],
    [{ code: 'rumour' }, null],
  ])('%j', (facts, words) => expect(controlNotice(facts, names)).toBe(words))
})

describe('a notice about who may what', () => {
  const names = (id: string): string => ({ max: 'Max', nora: 'Nora' })[id] ?? id
  const digest = 'abcdef0123456789'
  const grant: PowerChange = { kind: 'grant', person: 'vera', role: 'approver', environment: 'shop' }
  const link: PowerChange = { kind: 'link', person: 'dora', name: 'D\u202eora', surface: 'slack', tenant: 'T1', account: '<!channel>' }
  test.each<[Parameters<typeof powerNotice>[0], string | null]>([
    [
      { code: 'power-pending', by: 'max', change: grant, digest },
      'Asked by Max: vera becomes approver in shop. Nothing changes before another admin says "admin confirm abcdef012345".',
    ],
    [
      { code: 'power-pending', by: 'host', change: { kind: 'policy', policy: 'p', before: null }, digest },
      'Asked by the host: the policy p takes the place of none. Nothing changes before two admins say "admin confirm abcdef012345".',
    ],
    [{ code: 'power-done', by: 'max', second: 'nora', change: grant }, 'Changed by Max and Nora: vera becomes approver in shop.'],
    [
      { code: 'power-done', by: 'max', second: 'max', change: { kind: 'revoke', person: 'vera', role: null, environment: null } },
      'Changed by Max: vera loses all roles everywhere.',
    ],
    [
      { code: 'people-changed', by: 'configuration', change: link },
      'Changed by the settings file: the account slack T1 <!channel> becomes that of dora, whose name is D[U+202E]ora if new.',
    ],
    [{ code: 'power-withdrawn', by: 'nora', change: grant }, 'Withdrawn by Nora: vera becomes approver in shop.'],
    [
      { code: 'power-expired', by: 'max', change: grant },
      'Nobody confirmed it in time, so nothing changed: vera becomes approver in shop.',
    ],
    [
      { code: 'policy-changed', by: 'host', digest },
      'The policy changed, by the policy file: abcdef012345 holds now. With two admins they would have confirmed it.',
    ],
    [{ code: 'rumour', change: grant }, null],
    [{ code: 'power-done' }, null],
  ])('%j', (facts, words) => expect(powerNotice(facts, names)).toBe(words))
})
