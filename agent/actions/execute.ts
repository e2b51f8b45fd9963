import { once } from 'node:events'
import { IntegrationError } from '../../integrations/errors.ts'
import type { EffectResult } from '../../integrations/ports/action.ts'
import type { Crashpoint } from '../crashpoint.ts'
import type { SealedPlan } from '../domain/plan.ts'
import { Refusal } from '../domain/refusal.ts'
import type { ControlStore, ExecutionKernel } from '../ports.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import type { EffectJournal } from './effect-journal.ts'
import { type Objection, objectionOfDryRun, objectionOfSymptom, objectionOfTarget, stepOf } from './recheck.ts'

export interface ExecuteDeps {
  kernel: ExecutionKernel
  control: Pick<ControlStore, 'stopped'>
  catalog: Catalog
  journal: EffectJournal
  /** The policy as it is now, on the stored plan: null when it still allows it. */
  objectionOfPolicy(plan: SealedPlan['plan']): Objection | null | Promise<Objection | null>
  /** Prolongs the lease; false when it is lost. */
  lease: { renew(epoch: number): Promise<boolean> }
  crashpoint: Crashpoint
  now: () => Date
  /** How long samples of the symptom are waited for when there are too few. */
  patienceMs?: number
  /** How long the call may go on. */
  effectTimeoutMs?: number
}

const READ_TIMEOUT_MS = 5_000
/** The window of the symptom fills again within it, and a process that is told to end is not kept too long. */
const PATIENCE_MS = 6_000
/** No call goes on for longer, so that a standby knows when nobody can be at it any more. */
export const EFFECT_TIMEOUT_MS = 30_000

/**
 * Carries out one claimed execution, up to its outcome: re-check, intent, dry run, sent (committed first), journal, effect. Whatever objects
 * before `sent` ends it as aborted, with nothing done. Returns the state it reached; verification is a step of its own.
 */
export async function execute(
  deps: ExecuteDeps,
  execution: { executionId: string; plan: SealedPlan },
  epoch: number,
): Promise<'aborted' | 'succeeded' | 'failed' | 'unknown'> {
  const { kernel, crashpoint } = deps
  const { executionId, plan } = execution
  crashpoint('C9')
  const entry = deps.catalog.find(plan.plan.action.kind, plan.plan.action.version)
  const objection = entry
    ? await firstObjection(deps, entry, execution)
    : { code: 'unknown-action' as const, words: `${plan.plan.action.kind} is not in the catalogue any more` }
  if (!entry || objection) return await abort(kernel, executionId, epoch, objection ?? { code: 'unknown-action', words: '' })

  const refused = await refusedStep(async () => await kernel.advance(executionId, 'intent', epoch, {}))
  if (refused) return await abort(kernel, executionId, epoch, refused)
  crashpoint('C10')
  const dryRun = await objectionOfDryRun(entry, plan.plan, AbortSignal.timeout(READ_TIMEOUT_MS))
  if (dryRun) return await abort(kernel, executionId, epoch, dryRun)

  const stoppedNow = await refusedStep(async () => await kernel.advance(executionId, 'sent', epoch, {}))
  if (stoppedNow) return await abort(kernel, executionId, epoch, stoppedNow)
  crashpoint('C11')
  return await makeEffect(deps, entry, execution, epoch)
}

async function firstObjection(
  deps: ExecuteDeps,
  entry: CatalogEntry,
  { executionId, plan }: { executionId: string; plan: SealedPlan },
): Promise<Objection | null> {
  const policy = await deps.objectionOfPolicy(plan.plan)
  if (policy) return policy
  const refusal = await deps.kernel.refusalToAct(executionId)
  if (refusal) return { code: refusal.code, words: new Refusal(refusal.code, refusal.detail).message }
  try {
    const { now, patienceMs = PATIENCE_MS } = deps
    const [target, symptom] = await Promise.all([
      objectionOfTarget(entry, plan.plan, AbortSignal.timeout(READ_TIMEOUT_MS)),
      objectionOfSymptom(entry, plan.plan, { now, patienceMs, signal: AbortSignal.timeout(patienceMs + READ_TIMEOUT_MS) }),
    ])
    return target ?? symptom
  } catch (error) {
    if (!(error instanceof IntegrationError) && !isTimeout(error)) throw error
    return { code: 'stale-target', words: `the target could not be read: ${error instanceof Error ? error.message : ''}` }
  }
}

