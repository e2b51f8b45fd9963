import type { Watched } from '../detection/watch-turn.ts'
import type { Log } from '../log.ts'

export interface PulseDeps {
  everySeconds: number
  /** Calls the address once. Its errors never hold the address, which is a secret. */
  send(signal: AbortSignal): Promise<void>
  /** Whether approved actions would run now. */
  acts(): Promise<boolean>
  now: () => Date
  log: Log
}

const SOONEST_AGAIN_MS = 30_000

/**
 * Tells somebody outside that this installation is well, for as long as it is: stored, proven, and in the mode in which it would act. Who no longer
 * hears it pages; a failure here needs no words of its own but a line in the log.
 */
export function createPulse({ everySeconds, send, acts, now, log }: PulseDeps): Watched {
  let nextAt = 0
  return {
    isNeeded: () => true,
    async round(signal) {
      if (now().getTime() < nextAt || !(await acts()) || signal.aborted) return
      const again = (milliseconds: number): void => {
        nextAt = now().getTime() + milliseconds
      }
      try {
        await send(signal)
        again(everySeconds * 1_000)
      } catch (error) {
        if (signal.aborted) return
        again(Math.min(everySeconds * 1_000, SOONEST_AGAIN_MS))
        log.warn({ error: error instanceof Error ? error.message : String(error) }, 'the heartbeat could not be sent')
      }
    },
  }
}
