import type { RaceReport } from './run-race.ts'

/** Counts, seed, speed, which way it went, and the upper bound that no violation in so many rounds proves (95 %: 3/n). */
export function inOneLine({ race, rounds, went, violations, proofs, seconds }: RaceReport, seed: number): string {
  const ways = [...went].map(([way, count]) => `${way} ${count}`).join(', ')
  const bound = violations.length === 0 ? `, at most ${(300 / rounds).toFixed(3)} % at 95 %` : ''
  return `race "${race}": ${rounds} rounds, seed ${seed}, ${violations.length} violations${bound}; ${ways}; ${proofs} whole proofs; ${(rounds / seconds).toFixed(0)} rounds/s`
}
