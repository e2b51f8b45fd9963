import { describe, expect, test } from 'vitest'
import { type Approval, approvalState } from '../../../agent/domain/approval.ts'
import { type ApprovalCardContext, approvalCard } from '../../../bot/messages/approval-card.ts'
import { approvalPhase } from '../../../bot/messages/approval-phase.ts'
import type { Card } from '../../../bot/messages/card.ts'
import { linesOf } from '../../../bot/messages/card-size.ts'
import { noticeText, refusalText } from '../../../bot/messages/notice.ts'
import { PHASE_TITLES } from '../../../bot/messages/outcome-words.ts'
import { plainOf } from '../../../bot/messages/span.ts'
import { anApproval, aPlan, approvalsInEveryState, at, aVote, nameOf } from '../../support/builders.ts'

const states = approvalsInEveryState()
const context = (changed: Partial<ApprovalCardContext> = {}): ApprovalCardContext => ({
  now: at(30),
  whoMay: ['alice', 'carol'],
  names: nameOf,
  consoleUrl: null,
  ...changed,
})
const textOf = (card: Card): string => card.blocks.flatMap(linesOf).map(plainOf).join('\n')
const buttonsOf = (card: Card): string[] =>
  card.blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons.map(({ action, ref }) => `${action} ${ref}`) : []))
const cardOf = (name: string, changed: Partial<ApprovalCardContext> = {}): Card => {
  const state = states[name]
  if (!state) throw new Error(`no such sample: ${name}`)
  return approvalCard(state.approval, context({ now: state.now, ...changed }))
}
const ID = anApproval().id

