import type { Outcome } from '../domain/approval.ts'
import { boundName, plainBoundWords, readingWords } from '../domain/metric-words.ts'
import type { MetricBound, StateCheck, SuccessContract } from '../domain/plan.ts'

/** One reading of one check after the effect: whether it held at that moment. */
export interface Reading {
  at: Date
  held: boolean
  /** As read, for people: '0.02', 'v41'. */
  value: string
}

export interface CheckReadings {
  /** Its name, by which it is kept: 'error_ratio of payments <= 0.05'. */
  check: string
  /** For people: 'errors of payments ≤ 5 %'. */
  words: string
  /** Of a metric's readings; null where what is read stands for itself, as a version does. */
  unit: string | null
  readings: readonly Reading[]
}

export type Judgement =
  | { verdict: 'waiting' }
  | {
      verdict: Exclude<Outcome, 'undone'>
      samples: number
      checks: { check: string; last: string | null; held: boolean; samples: number }[]
      words: string
    }

/**
 * Judges an effect by the contract that was shown before the click. Verified as soon as every check has held without a break for `holdSeconds`
 * with enough samples; failed when the time is over and it has not; undetermined when the time is over and there were too few samples to say.
 */
export function judge(contract: SuccessContract, checks: readonly CheckReadings[], effectAt: Date, now: Date): Judgement {
  const from = effectAt.getTime() + contract.settleSeconds * 1_000
  const end = effectAt.getTime() + contract.withinSeconds * 1_000
  const inWindow = ({ at }: Reading): boolean => at.getTime() >= from && at.getTime() <= end
  const settled = checks.map(({ readings, ...check }) => ({ ...check, readings: readings.filter(inWindow) }))
  const found = settled.map(({ check, words, unit, readings }) => ({
    check,
    words,
    unit,
    last: readings.at(-1)?.value ?? null,
    held: heldFor(readings, contract),
    samples: readings.length,
    badAtLast: readings.some(
      ({ at, held }, index) => !held && (index === readings.length - 1 || at.getTime() >= end - contract.holdSeconds * 1_000),
    ),
  }))
  const summary = found.map(({ check, last, held, samples }) => ({ check, last, held, samples }))
  const samples = Math.min(...summary.map((entry) => entry.samples))
  if (summary.length > 0 && summary.every(({ held }) => held))
    return { verdict: 'verified', samples, checks: summary, words: `held for ${contract.holdSeconds} s` }
  if (now.getTime() < end) return { verdict: 'waiting' }
  // Only bad readings condemn: a hole in them is not evidence that it did not help.
  const broken = found.filter((entry) => entry.badAtLast && entry.samples >= contract.minSamples)
  if (broken.length > 0)
    return {
      verdict: 'failed',
      samples,
      checks: summary,
      words: broken.map(({ words, unit, last }) => `${words} did not hold (last: ${lastWords(last, unit)})`).join('; '),
    }
  return {
    verdict: 'undetermined',
    samples: Number.isFinite(samples) ? samples : 0,
    checks: summary,
    words:
      found
        .filter(({ held }) => !held)
        .map(({ words, samples: count }) => `${words}: ${count} samples (${contract.minSamples} without a break are needed)`)
        .join('; ') || 'nothing to check',
  }
}

function lastWords(last: string | null, unit: string | null): string {
  if (last === null) return 'nothing'
  return unit === null ? last : (readingWords(last, unit) ?? last)
}

/** Seconds without a reading that still count as "without a break", at the least. */
const SHORTEST_GAP_SECONDS = 3

/** Whether the newest readings form an unbroken run that is long and dense enough. A hole in the readings breaks it like a bad one. */
function heldFor(readings: readonly Reading[], { holdSeconds, minSamples }: SuccessContract): boolean {
  const longestGap = Math.max(SHORTEST_GAP_SECONDS, (2 * holdSeconds) / minSamples) * 1_000
  const breaks = ({ at, held }: Reading, index: number): boolean => {
    const next = readings[index + 1]
    return !held || (next !== undefined && next.at.getTime() - at.getTime() > longestGap)
  }
  const run = readings.slice(readings.findLastIndex(breaks) + 1)
  const first = run[0]
  const last = run.at(-1)
  if (!first || !last || run.length < minSamples) return false
  return last.at.getTime() - first.at.getTime() >= holdSeconds * 1_000
}

export function holds(bound: Pick<MetricBound, 'comparator' | 'threshold'>, value: number): boolean {
  return bound.comparator === '<=' ? value <= Number(bound.threshold) : value >= Number(bound.threshold)
}

/** What a check of this bound is called. */
export function checkOf(bound: MetricBound): Omit<CheckReadings, 'readings'> {
  return { check: boundName(bound), words: plainBoundWords(bound), unit: bound.unit }
}

export function stateName({ field, equals }: StateCheck): string {
  return `${field} = ${String(equals)}`
}
