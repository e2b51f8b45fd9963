/** Slack's tiers, in calls a minute for each method (https://docs.slack.dev/apis/web-api/rate-limits). */
export const TIERS = { tier1: 1, tier2: 20, tier3: 50, tier4: 100, special: 600, posting: Number.POSITIVE_INFINITY } as const
export type Tier = keyof typeof TIERS

const MINUTE_MS = 60_000
/** "About one message a second for each channel", with short bursts let through. */
const POSTS = { perMinute: 60, burst: 5 }

export interface RateLimits {
  on: boolean
  /** @returns null when the call may be made, else after how many seconds */
  readonly take: (call: { method: string; tier: Tier; channel: string | null }) => number | null
}

export function createRateLimits(now: () => Date, on: boolean): RateLimits {
  const buckets = new Map<string, { left: number; at: number }>()
  const takeFrom = (key: string, perMinute: number, burst: number): number | null => {
    const at = now().getTime()
    const known = buckets.get(key) ?? { left: burst, at }
    const left = Math.min(burst, known.left + ((at - known.at) * perMinute) / MINUTE_MS)
    buckets.set(key, { left: left >= 1 ? left - 1 : left, at })
    return left >= 1 ? null : Math.max(1, Math.ceil(((1 - left) * MINUTE_MS) / perMinute / 1_000))
  }
  const limits: RateLimits = {
    on,
    take: ({ method, tier, channel }) => {
      if (!limits.on) return null
      if (tier === 'posting') return takeFrom(`${method} ${channel}`, POSTS.perMinute, POSTS.burst)
      // A tier is a rate over a minute: that many may come at once after a quiet one.
      return takeFrom(method, TIERS[tier], TIERS[tier])
    },
  }
  return limits
}