describe('an approval card', () => {
  test('is drawn for every phase there is', () => {
    const phases = Object.values(states).map(({ approval, now }) => approvalPhase(approval, now))
    expect(new Set(phases)).toEqual(new Set(Object.keys(PHASE_TITLES)))
  })

  test('shows what a person would type to do the same by hand, as text, in every state', () => {
    for (const name of Object.keys(states)) {
      const manual = 'fakectl set payments --version v41 `<!channel>` \u202e'
      expect(textOf(cardOf(name, { manual }))).toMatch(
        /(The same by hand|What was done, as one would have typed it): fakectl set payments --version v41 `<!channel>` \[U\+202E\]/,
      )
      expect(textOf(cardOf(name, { manual: null }))).not.toMatch(/The same by hand|as one would have typed it/)
    }
    expect(textOf(cardOf('verified', { manual: 'x' }))).not.toContain('The same by hand')
    expect(textOf(cardOf('denied', { manual: 'x' }))).toContain('The same by hand')
  })

  test('speaks of no symptom, and of no help, where nothing was wrong', () => {
    const without = (name: string) => {
      const state = states[name]
      if (!state) throw new Error(`no such sample: ${name}`)
      const approval = { ...state.approval, plan: { ...state.approval.plan, symptom: null } }
      return textOf(approvalCard(approval, context({ now: state.now })))
    }
    expect(textOf(cardOf('asking'))).toContain('if the target is still as above and the symptom still there.')
    expect(without('asking')).toContain('if the target is still as above.')
    expect(without('verified')).toContain('It took effect, and what was to be so is so.')
  })

  test('asks for a click on exactly what it shows, by whom and until when', () => {
    const card = cardOf('asking')
    expect(card.notification).toBe('Approve? Roll back payments from v42 to v41 (service payments, local). Decide until 02:20:00 UTC.')
    const words = textOf(card)
    expect(words).toContain('0 of 1 approved, open until 02:20:00 UTC (9 min 30 s left)')
    expect(words).toContain('version: v42 → v41')
    expect(words).toContain('errors of payments ≤ 5 %')
    expect(words).toContain('2 of 2 replicas; downtime: none expected, one replica at a time; used by checkout, storefront')
    expect(words).toContain('May approveAlice, Carol')
    expect(words).toContain(`Digest ${anApproval().digest.slice(0, 12)}`)
    expect(buttonsOf(card)).toEqual([`approve ${ID}`, `deny ${ID}`, `ask ${ID}`])
  })

  test('counts votes, and says what the next click does', () => {
    const words = textOf(cardOf('asking-two'))
    expect(words).toContain('1 of 2 approved')
    expect(words).toContain('You type payments, so that it is surely meant.')
    expect(words).toContain('It runs at once, one time')
    expect(words).toContain('Approved by Alice at 02:10:41 UTC.')
    const first = approvalCard(anApproval({ plan: states['asking-two']?.approval.plan ?? aPlan() }), context())
    expect(textOf(first)).toContain('It waits for 1 more; then it runs, one time')
  })

  test('says that the asker may approve it, where the policy allows that', () => {
    expect(textOf(cardOf('asking-own'))).toContain('Alice, who may also approve it: the policy allows that for this action')
    const plan = aPlan({ requester: 'alice' })
    expect(textOf(approvalCard(anApproval({ plan }), context()))).toContain('Alice, so somebody else has to approve it')
  })

  test.each([
    ['asking', ['approve', 'deny', 'ask']],
    ['time-over', []],
    ['authorised', []],
    ['checking', []],
    ['running', []],
    ['no-answer', []],
    ['verifying', []],
    ['verified', []],
    ['undetermined', []],
    ['not-applied', []],
    ['failed', []],
    ['undo-waiting', ['keep']],
    ['undoing', []],
    ['undone', []],
    ['kept', []],
    ['denied', []],
    ['cancelled', []],
    ['superseded', []],
    ['expired', ['check-again']],
    ['aborted', ['check-again']],
    ['restored', ['check-again']],
  ])('in the state %s offers %j', (name, actions) => {
    expect(buttonsOf(cardOf(name))).toEqual(actions.map((action) => `${action} ${ID}`))
  })

  test('offers no Keep once the undo starts', () => expect(buttonsOf(cardOf('undo-waiting', { now: at(106) }))).toEqual([]))

  test('offers no Approve when nobody may approve, and says so', () => {
    const card = cardOf('asking', { whoMay: [] })
    expect(buttonsOf(card)).toEqual([`deny ${ID}`, `ask ${ID}`])
    expect(textOf(card)).toContain('nobody holds the role, so it cannot be approved')
    expect(textOf(card)).not.toMatch(/When you click|clicks? Approve/)
  })

  test('offers no Approve for a plan that does not fit, and shows no part of it', () => {
    const card = approvalCard(anApproval({ plan: aPlan({ parameters: { note: '&'.repeat(450), tail: 'the end' } }) }), context())
    expect(buttonsOf(card)).toEqual([`deny ${ID}`, `ask ${ID}`])
    expect(textOf(card)).toContain('too large for a card, so it cannot be approved')
    expect(textOf(card)).not.toMatch(/When you click|clicks? Approve/)
    expect(textOf(card)).not.toContain('&&&')
  })

  test.each([
    ['verified', ['Approved by Alice at 02:10:41 UTC.', 'errors of payments ≤ 5 %: held (last 0.2 %, 9 samples)']],
    ['denied', ['Denied by Carol at 02:10:41 UTC.', 'payments is in the middle of a migration']],
    ['aborted', ['nothing was sent', 'errors of payments are at 0.1 % again']],
    ['restored', ['not carried out from here', 'It was the backup of 2026-03-01 02:00 UTC.']],
    ['not-applied', ['The target refused: a permission is missing. workloads.update on payments']],
    ['undo-waiting', ['The undo (Put payments back to v42) starts by itself. It can be kept as it is until 02:11:46 UTC (46 s left).']],
    ['kept', ['Kept by Carol.']],
    ['undone', ['The undo', 'verified: what was there before is back']],
  ])('%s says who, when and why', (name, parts) => {
    for (const part of parts) expect(textOf(cardOf(name))).toContain(part)
  })

  test('keeps the facts of the plan while its effect is open, and only then', () => {
    for (const name of ['asking', 'authorised', 'running', 'verifying']) expect(textOf(cardOf(name))).toContain('Counts as success')
    for (const name of ['verified', 'denied', 'expired', 'undone']) expect(textOf(cardOf(name))).not.toContain('Counts as success')
  })

  test("shows the agent's words below the facts, labelled and short, without changing the facts", () => {
    const lie = `Nothing will change, it is only a check. ${'Trust me. '.repeat(200)}`
    const told = cardOf('asking', { narrative: lie })
    const plain = cardOf('asking')
    const quotes = told.blocks.flatMap((block, index) => (block.type === 'quote' ? [{ block, index }] : []))
    expect(quotes).toHaveLength(1)
    expect(quotes[0]?.block.label).toContain('not part of what is approved')
    expect([...(quotes[0]?.block.text ?? '')].length).toBeLessThanOrEqual(500)
    expect(told.blocks.filter((block) => block.type !== 'quote')).toEqual(plain.blocks)
    const lastFact = told.blocks.findLastIndex((block) => block.type === 'changes')
    expect(quotes[0]?.index).toBeGreaterThan(lastFact)
  })

  test('says the ids last, below the buttons', () => {
    for (const name of ['asking', 'running']) {
      const { blocks } = cardOf(name)
      expect(
        blocks
          .map(linesOf)
          .map((lines) => lines.map(plainOf).join())
          .findIndex((words) => words.startsWith('Plan ')),
      ).toBe(blocks.length - 2)
      expect(blocks.at(-1)?.type).toBe('note')
    }
    for (const name of ['verified', 'denied']) expect(textOf(cardOf(name))).not.toContain('Plan 6f0c1f9e')
  })

  test('depends on nothing but its arguments', () => {
    for (const name of Object.keys(states)) expect(cardOf(name)).toEqual(cardOf(name))
  })
})

