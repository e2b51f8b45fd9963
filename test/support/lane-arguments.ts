import { parseArgs } from 'node:util'
import { DEFAULT_FAULT_OPTIONS, type FaultOptions } from './fault-options.ts'

export const LANES = ['unit', 'live', 'faults'] as const
export type Lane = (typeof LANES)[number]

export type LaneArguments = {
  readonly lane: Lane
  /** Parts of the paths of the test files to run; none means all of the lane. */
  readonly names: readonly string[]
  readonly faults: FaultOptions
}

const LARGEST_OPTION = 1_000_000_000

/**
 * Reads `LANE [NAME…] [--kills N --rounds N --sequences N --interactions N --seed S]`.
 * @throws TypeError in words for a person, when an argument is unknown or not a whole number from 0 to 10⁹
 */
export function parseLaneArguments(args: readonly string[]): LaneArguments {
  const number = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kills: number, rounds: number, sequences: number, interactions: number, seed: number },
  })
  const [name, ...names] = positionals
  const lane = LANES.find((known) => known === name)
  if (lane === undefined) throw new TypeError(`Which lane? One of ${LANES.join(', ')}, not ${name ?? 'nothing'}.`)
  const given = Object.entries(values)
  if (lane !== 'faults' && given.length > 0) throw new TypeError(`--${given[0]?.[0]} is for the faults lane only.`)
  const numbers = given.map(([option, value]) => [option, wholeNumber(option, value)])
  return { lane, names, faults: { ...DEFAULT_FAULT_OPTIONS, ...Object.fromEntries(numbers) } }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= LARGEST_OPTION) return value
  throw new TypeError(`--${option} wants a whole number from 0 to ${LARGEST_OPTION}, not ${text}.`)
}
