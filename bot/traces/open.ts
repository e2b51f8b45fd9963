import { NO_TRACE, type Trace } from '../../agent/trace.ts'
import type { TraceSettings } from './settings.ts'

export interface OpenTrace {
  trace: Trace
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>
}

/** Loads what tells a collector only where one is named. */
export async function openTrace(settings: TraceSettings | null, about: { version: string; role: string }): Promise<OpenTrace> {
  if (settings === null) return { trace: NO_TRACE, close: async () => {} }
  const { openOtlpTrace } = await import('./otlp.ts')
  return openOtlpTrace(settings, about)
}
