import { z } from 'zod'
import { UNNAMED } from './otlp-spans.ts'
import type { Span } from './traces.ts'
import type { Call } from './workloads.ts'

/** Who calls whom, by the traces that were read: of investigations, and of a few services a minute while somebody asks. */
export interface SeenCalls {
  /** Reads what was known before the last stop. */
  load(): Promise<void>
  note(spans: readonly Span[]): void
  /** Whatever was seen within a day, or within the last one of which the server told; when the last look is a minute old, another begins behind this. */
  known(): Call[]
  /** Ends a look that is under way. */
  stop(): Promise<void>
}

export interface CallSource {
  /** Names of the services that the server knows. */
  services(signal: AbortSignal): Promise<readonly string[]>
  /** The spans of a few whole traces in which the service took part lately. */
  sample(service: string, signal: AbortSignal): Promise<readonly Span[]>
}

export interface SeenCallsDeps {
  source: CallSource
  now: () => Date
  memory: { load(): Promise<unknown>; save(value: unknown): Promise<void> }
  log: { warn(object: object, message: string): void }
}

const LOOK_EVERY_MS = 60_000
const LOOK_TIMEOUT_MS = 20_000
const SERVICES_A_LOOK = 5
const FORGOTTEN_AFTER_MS = 24 * 3_600_000
const MAX_CALLS = 2_000

/** Ids of the traces that a call was seen in are kept up to so many: one that is read again is not another. */
const TRACES_COUNTED = 3

const service = z.string().min(1).max(200)
const rowSchema = z.object({
  from: service,
  to: service,
  seenAt: z.coerce.date(),
  traces: z.array(z.string().max(100)).max(TRACES_COUNTED).default([]),
})
type Row = z.infer<typeof rowSchema>
const rowsSchema = z.array(rowSchema).max(MAX_CALLS)

export function createSeenCalls(deps: SeenCallsDeps): SeenCalls {
  const { now, log, memory } = deps
  const calls = new Map<string, Row>()
  const ended = new AbortController()
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null
  let turn = 0
  let failing = false

  const add = (call: Row): void => {
    const key = JSON.stringify([call.from, call.to])
    const before = calls.get(key)
    // What was seen last is last in the map: the first are the first to go.
    calls.delete(key)
    const seenAt = before && before.seenAt > call.seenAt ? before.seenAt : call.seenAt
    const traces = [...new Set([...(before?.traces ?? []), ...call.traces])].slice(0, TRACES_COUNTED)
    calls.set(key, { ...call, seenAt, traces })
    for (const oldest of calls.keys()) {
      if (calls.size <= MAX_CALLS) break
      calls.delete(oldest)
    }
  }
  const note = (spans: readonly Span[]): void => {
    for (const call of callsIn(spans, now())) add(call)
  }
  /** One that fails takes nothing from the others. @throws the failure of all of them */
  const sampleEach = async (services: readonly string[], signal: AbortSignal): Promise<void> => {
    const failures: unknown[] = []
    for (const each of services) {
      try {
        note(await deps.source.sample(each, signal))
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0 && failures.length === services.length) throw failures[0]
  }
  const look = async (): Promise<void> => {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])
    try {
      const services = (await deps.source.services(signal)).toSorted()
      const from = services.length === 0 ? 0 : turn % services.length
      const mine = [...services.slice(from), ...services.slice(0, from)].slice(0, SERVICES_A_LOOK)
      turn = from + mine.length
      await sampleEach(mine, signal)
      failing = false
    } catch (error) {
      if (!failing && !ended.signal.aborted) log.warn({ err: error }, 'traces could not be read to see who calls whom')
      failing = true
    }
  }
  const save = async (): Promise<void> => {
    try {
      await memory.save(remembered())
    } catch (error) {
      log.warn({ err: error }, 'who was seen calling whom could not be kept')
    }
  }
  /** What nobody could look for is not forgotten: then the day ends with what was seen last. */
  const remembered = (): Row[] => {
    const rows = [...calls.values()]
    const latest = failing ? Math.max(...rows.map(({ seenAt }) => seenAt.getTime())) : now().getTime()
    return rows.filter(({ seenAt }) => latest - seenAt.getTime() < FORGOTTEN_AFTER_MS)
  }
  return {
    note,
    async load() {
      const rows = rowsSchema.safeParse(await memory.load())
      if (rows.success) for (const row of rows.data.toSorted((a, b) => a.seenAt.getTime() - b.seenAt.getTime())) add(row)
    },
    known() {
      if (looking === null && !ended.signal.aborted && now().getTime() - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = now().getTime()
        looking = look()
          .then(save)
          .finally(() => {
            looking = null
          })
      }
      return remembered().map(({ traces, ...call }) => ({ ...call, traces: traces.length }))
    },
    async stop() {
      ended.abort()
      await looking
    },
  }
}

/** A span of one service below a span of another is a call, but for messages, which nobody waits for. Its moment is the span's own, but never ahead of this clock. */
function callsIn(spans: readonly Span[], now: Date): Row[] {
  const byId = new Map(spans.map((span) => [`${span.trace} ${span.id}`, span]))
  return spans.flatMap((span) => {
    const caller = span.parent === null ? undefined : byId.get(`${span.trace} ${span.parent}`)
    if (!caller || caller.service === span.service || !isNamed(caller.service) || !isNamed(span.service)) return []
    if (caller.message === 'sent' || span.message === 'taken') return []
    return [{ from: caller.service, to: span.service, seenAt: new Date(Math.min(span.startMs, now.getTime())), traces: [span.trace] }]
  })
}

/** Programs that do not say what they are called are called the same by their libraries: they are not one service. */
function isNamed(service: string): boolean {
  return service !== '' && service.split(':')[0] !== UNNAMED
}
