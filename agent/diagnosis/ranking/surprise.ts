import { median, quantile, sortedOf } from './quantile.ts'
import type { MeasureKind, RankingQuestion, Track } from './tracks.ts'

/** How far one series left what is usual for it. */
export interface Surprise {
  track: Track
  /** 0 and more: the lasting departure in units of the usual spread, over what the series did in its own past. */
  size: number
  /** Median before the trouble. */
  usual: number
  /** How far it rose and stayed, in its own unit; 0 when it did not. */
  rise: number
  /** Whether the departure that counts is upwards. */
  isUp: boolean
  /** Seconds since 1970 of the first sample that was out of the usual for good; null when it was not. */
  since: number | null
}

/** An alert comes late: what lies this close before it is searched for the beginning, and not taken for usual. Seconds, and one step at least. */
const LATE_SECONDS = 90
/** A departure has to last this long, or two samples, to count: chance makes single samples. Nobody waits for that when it was noticed just now. */
const LASTING_SECONDS = 60
const SHORTEST_LASTING_SECONDS = 10
const MAX_LASTING_SAMPLES = 30
/** Of a long past so many stretches, evenly spread, tell what is ordinary. */
const MAX_STRETCHES = 300
/** The spread is never taken for smaller than these shares of the usual value, and of what is usual among its peers. */
const OWN_FLOOR = 0.1
const PEER_FLOOR = 0.05
/** Half a per cent of failing requests is nobody's trouble yet. */
const ERROR_FLOOR = 0.005
/** Its ordinary ups and downs: what four of five stretches of its past stayed below. The rest of the past may hold other incidents. */
const PAST_SHARE = 0.8
/** A fall counts less than a rise: what stops being used falls, and what is restarted too. */
const FALL_WEIGHT = 0.3
/** With few samples of the past, little is known to be usual. */
const FEW_SAMPLES = 3
/** From here on, in units of the spread, a sample is out of the usual. */
const OUT_OF_USUAL = 3
/** Between the quartiles of a normal distribution lie this many standard deviations. */
const QUARTILES_PER_DEVIATION = 1.349

/** Every series that has samples before and after, measured against its own past and its peers. Pure. */
export function measureSurprise(question: RankingQuestion): Surprise[] {
  const step = commonStep(question.tracks)
  const searchedFrom = question.noticedAt - Math.max(LATE_SECONDS, step)
  const lasting = Math.min(MAX_LASTING_SAMPLES, Math.max(2, Math.round(lastingSeconds(question) / step)))
  const parts = question.tracks.flatMap((track) => divide(track, searchedFrom))
  const peers = peerLevels(parts)
  return parts.map((part) => measure(part, peers.get(part.track.metric) ?? 0, lasting))
}

/** What was watched since the notice, within bounds: a trouble of half a minute cannot have lasted a whole one. */
function lastingSeconds({ tracks, noticedAt }: RankingQuestion): number {
  const watched = tracks.reduce((last, { points }) => Math.max(last, points.at(-1)?.[0] ?? 0), 0) - noticedAt
  return Math.min(LASTING_SECONDS, Math.max(SHORTEST_LASTING_SECONDS, watched))
}

interface Divided {
  track: Track
  past: Float64Array
  /** Of the past. */
  usual: number
  deviation: number
  recent: readonly (readonly [number, number])[]
}

function divide(track: Track, searchedFrom: number): Divided[] {
  const cut = track.points.findIndex(([at]) => at >= searchedFrom)
  if (cut <= 0) return []
  const past = Float64Array.from(track.points.slice(0, cut), ([, value]) => value)
  const sorted = past.toSorted()
  const deviation = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / QUARTILES_PER_DEVIATION
  return [{ track, past, usual: quantile(sorted, 0.5), deviation, recent: track.points.slice(cut) }]
}

/** The median distance of samples, over all series. */
function commonStep(tracks: readonly Track[]): number {
  const steps = tracks.flatMap(({ points }) => {
    const [previous, last] = points.slice(-2)
    return previous && last ? [last[0] - previous[0]] : []
  })
  return steps.length === 0 ? 1 : Math.max(1, median(steps))
}

/** What is usual for a measure among the components that have it. */
function peerLevels(parts: readonly Divided[]): Map<string, number> {
  const groups = Map.groupBy(parts, ({ track }) => track.metric)
  return new Map([...groups].map(([metric, group]) => [metric, median(group.map(({ usual }) => Math.abs(usual)))]))
}

function measure({ track, past, usual, deviation, recent }: Divided, peerLevel: number, lasting: number): Surprise {
  const spread = Math.max(
    deviation,
    OWN_FLOOR * Math.abs(usual),
    PEER_FLOOR * peerLevel,
    track.floor ?? floorOf(track.kind),
    Number.MIN_VALUE,
  )
  const inSpreads = (value: number): number => (value - usual) / spread
  const now = stretches(
    Float64Array.from(recent, ([, value]) => inSpreads(value)),
    lasting,
  )
  // A past shorter than a few stretches says nothing about how often it departs.
  const then = past.length >= 3 * lasting ? stretches(past.map(inSpreads), lasting) : { highs: [], lows: [] }
  const rise = Math.max(0, ...now.highs)
  const fall = Math.max(0, ...now.lows.map((low) => -low))
  const up = rise / (1 + ordinary(then.highs))
  const down = (FALL_WEIGHT * fall) / (1 + ordinary(then.lows.map((low) => -low)))
  const isUp = up >= down
  const first = recent.findIndex((_, i) => isOut(recent.slice(i, i + 2), (value) => (isUp ? inSpreads(value) : -inSpreads(value))))
  return {
    track,
    size: (Math.max(up, down) * past.length) / (past.length + FEW_SAMPLES),
    usual,
    rise: rise * spread,
    isUp,
    since: recent[first]?.[0] ?? null,
  }
}

function floorOf(kind: MeasureKind): number {
  return kind === 'errors' ? ERROR_FLOOR : 0
}

function ordinary(departures: readonly number[]): number {
  return departures.length === 0 ? 0 : Math.max(0, quantile(sortedOf(departures), PAST_SHARE))
}

function isOut(samples: readonly (readonly [number, number])[], inSpreads: (value: number) => number): boolean {
  return samples.length > 0 && samples.every(([, value]) => inSpreads(value) >= OUT_OF_USUAL)
}

/** The median of each stretch, of an even number the one that departs less: for rises the lower, for falls the upper. */
function stretches(values: Float64Array, lasting: number): { highs: number[]; lows: number[] } {
  const size = Math.min(lasting, values.length)
  const stride = Math.max(1, Math.floor(lasting / 5), Math.floor(values.length / MAX_STRETCHES))
  const highs: number[] = []
  const lows: number[] = []
  for (let i = 0; size > 0 && i + size <= values.length; i += stride) {
    const sorted = values.slice(i, i + size).sort()
    highs.push(sorted[Math.floor((size - 1) / 2)] ?? 0)
    lows.push(sorted[Math.ceil((size - 1) / 2)] ?? 0)
  }
  return { highs, lows }
}
