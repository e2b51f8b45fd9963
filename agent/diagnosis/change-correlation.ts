import type { ChangesContent } from './evidence-content.ts'

export type KnownChange = ChangesContent['changes'][number]

/** A change that may have caused a trouble that began at a known moment. */
export interface Correlation {
  change: KnownChange
  /** 0–1: how much its kind and its moment speak for it. */
  strength: number
  /** Seconds from the change to the trouble; negative when the trouble was seen first, within what scraping may blur. */
  lagSeconds: number
}

/** The trouble may be seen this much before the change is written down: scrapes and clocks are that coarse. */
const BLUR_SECONDS = 10
/** Within this the moment speaks fully for the change. */
const AT_ONCE_SECONDS = 30
const FORGOTTEN_SECONDS = 1_200

/** How often a change of this kind breaks a service, relative to a release. */
const KIND_WEIGHT: Readonly<Record<KnownChange['kind'], number>> = {
  release: 1,
  config: 1,
  flag: 1,
  scale: 0.8,
  other: 0.5,
  rollback: 0.4,
  restart: 0.4,
}
/** Going back to what ran before is little suspect, whatever it is called. */
const RETURN_WEIGHT = 0.4

/** The changes of one service, the most suspect first; of those of one moment the one to what `running` names. Pure, whatever their order. */
export function correlateChanges(
  changes: readonly KnownChange[],
  service: string,
  began: Date,
  running: string | null = null,
): Correlation[] {
  const own = changes.filter((change) => change.service === service)
  return own
    .map((change) => {
      const lagSeconds = (began.getTime() - Date.parse(change.at)) / 1_000
      const weight = ranBefore(change, own) ? Math.min(RETURN_WEIGHT, KIND_WEIGHT[change.kind]) : KIND_WEIGHT[change.kind]
      return { change, lagSeconds, strength: weight * closeness(lagSeconds) }
    })
    .filter(({ strength }) => strength > 0)
    .sort(
      (a, b) =>
        b.strength - a.strength ||
        a.lagSeconds - b.lagSeconds ||
        Number(runs(b.change, running)) - Number(runs(a.change, running)) ||
        wordsOf(a.change).localeCompare(wordsOf(b.change)),
    )
}

function wordsOf({ kind, from, to, summary }: KnownChange): string {
  return JSON.stringify([kind, from, to, summary])
}

function runs({ to }: KnownChange, running: string | null): boolean {
  return to !== null && to === running
}

function ranBefore(change: KnownChange, changes: readonly KnownChange[]): boolean {
  return change.to !== null && changes.some((earlier) => earlier.from === change.to && Date.parse(earlier.at) < Date.parse(change.at))
}

/** 1 at once, three quarters at two minutes, half at five, a quarter at eleven: the longer it worked, the less it is to blame. */
function closeness(lagSeconds: number): number {
  if (lagSeconds < -BLUR_SECONDS || lagSeconds > FORGOTTEN_SECONDS) return 0
  if (lagSeconds <= AT_ONCE_SECONDS) return 1
  return Math.max(0.1, 1 - 0.25 * Math.log2(1 + (lagSeconds - AT_ONCE_SECONDS) / 90))
}
