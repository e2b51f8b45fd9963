import { describe, expect, it } from 'vitest'
import { whatSpeaksAgainst } from '../../../agent/actions/tried-before.ts'
import type { Approval, ExecutionState } from '../../../agent/domain/approval.ts'
import { anApproval, anExecution, aPlan } from '../../support/builders.ts'

const EFFECT = ['claimed', 'intent', 'sent', 'succeeded'] as const
/** An attempt that set the version, and what came of it. */
const attempt = (from: string, to: string, ...end: ExecutionState[]): Approval => {
  const plan = aPlan({ action: { kind: 'local.rollback', version: 1, title: `Set ${to}` }, changes: [{ field: 'version', from, to }] })
  return anApproval({ plan, requestState: 'authorised', execution: anExecution([...EFFECT, ...end]) })
}
const healing = (approval: Approval, success: Partial<Approval['plan']['success']>): Approval => ({
  ...approval,
  plan: { ...approval.plan, success: { ...approval.plan.success, ...success } },
})
const against = (to: string, ...past: Approval[]): string[] => whatSpeaksAgainst([{ field: 'version', from: 'v41', to }], past)

describe('what speaks against doing something', () => {
  it('is that taking it away helped, with when and where', () => {
    expect(against('v42', attempt('v42', 'v41', 'verified'))).toEqual([
      '"Set v41" (2026-03-14 02:10 UTC, INC-42) took version v42 away, and that helped.',
    ])
  })

  it.each<[string, ExecutionState[]]>([
    ['failed', ['failed']],
    ['undone', ['failed', 'undone']],
  ])('is that it was done before and %s', (_, end) => {
    expect(against('v40', attempt('v42', 'v40', ...end))).toEqual([
      '"Set v40" (2026-03-14 02:10 UTC, INC-42) set version v40 before, and that did not help.',
    ])
  })

  it.each<[string, Approval[]]>([
    ['nothing was done', []],
    ['another value was', [attempt('v39', 'v38', 'verified')]],
    ['it is not known what came of it', [attempt('v42', 'v41', 'undetermined')]],
    ['it was never carried out', [anApproval({ plan: attempt('v42', 'v41').plan, requestState: 'denied' })]],
    ['it never took effect', [anApproval({ ...attempt('v41', 'v42'), execution: anExecution(['claimed', 'intent', 'sent', 'failed']) })]],
    ['it was not meant to help', [healing(attempt('v42', 'v41', 'verified'), { heals: false })]],
    ['taking it away did not help either', [attempt('v42', 'v41', 'failed')]],
    ['it helped since', [attempt('v41', 'v42', 'verified'), attempt('v42', 'v41', 'verified')]],
  ])('is nothing where %s', (_, past) => {
    expect(against('v42', ...past)).toEqual([])
  })

  it('is of the same field alone', () => {
    const past = [attempt('v42', 'v41', 'verified')]
    expect(whatSpeaksAgainst([{ field: 'image', from: 'v41', to: 'v42' }], past)).toEqual([])
  })

  it('claims no help where nothing was measured', () => {
    const [words] = against('v42', healing(attempt('v42', 'v41', 'verified'), { metrics: [] }))
    expect(words).toMatch(/took version v42 away, and that was verified\.$/)
  })

  it('says one thing of one attempt, however much it changed', () => {
    const lines = ['labels.a', 'spec.containers[payments].image'].map((field) => ({ field, from: 'v42', to: 'v41' }))
    const before = attempt('v42', 'v41', 'verified')
    const wanted = lines.map(({ field }) => ({ field, from: 'v41', to: 'v42' }))
    expect(whatSpeaksAgainst(wanted, [{ ...before, plan: { ...before.plan, changes: lines } }])).toHaveLength(1)
  })

  it('shows the end of an image, where its tag is', () => {
    const image = (tag: string) => `registry.example/${'team/'.repeat(20)}payments:${tag}`
    expect(against(image('v42'), attempt(image('v42'), image('v41'), 'verified'))[0]).toMatch(/took version \.\.\..*payments:v42 away/)
  })

  it.each(['x', '\u{1f600}'])('stays short and whole text, whatever it was called: %j', (sign) => {
    const long = attempt(sign.repeat(500), 'v41', 'verified')
    const plan = { ...long.plan, action: { ...long.plan.action, title: sign.repeat(200) } }
    const told = against(sign.repeat(500), { ...long, incidentId: sign.repeat(200), plan })
    expect(told).toHaveLength(1)
    for (const words of told) {
      expect(words.length).toBeLessThanOrEqual(300)
      expect(words.isWellFormed()).toBe(true)
    }
  })
})
