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
const against = (to: string, ...past: Approval[]): string[] => whatSpeaksAgainst([{ field: 'version', from: 'v41', to }], past)

describe('what speaks against doing something', () => {
  it('is that taking it away helped, with when and where', () => {
    expect(against('v42', attempt('v42', 'v41', 'verified'))).toEqual([
      '"Set v41" took version v42 away (2026-03-14 02:10 UTC, INC-42), and that helped.',
    ])
  })

  it.each<[string, ExecutionState[]]>([
    ['failed', ['failed']],
    ['undone', ['failed', 'undone']],
  ])('is that it was done before and %s', (_, end) => {
    expect(against('v40', attempt('v42', 'v40', ...end))).toEqual([
      '"Set v40" set version v40 before (2026-03-14 02:10 UTC, INC-42), and that did not help.',
    ])
  })

  it.each<[string, Approval[]]>([
    ['nothing was done', []],
    ['another value was', [attempt('v39', 'v38', 'verified')]],
    ['it is not known what came of it', [attempt('v42', 'v41', 'undetermined')]],
    ['it was never carried out', [anApproval({ plan: attempt('v42', 'v41').plan, requestState: 'denied' })]],
    ['taking it away did not help either', [attempt('v42', 'v41', 'failed')]],
    ['it helped since', [attempt('v41', 'v42', 'verified'), attempt('v42', 'v41', 'verified')]],
  ])('is nothing where %s', (_, past) => {
    expect(against('v42', ...past)).toEqual([])
  })

  it('is of the same field alone', () => {
    const past = [attempt('v42', 'v41', 'verified')]
    expect(whatSpeaksAgainst([{ field: 'image', from: 'v41', to: 'v42' }], past)).toEqual([])
  })

  it('stays short, whatever it was called', () => {
    const long = attempt('x'.repeat(500), 'v41', 'verified')
    const plan = { ...long.plan, action: { ...long.plan.action, title: 'y'.repeat(200) } }
    for (const words of against('x'.repeat(500), { ...long, plan })) expect(words.length).toBeLessThanOrEqual(300)
    expect(against('x'.repeat(500), { ...long, plan })).toHaveLength(1)
  })
})
