import { type CallSource, createSeenCalls, type SeenCallsDeps } from './seen-calls.ts'
import type { Span, TraceQuery, TracesPort } from './traces.ts'

/** What a vendor reads of its server. */
export interface TraceServer extends CallSource {
  /** `note` is told of spans of whole traces that come with the answer. */
  search(query: TraceQuery, note: (spans: readonly Span[]) => void): ReturnType<TracesPort['search']>
  open: TracesPort['open']
}

interface TraceSourceDeps extends Pick<SeenCallsDeps, 'now' | 'log'> {
  memory: { load(key: string): Promise<unknown>; save(key: string, value: unknown): Promise<void> }
}

/** The server at which the traces of an environment are kept; a tenant of it is a server of its own. */
interface Kept {
  environment: string
  url: string
  tenant: string | null
}

/** Traces of one server, and the calls that are seen in whatever is read of them, which outlast a restart. */
export function createTraceSource(
  { now, log, memory }: TraceSourceDeps,
  { environment, url, tenant }: Kept,
  server: TraceServer,
): { traces: TracesPort; start(): Promise<void>; stop(): Promise<void> } {
  const key = `calls ${environment} ${url} ${tenant ?? ''}`
  const calls = createSeenCalls({
    source: server,
    memory: { load: () => memory.load(key), save: (value) => memory.save(key, value) },
    now,
    log,
  })
  return {
    traces: {
      search: (query) => server.search(query, calls.note),
      open: async (id, signal) => {
        const found = await server.open(id, signal)
        if (found) calls.note(found.spans)
        return found
      },
      dependencies: async () => ({ query: `calls seen in traces of ${url}`, edges: calls.known() }),
    },
    async start() {
      await calls.load()
      calls.known()
    },
    stop: calls.stop,
  }
}
