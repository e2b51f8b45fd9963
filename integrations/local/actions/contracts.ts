import type { MetricBound, SuccessContract } from '../../../agent/domain/plan.ts'

/** A rollout takes about a second; from then on five seconds without a break have to be good. The shop's traffic gives a sample each second. */
const TIMES = { settleSeconds: 2, holdSeconds: 5, withinSeconds: 20, minSamples: 4 }

const healthy = (service: string): MetricBound[] => [
  { service, metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' },
  { service, metric: 'latency_p99', comparator: '<=', threshold: '1', unit: 's' },
]

/** The service answers again: few errors, no slow requests, and what should run runs. */
export function healthyContract(service: string, state: SuccessContract['state'], more: readonly MetricBound[] = []): SuccessContract {
  return { metrics: [...healthy(service), ...more], state, ...TIMES, weaker: null }
}

/** For the way back: what was captured is there again. Whether that mends anything is not asked, since it did not before either. */
export function restoredContract(state: SuccessContract['state']): SuccessContract {
  return {
    metrics: [],
    state,
    settleSeconds: 0,
    holdSeconds: 1,
    withinSeconds: 20,
    minSamples: 1,
    weaker: 'An undo puts back what was there before: only the state of the service is checked.',
  }
}
