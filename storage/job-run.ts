/** What a handler is told beside its payload. */
export interface JobContext {
  /** Aborted at the time limit, when the claim is lost, or at a shutdown that waited long enough: stop soon. */
  signal: AbortSignal
  /** 1 for the first. */
  attempt: number
  jobId: number
}

/** Does one job. It may run again after a crash, so it has to bear that. A throw means: try again later. */
export type JobHandler = (payload: Record<string, unknown>, context: JobContext) => Promise<void>

/** Does several jobs of one kind at once. When it throws, each of them is tried by itself, so that none fails for another's sake. */
export type GroupHandler = (payloads: readonly Record<string, unknown>[], signal: AbortSignal) => Promise<void>

/** Thrown by a handler when no further attempt can help; the job is a dead letter at once. */
export class HopelessJob extends Error {
  override readonly name = 'HopelessJob'
  readonly code = 'hopeless-job'
}

/** Why a job was aborted. */
export class JobAborted extends Error {
  override readonly name = 'JobAborted'
  readonly code: 'timeout' | 'claim-lost' | 'shutdown'
  constructor(code: 'timeout' | 'claim-lost' | 'shutdown', message: string) {
    super(message)
    this.code = code
  }
}

export type JobOutcome = { ok: true } | { ok: false; error: unknown }

/** How long a handler may take to notice its signal, in milliseconds. */
const ABORT_GRACE_MS = 5_000

/**
 * Runs a handler until it ends, or until it has been aborted for five seconds: then it is taken for failed although it may still be at work.
 */
export async function runHandler(run: () => Promise<void>, controller: AbortController, timeoutMs: number): Promise<JobOutcome> {
  const deadline = setTimeout(() => controller.abort(new JobAborted('timeout', `not done within ${timeoutMs} ms`)), timeoutMs)
  const abandoned = Promise.withResolvers<JobOutcome>()
  let grace: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    grace = setTimeout(() => abandoned.resolve({ ok: false, error: controller.signal.reason }), ABORT_GRACE_MS)
  }
  controller.signal.addEventListener('abort', onAbort, { once: true })
  const outcome = await Promise.race([settle(run, controller.signal), abandoned.promise])
  clearTimeout(deadline)
  clearTimeout(grace)
  controller.signal.removeEventListener('abort', onAbort)
  return outcome
}

/** A handler that fails after its abort failed because of it. */
async function settle(run: () => Promise<void>, signal: AbortSignal): Promise<JobOutcome> {
  try {
    await run()
    return { ok: true }
  } catch (error) {
    return { ok: false, error: signal.aborted ? signal.reason : error }
  }
}
