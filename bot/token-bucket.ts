/** Lets through `perSecond` on average and `burst` at once. */
export interface TokenBucket {
  /** 0 when one was let through; else the whole seconds to wait, at least 1. */
  take(): number
}

export function createTokenBucket({ perSecond, burst, now }: { perSecond: number; burst: number; now: () => Date }): TokenBucket {
  let tokens = burst
  let at = now().getTime()
  return {
    take() {
      const moment = now().getTime()
      // A clock that was set back must not take tokens away.
      tokens = Math.min(burst, tokens + (Math.max(0, moment - at) / 1_000) * perSecond)
      at = moment
      if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) / perSecond))
      tokens -= 1
      return 0
    },
  }
}