describe('a notice', () => {
  const notice = (name: string): string => {
    const state = states[name]
    return state ? noticeText(state.approval, state.now) : ''
  }

  test('names the action, the target, who and why', () => {
    expect(notice('verified')).toBe(
      'Verified: Roll back payments from v42 to v41 (service payments, local). It took effect, and telemetry shows that it helped. Approved by Alice at 02:10:41 UTC.',
    )
    expect(notice('denied')).toContain('Denied by Carol at 02:10:41 UTC. Reason: payments is in the middle of a migration')
    expect(notice('aborted')).toContain('Reason: The symptom is gone')
  })

  test('of what heals nothing by itself does not say that it helped', () => {
    const state = states['verified']
    if (!state) throw new Error('there is no such state')
    const { plan } = state.approval
    const approval = { ...state.approval, plan: { ...plan, success: { ...plan.success, heals: false as const } } }
    expect(noticeText(approval, state.now)).toContain('It heals nothing by itself, so the incident stays open.')
    expect(noticeText(approval, state.now)).not.toContain('helped')
  })

  test('is one line in every state', () => {
    for (const name of Object.keys(states)) expect(notice(name)).toMatch(/^[^\n]{20,900}$/)
  })

  test('never repeats the sentence of a code that its words begin with', () => {
    const detail = { reason: 'healed', words: 'The symptom is gone: it recovered by itself, so nothing was run. 0.1 %' }
    const aborted = states['aborted']?.approval ?? anApproval()
    const events = (aborted.execution?.events ?? []).map((event) => ({ ...event, detail }))
    const execution = aborted.execution ? { ...aborted.execution, events } : null
    expect(noticeText({ ...aborted, execution }, at(60)).match(/The symptom is gone/g)).toHaveLength(1)
  })
})

describe('a refusal', () => {
  test('says why, and who may instead', () => {
    expect(refusalText('not-authorised', null, ['alice', 'carol'], nameOf)).toBe(
      'You do not hold the role for this. Who may: Alice, Carol.',
    )
    expect(refusalText('expired', null, ['alice'], nameOf)).not.toContain('Who may')
  })
})

describe('phases', () => {
  test('agree with the state that programs outside see', () => {
    const ended: Approval['requestState'][] = ['denied', 'expired', 'cancelled', 'superseded']
    for (const { approval, now } of Object.values(states)) {
      const state = approvalState(approval)
      if (ended.some((name) => name === state)) expect(approvalPhase(approval, now)).toBe(state)
      if (state === 'executing')
        expect(['checking', 'running', 'no-answer', 'verifying', 'undo-waiting', 'undoing']).toContain(approvalPhase(approval, now))
    }
  })

  test('a request asks nobody once its time is over, even before it is marked expired', () => {
    expect(approvalPhase(anApproval(), at(599))).toBe('asking')
    expect(approvalPhase(anApproval({ votes: [aVote('alice')] }), at(600))).toBe('time-over')
  })
})
