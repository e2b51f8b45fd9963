import type { SealedPlan } from '../domain/plan.ts'
import type { ExecutionKernel } from '../ports.ts'
import type { Catalog } from './catalog.ts'
import { EFFECT_TIMEOUT_MS } from './execute.ts'
import { stepOf } from './recheck.ts'

export interface Unfinished {
  executionId: string
  state: 'claimed' | 'intent' | 'sent' | 'unknown' | 'succeeded'
  plan: SealedPlan
  /** Milliseconds since it was sent; null before that. */
  sentAgoMs: number | null
  /** The epoch that sent it; null before that. */
  sentEpoch: number | null
  /** Milliseconds in its state. */
  inStateMs: number
}

const PROBE_TIMEOUT_MS = 5_000

/**
 * Settles one execution that nobody is carrying out: before `sent` it is aborted, after it the target is asked what happened. It is never sent
 * again. Returns whether it needs another look later.
 */
export async function settle(
  deps: { kernel: ExecutionKernel; catalog: Catalog },
  found: Unfinished,
  epoch: number,
): Promise<'settled' | 'look-again'> {
  const { kernel } = deps
  const { executionId, state } = found
  if (state === 'succeeded') return 'settled'
  if (state === 'claimed' || state === 'intent') {
    await kernel.advance(executionId, 'aborted', epoch, {
      reason: 'restarted',
      words: 'the executor was interrupted before anything was sent',
    })
    return 'settled'
  }
  const answer = await probe(deps, found)
  if (answer === 'applied') {
    await kernel.advance(executionId, 'succeeded', epoch, { recovered: true })
    return 'settled'
  }
  if (answer === 'not-applied' && state === 'unknown' && horizonPassed(deps, found, epoch)) {
    await kernel.advance(executionId, 'failed', epoch, {
      recovered: true,
      words: 'the target does not show the effect: it was not applied',
    })
    return 'settled'
  }
  if (state === 'sent')
    await kernel.advance(executionId, 'unknown', epoch, { words: 'no answer came back; watching the target for the effect' })
  return 'look-again'
}

async function probe({ catalog }: { catalog: Catalog }, { executionId, plan }: Unfinished): Promise<'applied' | 'not-applied' | 'unknown'> {
  const entry = catalog.find(plan.plan.action.kind, plan.plan.action.version)
  if (!entry) return 'unknown'
  try {
    return await entry.action.probe(stepOf(plan.plan), executionId, AbortSignal.timeout(PROBE_TIMEOUT_MS))
  } catch {
    // A target that cannot be asked has not said no; it is asked again at the next look.
    return 'unknown'
  }
}

/**
 * "Not applied" is believed only once a slow provider could not apply it any more: counted from the moment at which nobody waited for an answer
 * any longer, and after another epoch's `sent` from the end of a call that its process, if it only slept, may still be making.
 */
function horizonPassed({ catalog }: { catalog: Catalog }, found: Unfinished, epoch: number): boolean {
  const { plan, inStateMs, sentEpoch } = found
  const horizon =
    catalog.find(plan.plan.action.kind, plan.plan.action.version)?.action.definition.probeHorizonSeconds ?? Number.POSITIVE_INFINITY
  const stillCalling = sentEpoch === epoch ? 0 : EFFECT_TIMEOUT_MS
  return inStateMs >= horizon * 1_000 + stillCalling
}
