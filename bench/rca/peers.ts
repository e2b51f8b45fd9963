import { median, quantile } from '../../agent/diagnosis/ranking/quantile.ts'
import type { RankingQuestion, Track } from '../../agent/diagnosis/ranking/tracks.ts'

/** Published rankings, written down again from their papers, on the same input: what the product's own is compared with. */
export const PEERS: Readonly<Record<string, (question: RankingQuestion) => string[]>> = {
  // Pham et al., FSE 2024: the largest robust z-score of each series; the start of the trouble is given, and memory is in whole megabytes.
  BARO: (question) => byLoudest({ ...question, tracks: question.tracks.map(inMegabytes) }, robustScore),
  // The same with mean and standard deviation, as Hardt et al., CLeaR 2024, compare it.
  'N-Sigma': (question) => byLoudest(question, sigmaScore),
  // Lin et al., ICSOC 2018, and others: from the symptom down to the deepest component whose callers' trouble goes on.
  traversal,
}

function inMegabytes(track: Track): Track {
  const isInBytes = track.kind === 'memory' && track.points.some(([, value]) => value > 1e6)
  return isInBytes ? { ...track, points: track.points.map(([at, value]) => [at, Math.floor(value / 1e6)]) } : track
}

type Score = (past: Float64Array, recent: readonly number[]) => number

function byLoudest(question: RankingQuestion, score: Score): string[] {
  return inOrder(scoresOf(question, score))
}

function scoresOf({ tracks, noticedAt }: RankingQuestion, score: Score): Map<string, number> {
  const scores = new Map<string, number>()
  for (const track of tracks.filter(({ kind }) => kind !== 'network')) {
    const value = scoreOf(track, noticedAt, score)
    scores.set(track.component, Math.max(scores.get(track.component) ?? Number.NEGATIVE_INFINITY, value))
  }
  return scores
}

function scoreOf({ points }: Track, noticedAt: number, score: Score): number {
  const past = Float64Array.from(points.filter(([at]) => at < noticedAt).map(([, value]) => value))
  const recent = points.filter(([at]) => at >= noticedAt).map(([, value]) => value)
  return past.length < 2 || recent.length === 0 ? 0 : score(past, recent)
}

function robustScore(past: Float64Array, recent: readonly number[]): number {
  const sorted = past.toSorted()
  const spread = quantile(sorted, 0.75) - quantile(sorted, 0.25)
  return Math.max(...recent.map((value) => (value - median(past)) / (spread === 0 ? 1 : spread)))
}

function sigmaScore(past: Float64Array, recent: readonly number[]): number {
  const mean = past.reduce((sum, value) => sum + value, 0) / past.length
  const deviation = Math.sqrt(past.reduce((sum, value) => sum + (value - mean) ** 2, 0) / past.length)
  return Math.max(...recent.map((value) => Math.abs(value - mean) / (deviation === 0 ? 1 : deviation)))
}

const ANOMALOUS = 3

/** Components that are anomalous and call nothing that is, reachable from the symptom over anomalous ones; then the rest, by their scores. */
function traversal(question: RankingQuestion): string[] {
  const scores = scoresOf(question, sigmaScore)
  const isAnomalous = (component: string): boolean => (scores.get(component) ?? 0) >= ANOMALOUS
  const calledBy = (component: string): string[] =>
    question.calls.filter(({ from, to }) => from === component && to !== from && isAnomalous(to)).map(({ to }) => to)
  const reached = new Set(question.symptom ? [question.symptom.component] : scores.keys())
  for (const component of reached) for (const to of calledBy(component)) reached.add(to)
  const roots = new Set([...reached].filter((component) => isAnomalous(component) && calledBy(component).length === 0))
  const order = inOrder(scores)
  return [...order.filter((component) => roots.has(component)), ...order.filter((component) => !roots.has(component))]
}

function inOrder(scores: ReadonlyMap<string, number>): string[] {
  return [...scores].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([component]) => component)
}
