import { describe, expect, it } from 'vitest'
import { withoutModel } from '../../../agent/diagnosis/confidence.ts'
import { afterReview, type Review } from '../../../agent/diagnosis/doubt.ts'
import { type ModelCause, withOpinion, withoutOpinion } from '../../../agent/diagnosis/second-opinion.ts'
import type { Claim, Hypothesis } from '../../../agent/domain/hypothesis.ts'

const claim = (text: string, supported = true): Claim => ({ text, cites: ['E1'], supported })
const own: Hypothesis = {
  ...{ rank: 1, class: 'bad_release', component: 'service/payments', since: null, against: [], unknown: ['what in v42'] },
  ...withoutModel([
    { name: 'validator', score: 80, why: 'the rule gives 80 of 100' },
    { name: 'retrieval', score: 60, why: '3 of 5 known signs were found' },
    { name: 'evidence', score: 100, why: '8 of 8 questions were answered' },
  ]),
  claims: [claim('payments went from v41 to v42.')],
}
const said = (changed: Partial<ModelCause> = {}): ModelCause => ({
  ...{ class: 'bad_release', component: 'service/payments', confidence: 90, against: [], unknown: ['who knows'] },
  claims: [claim('payments fails since 10:42:00 UTC.')],
  ...changed,
})

describe('a second opinion', () => {
  it('weighs 35 of 100 on a cause that both see, and adds what is borne out', () => {
    const [first] = withOpinion([own], [said({ claims: [claim('it is new.'), claim('it is red.', false)] })])
    // 45 × 35 % + 80 × 25 % + 60 × 25 % + 100 × 15 %
    expect(first).toMatchObject({ confidence: 66, rank: 1 })
    expect(first?.parts.map(({ weight }) => weight)).toEqual([35, 25, 25, 15])
    expect(first?.parts[1]?.why).toBe('the rule gives 80 of 100')
    expect(first?.claims).toEqual([...own.claims, { ...claim('it is new.'), by: 'model' }])
  })

  it('counts half where the model of another provider disagrees with a reason that is borne out, and never more', () => {
    const review = (verdict: Review['verdict'], supported = true): Review => ({
      ...{ class: 'bad_release', component: 'service/payments', verdict },
      statements: [claim('checkout failed before.', supported)],
    })
    const confidenceAfter = (doubt: Review | null): number | undefined => withOpinion([own], afterReview([said()], doubt))[0]?.confidence
    const before = confidenceAfter(null) ?? 0
    for (const doubt of [
      review('agrees'),
      review('undecided'),
      review(null),
      review('disagrees', false),
      { ...review('disagrees'), statements: [] },
    ])
      expect(confidenceAfter(doubt)).toBe(before)
    expect(confidenceAfter({ ...review('disagrees'), class: 'memory_leak' })).toBe(before)
    // 90 × 35 % becomes 45 × 35 %
    expect(confidenceAfter(review('disagrees'))).toBe(before - 16)
    const [first] = withOpinion([own], afterReview([said()], review('disagrees')))
    expect(first?.parts[0]?.why).toContain('the model gives 90 of 100, halved because another model disagrees')
    expect(withoutOpinion([first ?? own])).toEqual([own])
  })

  it('never comes first alone, however sure it is and however well the evidence bears it out', () => {
    const alone = said({ class: 'memory_leak', component: 'service/checkout', confidence: 100, claims: Array(6).fill(claim('x.')) })
    const [first, second] = withOpinion([{ ...own, confidence: 40 }], [alone])
    expect(first).toMatchObject({ rank: 1, class: 'bad_release' })
    expect(second).toMatchObject({ rank: 2, class: 'memory_leak', confidence: 58 })
  })

  it('is left out where nothing of it is borne out', () => {
    expect(withOpinion([own], [said({ class: 'disk_full', claims: [claim('it is full.', false)] })])).toEqual([own])
  })

  it('can be taken away again, and leaves what the rules said', () => {
    const alone = said({ class: 'memory_leak', component: 'service/checkout' })
    const merged = withOpinion([own], [said(), alone])
    expect(merged).toHaveLength(2)
    expect(withoutOpinion(merged)).toEqual([own])
    expect(withoutOpinion([own])).toEqual([own])
  })
})
