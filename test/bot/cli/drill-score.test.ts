import { expect, test } from 'vitest'
import { type DrillEnd, type DrillTruth, scoreDrill, scoreLines } from '../../../bot/cli/drill-score.ts'

const crash: DrillTruth = {
  name: 'crash-loop',
  expects: 'action',
  truth: { class: 'crash_on_start', component: 'service/payments', action: 'local.rollback' },
}
const approval = (kind: string, fault: string, component = 'service/payments', executed = true): DrillEnd['approvals'][number] => ({
  createdAt: '2026-03-14T02:10:12.000Z',
  votes: ['alice'],
  plan: { action: { kind }, cause: { class: fault, component } },
  execution: executed ? {} : null,
})
const end = (said: Partial<DrillEnd> = {}): DrillEnd => ({
  state: 'passed',
  startedAt: '2026-03-14T02:10:00.000Z',
  ended: '2026-03-14T02:10:31.400Z',
  hypotheses: [],
  approvals: [approval('local.rollback', 'crash_on_start')],
  ...said,
})

test('what was named and done is compared with the truth, with times and clicks', () => {
  expect(scoreDrill(crash, end())).toEqual({
    name: 'crash-loop',
    ended: 'as expected',
    cause: { right: true, named: 'crash_on_start of service/payments' },
    action: { right: true, done: 'local.rollback' },
    askedAfter: 12,
    seconds: 31,
    clicks: 1,
  })
})

test.each<[string, Partial<DrillEnd>, boolean, boolean]>([
  ['another class', { approvals: [approval('local.rollback', 'bad_release')] }, false, true],
  ['another component', { approvals: [approval('local.rollback', 'crash_on_start', 'service/checkout')] }, false, true],
  ['another action', { approvals: [approval('local.restart', 'crash_on_start')] }, true, false],
  ['nothing was carried out', { approvals: [approval('local.rollback', 'crash_on_start', 'service/payments', false)] }, true, false],
  ['nothing was asked', { state: 'failed', approvals: [] }, false, false],
])('%s', (_title, said, cause, action) => {
  const score = scoreDrill(crash, end(said))
  expect([score.cause.right, score.action.right]).toEqual([cause, action])
})

test('where nothing is to be done, nothing may be asked; that it healed hides no cause', () => {
  const outside: DrillTruth = {
    name: 'outside-cause',
    expects: 'no-action',
    truth: { class: 'provider_outage', component: 'external/bank', action: null },
  }
  const healed = [
    { class: 'resolved_by_itself', component: 'external/bank' },
    { class: 'provider_outage', component: 'external/bank' },
  ]
  expect(scoreDrill(outside, end({ hypotheses: healed, approvals: [] }))).toMatchObject({
    cause: { right: true },
    action: { right: true },
    askedAfter: null,
    clicks: 0,
  })
  expect(scoreDrill(outside, end({ hypotheses: healed }))).toMatchObject({ action: { right: false } })
  const blip: DrillTruth = {
    name: 'blip',
    expects: 'no-action',
    truth: { class: 'transient', component: 'service/checkout', action: null },
  }
  expect(scoreDrill(blip, end({ hypotheses: healed, approvals: [] })).cause.right).toBe(true)
  expect(scoreDrill(blip, end({ hypotheses: healed.slice(1), approvals: [] })).cause.right).toBe(false)
})

test('the table has a line for each, says what was wrong, and sums up', () => {
  const scores = [
    scoreDrill(crash, end()),
    scoreDrill(crash, end({ state: 'failed', ended: null, approvals: [approval('local.restart', 'unknown')] })),
  ]
  expect(scoreLines(scores)).toEqual([
    'drill       ended            cause  action  asked  over  clicks',
    'crash-loop  as expected      right  right   12 s   31 s  1',
    'crash-loop  not as expected  wrong  wrong   12 s   –     1',
    '',
    'crash-loop: the cause that was named is unknown of service/payments',
    'crash-loop: what was done is local.restart',
    '1 of 2 ended as expected, 1 of 2 causes and 1 of 2 actions were right.',
  ])
})
