const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 5_000
/** A process that lived this long is no part of a series of crashes any more. */
const FORGET_AFTER_MS = 60_000
/** What counts as a recent restart; longer than a series of crashes ever pauses. */
export const RECENT_SECONDS = 10

/** How long to leave a crashing service alone before its next start: a quarter of a second, doubled with each crash of the last minute, 5 s at most. */
export interface RestartBackoff {
  noteCrash(atMs: number): void
  /** Milliseconds until the next start is due; 0 when it is due now. */
  delayMs(atMs: number): number
  reset(): void
}

export function createRestartBackoff(): RestartBackoff {
  let crashes: number[] = []
  return {
    noteCrash(atMs) {
      crashes = [...crashes.filter((crash) => atMs - crash < FORGET_AFTER_MS), atMs]
    },
    delayMs(atMs) {
      const last = crashes.at(-1)
      if (last === undefined) return 0
      const pause = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (crashes.length - 1))
      return Math.max(0, last + pause - atMs)
    },
    reset() {
      crashes = []
    },
  }
}
