import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUDGET, type Budget, costOf, nextTurn, type Spent } from '../../../agent/investigation/budget.ts'

const NOTHING: Spent = { seconds: 0, turns: 0, calls: 0, tokens: 0, dollars: null, repeats: 0 }
const about = (changed: object = {}) => ({ characters: 8_000, perToken: 4, price: null, ...changed })

describe('a next turn', () => {
  it.each<[string, Partial<Spent>, Partial<Budget>, string]>([
    ['time', { seconds: 120 }, {}, 'time'],
    ['turns', { turns: 8 }, {}, 'turns'],
    ['repeats', { repeats: 3 }, {}, 'repeats'],
    ['tokens', { tokens: 27_500 }, {}, 'tokens'],
  ])('is not taken when %s ran out', (_what, spent, budget, over) => {
    expect(nextTurn({ ...NOTHING, ...spent }, { ...BUDGET, ...budget }, about())).toEqual({ over })
  })

  it('is not taken when it could cost more than is left', () => {
    const price = { input: 3, output: 15 }
    expect(nextTurn({ ...NOTHING, dollars: 0.495 }, BUDGET, about({ price }))).toEqual({ over: 'money' })
    expect(nextTurn({ ...NOTHING, dollars: 0.1 }, BUDGET, about({ price }))).toMatchObject({ last: false })
  })

  it('is the last when another would not fit, or it is late', () => {
    expect(nextTurn(NOTHING, BUDGET, about())).toMatchObject({ last: false, input: 2_200 })
    for (const spent of [{ turns: 7 }, { seconds: 91 }, { calls: 12 }, { tokens: 24_000 }])
      expect(nextTurn({ ...NOTHING, ...spent }, BUDGET, about())).toMatchObject({ last: true })
  })

  it('never sets aside more than there is, whatever was spent', () => {
    const spent = fc.record({ tokens: fc.nat(40_000), turns: fc.nat(10), calls: fc.nat(15), seconds: fc.nat(200), repeats: fc.nat(4) })
    fc.assert(
      fc.property(spent, fc.nat(100_000), fc.constantFrom(null, 2.5, 4), (used, characters, perToken) => {
        const turn = nextTurn({ ...NOTHING, ...used }, BUDGET, { characters, perToken, price: null })
        if ('over' in turn) return
        expect(used.tokens + turn.input + turn.output).toBeLessThanOrEqual(BUDGET.tokens)
        expect(turn.output).toBeGreaterThan(0)
      }),
    )
  })
})

it('costs what the price says, and nothing is known without one', () => {
  expect(costOf({ input: 1_000_000, output: 100_000 }, { input: 3, output: 15 })).toBe(4.5)
  expect(costOf({ input: 1, output: 1 }, null)).toBeNull()
})
