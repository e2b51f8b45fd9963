import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confidenceOf, shareOut } from '../../../agent/diagnosis/confidence.ts'
import type { EvidenceItem } from '../../../agent/domain/evidence.ts'
import type { Claim } from '../../../agent/domain/hypothesis.ts'

const claims = (supported: number, of: number): Claim[] =>
  Array.from({ length: of }, (_, i) => ({ text: `claim ${i}`, cites: ['E1'], supported: i < supported }))
const items = (kinds: string[], failed = 0): EvidenceItem[] => {
  const at = new Date('2026-03-01T10:42:00Z')
  return [...kinds.map((kind) => [kind, 'ok'] as const), ...Array.from({ length: failed }, () => ['logs', 'failed'] as const)].map(
    ([kind, status], i) => ({
      ...{
        id: `${i}`,
        incidentId: 'inc-1',
        label: `E${i + 1}`,
        kind,
        source: 'shop',
        trust: 'metric' as const,
        status,
        summary: '',
        query: '',
      },
      ...{ from: at, to: at, link: null, content: {}, hash: '', collectedAt: at },
    }),
  )
}
const ALL = ['metrics', 'logs', 'changes', 'workload']

describe('confidence', () => {
  it('shares the model’s weight among the parts that speak, and says so', () => {
    const { parts, confidence } = confidenceOf({
      candidate: { class: 'bad_release', score: 92, signs: { found: 5, of: 5 } },
      claims: claims(4, 4),
      against: [],
      evidence: items(ALL),
    })
    expect(parts.map(({ name, score, weight }) => [name, score, weight])).toEqual([
      ['validator', 92, 39],
      ['retrieval', 92, 38],
      ['evidence', 100, 23],
    ])
    expect(parts[0]?.why).toContain('no model spoke, so its 35 % are shared among the other parts')
    expect(confidence).toBe(94)
  })

  it('counts no signs of a class for what is not known, and counts one in the singular', () => {
    const whyOf = (said: Partial<Parameters<typeof confidenceOf>[0]['candidate']>): string =>
      confidenceOf({
        candidate: { class: 'unknown', score: 40, signs: { found: 1, of: 1 }, ...said },
        claims: claims(1, 1),
        against: [],
        evidence: items(['metrics']),
      })
        .parts.map(({ why }) => why)
        .join('; ')
    expect(whyOf({})).toContain('no known cause fits what was found, and the rule gives 40 of 100')
    expect(whyOf({})).not.toContain('known sign')
    expect(whyOf({ class: 'memory_leak' })).toContain('1 of 1 known sign of this class was found')
    expect(whyOf({})).toContain('1 of 1 question was answered, by 1 kind of source')
  })

  it('is what its parts say', () => {
    const part = fc.record({ score: fc.integer({ min: 0, max: 100 }), found: fc.nat(5), supported: fc.nat(4), failed: fc.nat(5) })
    fc.assert(
      fc.property(part, ({ score, found, supported, failed }) => {
        const { parts, confidence } = confidenceOf({
          candidate: { class: 'bad_release', score, signs: { found, of: 5 } },
          claims: claims(supported, 4),
          against: [],
          evidence: items(ALL, failed),
        })
        expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBe(100)
        expect(confidence).toBe(Math.round(parts.reduce((sum, each) => sum + (each.score * each.weight) / 100, 0)))
        expect(confidence).toBeGreaterThanOrEqual(0)
        expect(confidence).toBeLessThanOrEqual(100)
      }),
    )
  })

  it('falls with every claim that is not borne out, every sign that is missing, every source that is silent', () => {
    const of = (said: Partial<Parameters<typeof confidenceOf>[0]>) =>
      confidenceOf({
        candidate: { class: 'bad_release', score: 90, signs: { found: 5, of: 5 } },
        claims: claims(4, 4),
        against: [],
        evidence: items(ALL),
        ...said,
      }).confidence
    const full = of({})
    expect(of({ claims: claims(3, 4) })).toBeLessThan(full)
    expect(of({ against: claims(0, 1) })).toBeLessThan(full)
    expect(of({ candidate: { class: 'bad_release', score: 90, signs: { found: 3, of: 5 } } })).toBeLessThan(full)
    expect(of({ evidence: items(ALL, 4) })).toBeLessThan(full)
    expect(of({ evidence: items(['metrics', 'metrics']) })).toBeLessThan(full)
    expect(of({ claims: [], evidence: [], candidate: { class: 'bad_release', score: 40, signs: { found: 0, of: 0 } } })).toBe(0)
  })
})

describe('shares', () => {
  it.each([
    [
      [25, 25, 15],
      [39, 38, 23],
    ],
    [
      [35, 25, 25, 15],
      [35, 25, 25, 15],
    ],
    [
      [1, 1, 1],
      [34, 33, 33],
    ],
    [[7], [100]],
  ])('of %j are %j', (weights, shares) => {
    expect(shareOut(weights)).toEqual(shares)
  })
})
