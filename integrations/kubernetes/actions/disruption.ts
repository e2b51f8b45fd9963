import type { Budget } from '../objects.ts'
import { fits, type NamedWorkload } from '../services.ts'
import { type ActionPlace, presentIn } from './workload-target.ts'

const QUESTION = { kind: 'poddisruptionbudgets', words: 'a disruption budget needs its pods' } as const

/**
 * The most that a disruption budget over these pods would ask to be healthy if there were so many of them: what it asks for now grows with the
 * pods there are, and would keep what was scaled up from going back.
 *
 * @throws IntegrationError when the budgets are not known
 */
export async function healthyNeeded(
  place: ActionPlace,
  { namespace, object }: NamedWorkload,
  replicas: number,
  signal?: AbortSignal,
): Promise<number> {
  const all = await presentIn(place, QUESTION, namespace, signal)
  const labels = object.spec.template.metadata?.labels ?? {}
  const budgets = all.filter(({ spec }) => fits(labels, spec.selector))
  return Math.max(0, ...budgets.map(({ spec }) => neededOf(spec, replicas)))
}

/** As the disruption controller counts. */
function neededOf({ minAvailable, maxUnavailable }: Budget['spec'], replicas: number): number {
  if (maxUnavailable !== null && maxUnavailable !== undefined) return replicas - amountOf(maxUnavailable, replicas)
  return minAvailable === null || minAvailable === undefined ? 0 : amountOf(minAvailable, replicas)
}

/** A number of pods, or a share of them such as '50%', rounded up. */
function amountOf(given: number | string, replicas: number): number {
  const percent = /^(\d+)%$/.exec(String(given))?.[1]
  return percent === undefined ? Number(given) : Math.ceil((Number(percent) * replicas) / 100)
}
