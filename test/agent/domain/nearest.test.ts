import { describe, expect, test } from 'vitest'
import { meantOrKnown, nearest } from '../../../agent/domain/nearest.ts'

const COMMANDS = ['status', 'start', 'stop', 'incidents', 'do', 'why-not']

describe('what was probably meant', () => {
  test.each([
    ['stauts', 'status'],
    ['STATUS', 'status'],
    ['statu', 'status'],
    ['incidnets', 'incidents'],
    ['od', 'do'],
    ['whynot', 'why-not'],
    ['rollback', null],
    ['xy', null],
    ['', null],
    ['s'.repeat(100_000), null],
  ])('%s: %s', (typed, meant) => {
    expect(nearest(typed, COMMANDS)).toBe(meant)
  })

  test('two letters that changed places are one slip, also in a short word', () => {
    expect(nearest('aad', ['ada'])).toBe('ada')
    expect(nearest('dax', ['ada'])).toBeNull()
  })

  test('where nothing is near, all there are are named', () => {
    expect(meantOrKnown('stauts', COMMANDS)).toBe('Did you mean "status"?')
    expect(meantOrKnown('xyz', ['a', 'b'])).toBe('There are: a, b.')
    expect(meantOrKnown('xyz', [])).toBe('There are: none.')
  })
})
