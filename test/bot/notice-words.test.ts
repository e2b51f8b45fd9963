import { describe, expect, test } from 'vitest'
import { approvalNotice, controlNotice } from '../../bot/notice-words.ts'
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
