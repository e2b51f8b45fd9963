import type { SpanState } from '../ports/cluster-state.ts'

/** A trace written as a tree: `├─ operation (service) - 12.5ms`, indented below its parent. */
const SPAN = /^([\s│]*)[├└]─+ (.+) \(([^)]+)\) - ([\d.]+)ms/

export function spansIn(text: string): SpanState[] {
  const spans: SpanState[] = []
  const open: { indent: number; span: SpanState }[] = []
  for (const line of text.split('\n')) {
    const [, before, operation = '', service = '', took] = SPAN.exec(line) ?? []
    if (before === undefined) continue
    const ms = Number(took)
    const span: SpanState = { service, operation, ms, ownMs: ms }
    while (open.length > 0 && (open.at(-1)?.indent ?? 0) >= before.length) open.pop()
    const parent = open.at(-1)?.span
    if (parent) parent.ownMs = Math.max(0, parent.ownMs - ms)
    open.push({ indent: before.length, span })
    spans.push(span)
  }
  return spans
}
