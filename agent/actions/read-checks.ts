import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'
import type { MetricBound, Plan, StateCheck, Target } from '../domain/plan.ts'
import type { CatalogEntry } from './catalog.ts'
import { type CheckReadings, checkOf, holds, type Reading, stateName } from './verify.ts'

/** Reads what a plan's contract asks for, again and again: metrics afresh from their source, state remembered from look to look. */
export interface CheckReader {
  /** When the window of the contract began. */
  from: Date
  read(signal: AbortSignal): Promise<CheckReadings[]>
}

export function createCheckReader(entry: CatalogEntry, plan: Plan, effectAt: Date, now: () => Date): CheckReader {
  const remembered = new Map<StateCheck, Reading[]>(plan.success.state.map((check) => [check, []]))
  return {
    from: effectAt,
    async read(signal) {
      const [metrics] = await Promise.all([
        Promise.all(
          plan.success.metrics.map(async (bound) => ({
            ...checkOf(bound),
            readings: await readMetric(entry, plan.target, bound, { from: effectAt, to: now() }, signal),
          })),
        ),
        lookAtState(entry, plan, remembered, now, signal),
      ])
      const state = [...remembered].map(([check, readings]) => {
        const name = stateName(check)
        return { check: name, words: name, unit: null, readings: [...readings] }
      })
      return [...metrics, ...state]
    },
  }
}

/**
 * Readings of one bound in a window, as dense as the source has samples. A source that cannot answer gives none: no sample is never a good sample.
 */
export async function readMetric(
  { provider: { metrics } }: CatalogEntry,
  { environment }: Pick<Target, 'environment'>,
  bound: MetricBound,
  { from, to }: { from: Date; to: Date },
  signal: AbortSignal,
): Promise<Reading[]> {
  if (!metrics || !isMetric(bound.metric)) return []
  const { points } = await metrics.read({ service: bound.service, environment, metric: bound.metric, from, to, stepSeconds: 1, signal })
  return points.map(({ at, value }) => ({ at, held: holds(bound, value), value: String(Math.round(value * 10_000) / 10_000) }))
}

function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}

async function lookAtState(
  entry: CatalogEntry,
  plan: Plan,
  remembered: Map<StateCheck, Reading[]>,
  now: () => Date,
  signal: AbortSignal,
): Promise<void> {
  if (remembered.size === 0) return
  const fields = [...remembered.keys()].map(({ field }) => field)
  const state = await entry.action.readState(plan.target, fields, signal)
  const at = now()
  for (const [check, readings] of remembered) {
    if (!(check.field in state)) continue
    const value = state[check.field] ?? null
    readings.push({ at, held: value === check.equals, value: String(value) })
  }
}
