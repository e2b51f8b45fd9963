import type { Integration } from '../integrations/contract.ts'
import type { Edge } from './edge.ts'
import type { Health } from './health.ts'
import type { Listening } from './listen.ts'

/** What starts and stops, as narrowly as it is used here. */
export interface Parts {
  /** Null in a process that serves nobody. */
  edge: Pick<Edge, 'listen' | 'close' | 'announcer'> | null
  /** Where probes are answered, from the first moment to the last. */
  health: Pick<Health, 'listen' | 'close'>
  /** Where people are told and answer, beside the console. */
  chats: readonly { start(): Promise<void>; stop(): Promise<void> }[]
  integrations: readonly Pick<Integration, 'start' | 'stop'>[]
  agent: { start(): Promise<void>; stop(): Promise<void> }
  /** Reads what is written down, so that it can be cited. */
  loadRunbooks(): Promise<void>
  drills: { resume(): Promise<void>; stop(): Promise<void> }
  /** Null in a process that works on nothing. */
  queue: { start(): Promise<void>; stop(graceMs?: number): Promise<void> } | null
  stores: {
    onNotice(callback: () => void): Promise<() => void>
  }
  /** Tells what is left. */
  traces: { close(): Promise<void> }
  database: { close(): Promise<void> }
}

export interface Lifecycle {
  /** Resolves when everything runs. */
  start(): Promise<Listening | null>
  /** Also after a start that failed half way. */
  close(): Promise<void>
  isStarted(): boolean
}

/** How long jobs under way may take once the process is told to stop. */
const JOB_GRACE_MS = 3_000

/**
 * The order in which a process comes and goes. Deliveries are taken as soon as the port is open; nothing is decided, and nothing left behind by
 * a crash is settled, before the targets can be read.
 */
export function createLifecycle({
  edge,
  health,
  chats,
  integrations,
  agent,
  loadRunbooks,
  drills,
  queue,
  stores,
  traces,
  database,
}: Parts): Lifecycle {
  let started = false
  let stopListening = (): void => {}
  return {
    isStarted: () => started,
    async start() {
      await health.listen()
      const listening = (await edge?.listen()) ?? null
      if (edge) stopListening = await stores.onNotice(edge.announcer.wake)
      await Promise.all([...chats, ...integrations].map((each) => each.start()))
      await loadRunbooks()
      await agent.start()
      await queue?.start()
      await drills.resume()
      started = true
      return listening
    },
    async close() {
      started = false
      stopListening()
      await Promise.all([edge?.close(), ...chats.map((each) => each.stop()), drills.stop(), queue?.stop(JOB_GRACE_MS), agent.stop()])
      await Promise.all(integrations.map((each) => each.stop()))
      await Promise.all([health.close(), traces.close()])
      await database.close()
    },
  }
}
