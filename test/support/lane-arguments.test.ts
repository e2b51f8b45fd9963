import { expect, test } from 'vitest'
import { DEFAULT_FAULT_OPTIONS } from './fault-options.ts'
import { parseLaneArguments } from './lane-arguments.ts'

test('a lane, parts of file names, and how much the faults lane shall do', () => {
  expect(parseLaneArguments(['live', 'postgres', 'console'])).toEqual({
    lane: 'live',
    names: ['postgres', 'console'],
    faults: DEFAULT_FAULT_OPTIONS,
  })
  expect(parseLaneArguments(['faults', 'kill', '--kills', '300', '--seed', '7'])).toMatchObject({
    names: ['kill'],
    faults: { kills: 300, rounds: DEFAULT_FAULT_OPTIONS.rounds, seed: 7 },
  })
})

test.each([
  [[], 'Which lane? One of unit, live, faults, not nothing.'],
  [['everything'], 'not everything'],
  [['unit', '--kills', '3'], '--kills is for the faults lane only'],
  [['faults', '--kills', 'many'], '--kills wants a whole number'],
  [['faults', '--kills', '-1'], '--kills'],
  [['faults', '--hammers', '3'], '--hammers'],
])('%j is refused in words', (args, words) => {
  expect(() => parseLaneArguments(args)).toThrow(TypeError)
  expect(() => parseLaneArguments(args)).toThrow(words)
})