/** After `sent` is committed: the journal line, then the call. Without the line there is no call. */
async function makeEffect(
  deps: ExecuteDeps,
  entry: CatalogEntry,
  execution: { executionId: string; plan: SealedPlan },
  epoch: number,
): Promise<'succeeded' | 'failed' | 'unknown'> {
  const { kernel, crashpoint } = deps
  const { executionId, plan } = execution
  const uncalled = await writeJournal(deps, execution)
  if (uncalled) {
    await kernel.advance(executionId, 'failed', epoch, { called: false, ...uncalled })
    return 'failed'
  }
  crashpoint('C12')
  // Who slept since `sent` may have been taken over, and the execution told as not applied: without the lease there is no call.
  if (!(await deps.lease.renew(epoch))) throw new Refusal('fenced')
  // Read last: whoever stops everything waits for the answer of calls that were past this line.
  const stop = await stopOf(deps, plan)
  if (stop) {
    await kernel.advance(executionId, 'failed', epoch, { called: false, ...stop })
    return 'failed'
  }
  const effect = await callEffect(deps, entry, { executionId, plan })
  crashpoint('C16')
  if (effect.result === 'applied') {
    await kernel.advance(executionId, 'succeeded', epoch, {})
    crashpoint('C17')
    return 'succeeded'
  }
  const state = effect.result === 'refused' ? 'failed' : 'unknown'
  await kernel.advance(executionId, state, epoch, {
    called: true,
    ...(effect.result === 'refused' ? { reason: effect.reason } : {}),
    words: effect.words.slice(0, 1_000),
  })
  return state
}

/** Null once the line is on disk; else why there will be no call. */
async function writeJournal(
  deps: ExecuteDeps,
  { executionId, plan }: { executionId: string; plan: SealedPlan },
): Promise<{ reason: string; words: string } | null> {
  try {
    await deps.journal.append({
      executionId,
      planId: plan.plan.id,
      digest: plan.digest,
      resource: plan.plan.resource,
      at: deps.now().toISOString(),
    })
  } catch (error) {
    return {
      reason: 'journal',
      words: `the effect journal could not be written (${error instanceof Error ? error.message : 'unknown'}), so the call was not made`,
    }
  }
  return null
}

async function stopOf({ control }: ExecuteDeps, { plan }: SealedPlan): Promise<{ reason: string; words: string } | null> {
  const scopes = ['*', `env:${plan.target.environment}`, `kind:${plan.action.kind}`]
  const stop = (await control.stopped()).find(({ scope }) => scopes.includes(scope))
  return stop ? { reason: 'kill-switch', words: `stopped by ${stop.by} before the call was made` } : null
}

async function callEffect(
  deps: ExecuteDeps,
  entry: CatalogEntry,
  { executionId, plan }: { executionId: string; plan: SealedPlan },
): Promise<EffectResult> {
  try {
    const timeout = AbortSignal.timeout(deps.effectTimeoutMs ?? EFFECT_TIMEOUT_MS)
    const pending = entry.action.effect(stepOf(plan.plan), executionId, timeout)
    deps.crashpoint('C13')
    const result = await Promise.race([pending, lateAnswer(timeout)])
    deps.crashpoint('C14')
    return result
  } catch (error) {
    // The call was made and no answer came back: only the probe may say what happened.
    if (error instanceof IntegrationError && (error.code === 'permission' || error.code === 'auth')) {
      return { result: 'refused', reason: 'permission-missing', words: error.message }
    }
    return { result: 'unknown', words: error instanceof Error ? error.message : String(error) }
  }
}

/** An integration that does not heed its signal is not waited for either: from here on only the probe may say what happened. */
async function lateAnswer(timeout: AbortSignal): Promise<EffectResult> {
  if (!timeout.aborted) await once(timeout, 'abort')
  return { result: 'unknown', words: 'the target did not answer in time' }
}

async function abort(kernel: ExecutionKernel, executionId: string, epoch: number, { code, words }: Objection): Promise<'aborted'> {
  await kernel.advance(executionId, 'aborted', epoch, { reason: code, words: words.slice(0, 1_000) })
  return 'aborted'
}

/** The kernel's own refusal of a step as an objection; a fenced executor has no say any more, so that goes up. */
async function refusedStep(step: () => Promise<void>): Promise<Objection | null> {
  try {
    await step()
    return null
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'fenced') return { code: error.code, words: error.message }
    throw error
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
}
