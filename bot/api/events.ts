import type { Agent } from '../../agent/agent.ts'
import type { AgentEvent, EventHub } from '../../agent/events.ts'
import { HttpProblem } from '../problem.ts'
import { type Credentials, credentialsOf, type Endpoint, endpoint } from './endpoint.ts'

const MOST_CLIENTS = 100
/** A client that reads slower than this is let go; it connects again and reads what is current. */
const MOST_WAITING = 500
const HEARTBEAT_MS = 15_000

export interface EventStreams {
  /** For callers who see what this agent sees. */
  endpoints(agent: Pick<Agent, 'sight'>): Endpoint[]
  /** How many streams are open. */
  open(): number
  /** Ends every open stream, so that the server can stop. */
  close(): void
}

/** Server-sent events of what changed: pointers, never the rows. Ids grow by one within a process; a client that sees a gap, or a new `hello`, reads again. */
export function createEventStreams({
  hub,
  stillSees,
  heartbeatMs = HEARTBEAT_MS,
}: {
  hub: Pick<EventHub, 'subscribe'>
  /** Whether who opened a stream sees by now what they saw then: sessions end, and roles are taken away. Asked with each heartbeat. */
  stillSees(credentials: Credentials, seen: Pick<Agent, 'sight'>): Promise<boolean>
  heartbeatMs?: number
}): EventStreams {
  const clients = new Set<() => void>()
  let lastId = 0
  const listeners = new Set<(id: number, event: AgentEvent) => void>()
  const unsubscribe = hub.subscribe((event) => {
    lastId += 1
    for (const listener of listeners) listener(lastId, event)
  })

  const openStream = (seen: Pick<Agent, 'sight'>, credentials: Credentials): Response => {
    const { sight } = seen
    if (clients.size >= MOST_CLIENTS) throw new HttpProblem('too-many-listeners', null, { 'retry-after': '5' })
    const encoder = new TextEncoder()
    let end = (): void => {}
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const send = (text: string): void => {
            if ((controller.desiredSize ?? 0) <= -MOST_WAITING) end()
            else controller.enqueue(encoder.encode(text))
          }
          const tell = sight.everything
            ? (id: number, event: AgentEvent): void => send(frame(id, event))
            : tellSeen(
                sight,
                (text) => (clients.has(end) ? send(text) : undefined),
                () => end(),
              )
          const beat = async (): Promise<void> => {
            // Its client connects again, and is told what is theirs by then.
            if (await stillSees(credentials, seen).catch(() => false)) {
              if (clients.has(end)) send(': still here\n\n')
            } else end()
          }
          const heartbeat = setInterval(() => void beat(), heartbeatMs)
          end = () => {
            if (!clients.delete(end)) return
            clearInterval(heartbeat)
            listeners.delete(tell)
            controller.close()
          }
          clients.add(end)
          listeners.add(tell)
          send(`retry: 2000\nid: ${sight.everything ? lastId : 0}\nevent: hello\ndata: {}\n\n`)
        },
        cancel: () => end(),
      },
      new CountQueuingStrategy({ highWaterMark: 1 }),
    )
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' } })
  }

  return {
    endpoints: (agent) => [
      endpoint({
        method: 'get',
        path: '/api/v1/events',
        name: 'streamEvents',
        summary:
          'Server-sent events of what changed: incident-changed, approval-changed, message-posted, mode-changed, each with the ids to read.',
        access: 'caller',
        answers: { 200: { words: 'The stream; it stays open.', schema: null, type: 'text/event-stream' } },
        problems: ['too-many-listeners'],
        handle: async ({ context }) => openStream(agent, credentialsOf(context)),
      }),
    ],
    open: () => clients.size,
    close() {
      unsubscribe()
      for (const end of [...clients]) end()
    },
  }
}

/**
 * Tells what is seen, in its order, numbered by itself: a gap would tell of the rest. More than can be looked at in time, or a look that fails, ends
 * the stream, and its client connects again and reads what is current.
 */
function tellSeen(sight: Agent['sight'], send: (text: string) => void, end: () => void): (id: number, event: AgentEvent) => void {
  let told = 0
  let waiting = 0
  let turn: Promise<void> = Promise.resolve()
  return (_id, event) => {
    waiting += 1
    if (waiting > MOST_WAITING) return end()
    turn = turn
      .then(async () => {
        const isSeen = !('incidentId' in event) || (await sight.sees(event.incidentId))
        waiting -= 1
        if (!isSeen) return
        told += 1
        send(frame(told, event))
      })
      .catch(end)
  }
}

function frame(id: number, event: AgentEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
