import type { Span } from '../../integrations/ports/traces.ts'
import type { TracesContent } from '../diagnosis/evidence-content.ts'

type Opened = NonNullable<TracesContent['opened']>
type Line = Opened['lines'][number]

/** Spans that do the same below the same one, with what is below all of them. */
interface Group {
  line: Line
  spans: number
  parent: Group | null
}

const MAX_LINES = 24
/** Below this, calls are folded into nothing: a trace that deep is a loop of its services. */
const DEEPEST = 30

/**
 * A trace in at most 24 lines. Spans of one service and operation below the same span become one line with their number; then the lines that
 * failed and those that took the longest without waiting stay, each with all the lines above it. Pure.
 */
export function condenseTrace(id: string, spans: readonly Span[], omitted: number): Opened {
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
  // Two sides of a call may have one id: what is below belongs to the later of them, which did the work.
  const owners = new Map(sorted.map((span) => [span.id, span]))
  const below = Map.groupBy(sorted, ({ parent }) => (parent === null ? null : (owners.get(parent) ?? null)))
  const begin = sorted[0]?.startMs ?? 0
  const groups = grouped(below.get(null) ?? [], { below, begin, depth: 0, parent: null })
  const kept = keptOf(groups)
  const shown = groups.filter((group) => kept.has(group))
  const told = shown.reduce((sum, group) => sum + group.spans, 0)
  return { id, spans: spans.length + omitted, omitted: spans.length - told + omitted, lines: shown.map(({ line }) => line) }
}

interface Place {
  below: ReadonlyMap<Span | null, readonly Span[]>
  begin: number
  depth: number
  parent: Group | null
}

/** In the order in which a person reads them: a line, then what is below it. What calls itself in a circle is never reached. */
function grouped(siblings: readonly Span[], place: Place): Group[] {
  if (place.depth > DEEPEST) return []
  const alike = Map.groupBy(siblings, ({ service, operation }) => JSON.stringify([service, operation]))
  return [...alike.values()].flatMap((same) => {
    const children = same.flatMap((span) => place.below.get(span) ?? [])
    const group = { line: lineOf(same, place), spans: same.length, parent: place.parent }
    return [group, ...grouped(children, { ...place, depth: place.depth + 1, parent: group })]
  })
}

function lineOf(same: readonly Span[], { below, begin, depth }: Place): Line {
  const [first] = same
  if (!first) throw new Error('a line is of at least one span')
  const failures = same.flatMap(({ failure }) => failure ?? [])
  const own = same.reduce((sum, span) => sum + ownTime(span, below.get(span) ?? []), 0)
  return {
    ...{ depth, service: first.service, operation: first.operation, count: same.length },
    ...{ after: rounded(first.startMs - begin), ms: rounded(Math.max(...same.map(({ ms }) => ms))), ownMs: rounded(own) },
    ...{ failure: failures.find((words) => words !== '') ?? failures[0] ?? null, failed: failures.length },
  }
}

/** What is left of a span's time without the moments in which any of its children ran; `children` are in the order of their beginning. */
function ownTime({ startMs, ms }: Span, children: readonly Span[]): number {
  const end = startMs + ms
  let reached = startMs
  let waited = 0
  for (const child of children) {
    const [from, to] = [Math.max(child.startMs, reached), Math.min(child.startMs + child.ms, end)]
    if (to > from) waited += to - from
    reached = Math.max(reached, to)
  }
  return Math.max(0, ms - waited)
}

function keptOf(groups: readonly Group[]): Set<Group> {
  const byWeight = groups.toSorted((a, b) => Number(b.line.failed > 0) - Number(a.line.failed > 0) || b.line.ownMs - a.line.ownMs)
  const kept = new Set<Group>()
  for (const group of byWeight) {
    const path = pathOf(group).filter((each) => !kept.has(each))
    if (kept.size + path.length <= MAX_LINES) for (const each of path) kept.add(each)
  }
  return kept
}

function pathOf(group: Group): Group[] {
  const path: Group[] = []
  for (let each: Group | null = group; each !== null; each = each.parent) path.push(each)
  return path
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
