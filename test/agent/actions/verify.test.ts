import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CheckReadings, judge } from '../../../agent/actions/verify.ts'
import type { SuccessContract } from '../../../agent/domain/plan.ts'

const EFFECT = new Date('2026-03-01T03:00:00Z')
const CONTRACT: SuccessContract = {
  metrics: [],
  state: [],
  settleSeconds: 2,
  holdSeconds: 3,
  withinSeconds: 10,
  minSamples: 4,
  weaker: null,
}

const at = (seconds: number): Date => new Date(EFFECT.getTime() + seconds * 1_000)
/** One reading a second from second 0 on: '+' held, '-' did not, '.' no sample. */
const readings = (pattern: string): CheckReadings => ({
  ...{ check: 'errors', words: 'errors', unit: '' },
  readings: [...pattern].flatMap((mark, second) => (mark === '.' ? [] : [{ at: at(second), held: mark === '+', value: mark }])),
})
const verdict = (pattern: string, second: number): string => judge(CONTRACT, [readings(pattern)], EFFECT, at(second)).verdict

describe('judge', () => {
  it.each([
    ['held from the settle time for long enough', '--++++', 5, 'verified'],
    ['one sample short of the hold', '--+++', 4, 'waiting'],
    ['good readings before the settle time count for nothing', '++++', 3, 'waiting'],
    ['a break starts the run anew', '..++-+++', 7, 'waiting'],
    ['held after a break', '..++-++++', 8, 'verified'],
    ['never held', '-----------', 10, 'failed'],
    ['held but too briefly before the end', '.........++', 10, 'undetermined'],
    ['no sample at all', '...........', 10, 'undetermined'],
    ['no sample at all, before the end', '.....', 4, 'waiting'],
    ['too few samples that did not hold', '....-...-..', 10, 'undetermined'],
    ['enough seconds but too sparse', '..+...+...+', 10, 'undetermined'],
    ['a hole in the readings is a break', '..+++.....+', 10, 'undetermined'],
    ['good only after the time was over', '-----------++++++++', 18, 'failed'],
    ['held in time, judged late', '---++++++++', 60, 'verified'],
  ])('%s: %s', (_words, pattern, second, expected) => {
    expect(verdict(pattern, second)).toBe(expected)
  })

  it('needs every check to hold', () => {
    const both = judge(CONTRACT, [readings('--++++'), { ...readings('------'), check: 'latency', words: 'latency' }], EFFECT, at(10))
    expect(both).toMatchObject({ verdict: 'failed', words: 'latency did not hold (last: -)' })
  })

  it('rounds what was measured, and nothing else', () => {
    const bad = (value: string) => [...'------'].map((_, second) => ({ at: at(second + 2), held: false, value }))
    const words = (unit: string | null, value: string) =>
      judge(CONTRACT, [{ check: 'c', words: 'it', unit, readings: bad(value) }], EFFECT, at(10))
    expect(words('ratio', '0.123456')).toMatchObject({ words: 'it did not hold (last: 12.3 %)' })
    for (const value of ['12345', '1.10', '536870912'])
      expect(words(null, value)).toMatchObject({ words: `it did not hold (last: ${value})` })
  })

  it('is undetermined when there is nothing to check', () => {
    expect(judge(CONTRACT, [], EFFECT, at(60))).toMatchObject({ verdict: 'undetermined', samples: 0 })
  })

  it('never verifies without the samples the contract asks for, whatever the telemetry', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[+.-]{0,30}$/), fc.integer({ min: 0, max: 40 }), (pattern, second) => {
        const judgement = judge(CONTRACT, [readings(pattern)], EFFECT, at(second))
        if (judgement.verdict !== 'verified') return
        expect(judgement.samples).toBeGreaterThanOrEqual(CONTRACT.minSamples)
        expect(pattern.slice(2)).toMatch(/\+.*\+/)
        expect(pattern.trimEnd().replaceAll('.', '').endsWith('+')).toBe(true)
      }),
      { seed: 20260301, numRuns: 2_000 },
    )
  })
})
