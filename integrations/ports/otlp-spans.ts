import { z } from 'zod'
import type { Span, TraceSummary } from './traces.ts'

const MAX_SPANS = 10_000
const MAX_NAME = 200
const MAX_FAILURE = 300
const NANOSECONDS_A_MICROSECOND = 1_000n
export const UNNAMED = 'unknown_service'

const attributesSchema = z
  .array(
    z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional(), boolValue: z.boolean().optional() }).catch({}) }),
  )
  .max(1_000)
  .catch([])
type Attributes = z.infer<typeof attributesSchema>

const nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.int().min(0).transform(String)])
const spanSchema = z.object({
  traceId: z.string().max(100),
  spanId: z.string().max(100),
  parentSpanId: z.string().max(100).nullish(),
  name: z.string().default(''),
  kind: z.union([z.number(), z.string()]).optional().catch(undefined),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  // Zero is left out in protobuf's JSON; a code is written as its number or its name.
  status: z.object({ code: z.union([z.number(), z.string()]).optional(), message: z.string().optional() }).nullish(),
  attributes: attributesSchema.optional(),
  events: z
    .array(z.object({ attributes: attributesSchema.optional() }).catch({}))
    .max(1_000)
    .catch([])
    .optional(),
})

/** A kind is written as its number or its name. */
const MESSAGES = new Map<number | string | undefined, Span['message']>([
  [4, 'sent'],
  ['SPAN_KIND_PRODUCER', 'sent'],
  [5, 'taken'],
  ['SPAN_KIND_CONSUMER', 'taken'],
])

/** Spans in the JSON of OTLP, as much of it as is read here; what is in a list and no span is left for `readSpans` to count. */
export const tracesDataSchema = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: attributesSchema.optional() }).nullish(),
        scopeSpans: z
          .array(z.object({ spans: z.array(z.unknown()).optional() }))
          .optional()
          .nullable(),
      }),
    )
    .nullish(),
})

/** The spans of such an answer, at most 10,000; `omitted` are those that are broken or beyond. Of resources that are not wanted there are none. */
export function readSpans(
  data: z.infer<typeof tracesDataSchema>,
  isWanted: (attribute: (name: string) => string | null) => boolean = () => true,
): { spans: Span[]; omitted: number } {
  const spans: Span[] = []
  let omitted = 0
  for (const { resource, scopeSpans } of data.resourceSpans ?? []) {
    if (!isWanted((name) => textOf(resource?.attributes, name))) continue
    const service = nameOf(textOf(resource?.attributes, 'service.name') ?? UNNAMED)
    for (const raw of (scopeSpans ?? []).flatMap((scope) => scope.spans ?? [])) {
      const span = spans.length < MAX_SPANS ? toSpan(raw, service) : null
      if (span) spans.push(span)
      else omitted += 1
    }
  }
  return { spans, omitted }
}

function toSpan(raw: unknown, service: string): Span | null {
  const parsed = spanSchema.safeParse(raw)
  if (!parsed.success) return null
  const { data } = parsed
  const [trace, id] = [hexOf(data.traceId, 32), hexOf(data.spanId, 16)]
  if (trace === null || id === null) return null
  const startMs = millisecondsOf(data.startTimeUnixNano)
  return {
    ...{ trace, id, parent: data.parentSpanId ? hexOf(data.parentSpanId, 16) : null },
    ...{ service, operation: nameOf(data.name), startMs },
    // A clock that was set back meanwhile makes no negative time.
    ms: Math.max(0, Math.round((millisecondsOf(data.endTimeUnixNano) - startMs) * 1_000) / 1_000),
    failure: failureOf(data),
    message: MESSAGES.get(data.kind) ?? null,
  }
}

function failureOf({ status, attributes, events = [] }: z.infer<typeof spanSchema>): string | null {
  const said = attributes?.find(({ key }) => key === 'error')?.value
  const failed =
    status?.code === 2 || status?.code === 'STATUS_CODE_ERROR' || said?.boolValue === true || said?.stringValue?.toLowerCase() === 'true'
  if (!failed) return null
  const exception = events.flatMap((event) => textOf(event.attributes, 'exception.message') ?? []).at(-1)
  return (status?.message || exception || '').slice(0, MAX_FAILURE).toWellFormed()
}

function textOf(attributes: Attributes | undefined, key: string): string | null {
  return attributes?.find((each) => each.key === key)?.value.stringValue ?? null
}

function nameOf(text: string): string {
  return text.slice(0, MAX_NAME).toWellFormed()
}

/** An id as hexadecimal digits. Servers write it so, without zeros at its beginning, or in base64, where its length makes it end in '='. */
export function hexOf(text: string, digits: 16 | 32): string | null {
  const hex = text.endsWith('=') ? Buffer.from(text, 'base64').toString('hex') : text.toLowerCase()
  if (!/^[0-9a-f]+$/.test(hex) || hex.length > digits || /^0+$/.test(hex)) return null
  return hex.padStart(digits, '0')
}

function millisecondsOf(nanosecondsText: string): number {
  return Number(BigInt(nanosecondsText) / NANOSECONDS_A_MICROSECOND) / 1_000
}

/** What the spans of several traces say of each, the latest first. */
export function summarise(spans: readonly Span[]): TraceSummary[] {
  const byTrace = Map.groupBy(spans, ({ trace }) => trace)
  return [...byTrace].map(([id, own]) => summaryOf(id, own)).toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
}

function summaryOf(id: string, spans: readonly Span[]): TraceSummary {
  const first = spans.find(({ parent }) => parent === null) ?? spans.toSorted((a, b) => a.startMs - b.startMs)[0]
  const begin = Math.min(...spans.map(({ startMs }) => startMs))
  const end = Math.max(...spans.map(({ startMs, ms }) => startMs + ms))
  return {
    id,
    service: first?.service ?? null,
    operation: first?.operation ?? null,
    startedAt: new Date(begin),
    ms: Math.round((end - begin) * 1_000) / 1_000,
    spans: spans.length,
    failedSpans: spans.filter(({ failure }) => failure !== null).length,
    services: [...new Set(spans.map(({ service }) => service))],
  }
}
