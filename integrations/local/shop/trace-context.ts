import { randomBytes } from 'node:crypto'

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The trace a request belongs to: the caller's, or a new one when there is none to read. https://www.w3.org/TR/trace-context/ */
export function traceIdOf(traceparent: string): string {
  return TRACEPARENT.exec(traceparent)?.[1] ?? randomBytes(TRACE_ID_BYTES).toString('hex')
}

/** The header to pass on, with a span of its own. */
export function traceparentFor(traceId: string): string {
  return `00-${traceId}-${randomBytes(SPAN_ID_BYTES).toString('hex')}-01`
}
