import type { Edge } from '../../topology/dependency-graph.ts'
import type { Surprise } from './surprise.ts'

/**
 * How much of a component's slowness or failing is its own: 1 when nothing it calls became slow or failing, 0 when one of those it calls rose
 * by as much. What is called for only a part of the requests explains only that part. Everything else is a component's own affair.
 */
export function createOwnShare(surprises: readonly Surprise[], calls: readonly Edge[]): (surprise: Surprise) => number {
  const rises = new Map(surprises.map((each) => [keyOf(each.track.component, each.track.metric), each.rise]))
  const rates = new Map(surprises.filter(({ track }) => track.kind === 'traffic').map((each) => [each.track.component, each.usual]))
  const between = new Map(
    surprises
      .filter(({ track }) => track.kind === 'network')
      .map(({ track, rise }) => [keyOf(track.caller ?? '', track.component), rise] as const),
  )
  const called = Map.groupBy(
    calls.filter(({ from, to }) => from !== to),
    ({ from }) => from,
  )
  return ({ track, rise }) => {
    if (track.kind !== 'latency' && track.kind !== 'errors') return 1
    if (rise <= 0) return 1
    const explained = (called.get(track.component) ?? []).map(({ to }) => {
      const onTheWay = track.kind === 'latency' ? (between.get(keyOf(track.component, to)) ?? 0) : 0
      return ((rises.get(keyOf(to, track.metric)) ?? 0) + onTheWay) * shareOfCalls(rates, track.component, to)
    })
    return Math.max(0, 1 - Math.max(0, ...explained) / rise)
  }
}

/** Of one component's requests, how many reach the other, at most all; all when the rates are not known. */
function shareOfCalls(rates: ReadonlyMap<string, number>, from: string, to: string): number {
  const [own, theirs] = [rates.get(from), rates.get(to)]
  return own === undefined || theirs === undefined || own <= 0 ? 1 : Math.min(1, theirs / own)
}

function keyOf(a: string, b: string): string {
  return `${a}\0${b}`
}
