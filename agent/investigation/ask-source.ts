import { IntegrationError, type IntegrationFault } from '../../integrations/errors.ts'

/** What a source said, or in words why it said nothing; `fault` is null where the source did not declare one. */
export type Answer<T> = { ok: true; value: T } | { ok: false; status: 'failed' | 'denied'; fault: IntegrationFault | null; words: string }

export interface WarningLog {
  warn(object: object, message: string): void
}

/**
 * Asks a read-only source one question. Whatever goes wrong there (a fault, a refusal, no answer before the signal fires) is an answer in
 * words and never an exception: one broken source must not cost the diagnosis.
 */
export async function askSource<T>(
  question: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  log: WarningLog,
): Promise<Answer<T>> {
  try {
    return { ok: true, value: await Promise.race([question(signal), whenAborted(signal)]) }
  } catch (error) {
    if (signal.aborted) return { ok: false, status: 'failed', fault: 'timeout', words: 'no answer before the deadline' }
    if (!(error instanceof IntegrationError)) log.warn({ err: error }, 'a source failed in a way it does not declare')
    const fault = error instanceof IntegrationError ? error.code : null
    return { ok: false, status: isDenial(fault) ? 'denied' : 'failed', fault, words: wordsOf(error) }
  }
}

function isDenial(fault: IntegrationFault | null): boolean {
  return fault === 'auth' || fault === 'permission'
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300)
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
