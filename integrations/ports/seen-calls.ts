import { z } from 'zod'
import { UNNAMED } from './otlp-spans.ts'
import type { Span } from './traces.ts'
import type { Call } from './workloads.ts'

/** Who calls whom, by the traces that were read: of investigations, and of a few services a minute while somebody asks. */
export interface SeenCalls {
  /** Reads what was known before the last stop. */
  load(): Promise<void>
  note(spans: readonly Span[]): void
  /** Whatever was seen within a day; when the last look is a minute old, another begins behind this. */
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

interface SeenCallsDeps {
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

const rowsSchema = z
  .array(z.object({ from: z.string().min(1).max(200), to: z.string().min(1).max(200), seenAt: z.coerce.date() }))
  .max(MAX_CALLS)

export function createSeenCalls(deps: SeenCallsDeps): SeenCalls {
  const { now, log, memory } = deps
  const calls = new Map<string, Required<Call>>()
  const ended = new AbortController()
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null
  let turn = 0
  let failing = false

  const add = (call: Required<Call>): void => {
    const key = JSON.stringify([call.from, call.to])
    const before = calls.get(key)
    // What was seen last is last in the map: the first are the first to go.
    calls.delete(key)
    calls.set(key, before && before.seenAt > call.seenAt ? before : call)
    for (const oldest of calls.keys()) {
      if (calls.size <= MAX_CALLS) break
      calls.delete(oldest)
    }
  }
  const note = (spans: readonly Span[]): void => {
    for (const call of callsIn(spans, now())) add(call)
  }
  const look = async (): Promise<void> => {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])
    try {
      const services = (await deps.source.services(signal)).toSorted()
      const mine = Array.from({ length: Math.min(SERVICES_A_LOOK, services.length) }, (_, at) => services[(turn + at) % services.length])
      turn = services.length === 0 ? 0 : (turn + mine.length) % services.length
      for (const service of mine) if (service !== undefined) note(await deps.source.sample(service, signal))
      await memory.save(known(calls, now()))
      failing = false
    } catch (error) {
      if (!failing && !ended.signal.aborted) log.warn({ err: error }, 'traces could not be read to see who calls whom')
      failing = true
    }
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
        looking = look().finally(() => {
          looking = null
        })
      }
      return known(calls, now())
    },
    async stop() {
      ended.abort()
      await looking
    },
  }
}

function known(calls: ReadonlyMap<string, Required<Call>>, now: Date): Required<Call>[] {
  return [...calls.values()].filter(({ seenAt }) => now.getTime() - seenAt.getTime() < FORGOTTEN_AFTER_MS)
}

/** A span of one service below a span of another is a call. Its moment is the span's own, but never ahead of this clock. */
function callsIn(spans: readonly Span[], now: Date): Required<Call>[] {
  const byId = new Map(spans.map((span) => [`${span.trace} ${span.id}`, span]))
  return spans.flatMap((span) => {
    const caller = span.parent === null ? undefined : byId.get(`${span.trace} ${span.parent}`)
    if (!caller || caller.service === span.service || !isNamed(caller.service) || !isNamed(span.service)) return []
    return [{ from: caller.service, to: span.service, seenAt: new Date(Math.min(span.startMs, now.getTime())) }]
  })
}

/** Programs that do not say what they are called are called the same by their libraries: they are not one service. */
function isNamed(service: string): boolean {
  return service !== '' && service.split(':')[0] !== UNNAMED
}
