import { z } from 'zod'
import type { Agent } from '../agent/agent.ts'
import { ROLES, SURFACES } from '../agent/domain/principal.ts'
import type { AgentEvent, EventHub } from '../agent/events.ts'
import { cleanText } from './messages/visible-text.ts'
import { approvalNotice, controlNotice, type NoticeFacts, powerNotice } from './notice-words.ts'
import type { SelfMetrics } from './self-metrics.ts'
import type { SpokenNotice, Surface } from './surface.ts'

/** A notice taken from the outbox. */
export interface QueuedNotice {
  id: number
  dedupe: string
  topic: string
  body: Record<string, unknown>
  /** This one included. */
  attempts: number
}

/** Where notices wait, in the order of each incident, until they were told or given up. */
export interface NoticeQueue {
  claimBatch(options: { limit: number; leaseSeconds: number }): Promise<QueuedNotice[]>
  /** Ends the later notices that point at the same thing: told together with this one. Called before the thing is read. */
  absorbLater(id: number): Promise<number>
  done(id: number): Promise<void>
  retry(id: number, error: string, notBefore: Date): Promise<'waiting' | 'dead'>
  bury(id: number, error: string): Promise<void>
}

export interface AnnouncerDeps {
  queue: NoticeQueue
  agent: Pick<Agent, 'incident' | 'approval' | 'people'>
  surfaces: readonly Surface[]
  hub: Pick<EventHub, 'publish'>
  metrics: Pick<SelfMetrics, 'countNotice'>
  now: () => Date
  log: { warn(object: object, message: string): void; error(object: object, message: string): void }
}

/** Tells every surface what happened, once each, from the rows that were written with it. */
export interface Announcer {
  /** Tells what waits now; returns how many notices were taken. */
  runOnce(): Promise<number>
  start(): void
  /** Something new waits: look at once instead of at the next turn. */
  wake(): void
  /** Resolves when the notices under way are told or set back. */
  stop(): Promise<void>
}

const BATCH = 50
const LEASE_SECONDS = 30
/** Between looks when nobody says that something is new. */
const IDLE_MS = 500
const BROKEN_MS = 1_000
const ACCOUNT = { surface: z.enum(SURFACES), tenant: z.string(), account: z.string() }
const LONGEST_BACKOFF_MS = 60_000
const LONGEST_WORDS = 1_000

/** A change as the database tells it: nothing that it does not name is shown. */
const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('grant'), person: z.string(), role: z.enum(ROLES), environment: z.string() }),
  z.object({ kind: z.literal('revoke'), person: z.string(), role: z.enum(ROLES).nullable(), environment: z.string().nullable() }),
  z.object({ kind: z.literal('link'), person: z.string(), name: z.string().nullable().default(null), ...ACCOUNT }),
  z.object({ kind: z.literal('unlink'), ...ACCOUNT }),
  z.object({ kind: z.literal('policy'), policy: z.string(), before: z.string().nullable() }),
])

const bodySchemas = {
  'incident-changed': z.object({ incidentId: z.string() }),
  'approval-changed': z.object({ incidentId: z.string(), requestId: z.string() }),
  notice: z.object({
    incidentId: z.string().nullable(),
    requestId: z.string().nullable(),
    code: z.string(),
    scope: z.string().optional(),
    by: z.string().optional(),
    second: z.string().nullish(),
    change: changeSchema.nullish(),
    digest: z.string().optional(),
    words: z.string().optional(),
  }),
  page: z.object({ text: z.string(), incidentId: z.string().nullish() }),
} as const

/** A notice no surface could ever show: given up at once instead of tried again. */
class Untellable extends Error {
  override readonly name = 'Untellable'
}

export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const { queue, log } = deps
  let stopping = false
  let loop: Promise<void> = Promise.resolve()
  let endPause = (): void => {}
  let woken = false

  const runOnce = async (): Promise<number> => {
    const batch = await queue.claimBatch({ limit: BATCH, leaseSeconds: LEASE_SECONDS })
    await Promise.all(batch.map((notice) => settle(notice, deps)))
    return batch.length
  }
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const wake = (): void => {
    woken = true
    endPause()
  }
  const run = async (): Promise<void> => {
    while (!stopping) {
      try {
        woken = false
        // Woken while it looked: what is new may have come after the look.
        if ((await runOnce()) === 0 && !stopping && !woken) await pause(IDLE_MS)
      } catch (error) {
        log.error({ err: error }, 'notices could not be taken from the outbox')
        if (!stopping) await pause(BROKEN_MS)
      }
    }
  }
  return {
    runOnce,
    start() {
      loop = run()
    },
    wake,
    async stop() {
      stopping = true
      wake()
      await loop
    },
  }
}

async function settle(notice: QueuedNotice, deps: AnnouncerDeps): Promise<void> {
  const { queue, metrics, log } = deps
  try {
    const event = await tell(notice, deps)
    await queue.done(notice.id)
    metrics.countNotice('sent')
    deps.hub.publish(event)
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    const end =
      error instanceof Untellable ? await give(queue, notice, words) : await queue.retry(notice.id, words, nextTry(notice, error, deps))
    metrics.countNotice(end === 'dead' ? 'dead' : 'retried')
    const about = { err: error, notice: notice.id, topic: notice.topic, attempts: notice.attempts }
    if (end === 'dead') log.error(about, 'a notice was given up')
    else log.warn(about, 'a notice is tried again later')
  }
}

async function give(queue: NoticeQueue, notice: QueuedNotice, words: string): Promise<'dead'> {
  await queue.bury(notice.id, words)
  return 'dead'
}

/** Hands one notice to every surface and says which event it makes. */
async function tell(notice: QueuedNotice, deps: AnnouncerDeps): Promise<AgentEvent> {
  switch (notice.topic) {
    case 'incident-changed': {
      const { incidentId } = bodyOf(notice, bodySchemas['incident-changed'])
      await deps.queue.absorbLater(notice.id)
      const read = once(() => deps.agent.incident(incidentId))
      await eachSurface(deps, (surface) => surface.refreshIncident(incidentId, read))
      return { type: 'incident-changed', incidentId }
    }
    case 'approval-changed': {
      const { incidentId, requestId } = bodyOf(notice, bodySchemas['approval-changed'])
      await deps.queue.absorbLater(notice.id)
      const read = once(() => deps.agent.approval(requestId))
      await eachSurface(deps, (surface) => surface.refreshApproval(requestId, read))
      return { type: 'approval-changed', incidentId, requestId }
    }
    case 'notice': {
      const { incidentId, requestId, ...facts } = bodyOf(notice, bodySchemas.notice)
      const text = await wordsOf(facts, requestId, deps)
      if (text !== null) {
        await eachSurface(deps, (surface) =>
          surface.say({ incidentId, requestId, text, code: facts.code, kind: 'notice', ref: notice.dedupe, audience: audienceOf(facts) }),
        )
      }
      return incidentId === null ? { type: 'mode-changed' } : { type: 'message-posted', incidentId }
    }
    case 'page': {
      const { text, incidentId = null } = bodyOf(notice, bodySchemas.page)
      deps.log.error({ words: text }, 'somebody has to look')
      await eachSurface(deps, (surface) =>
        surface.say({ kind: 'page', ref: notice.dedupe, incidentId, requestId: null, code: 'page', text, audience: 'installation' }),
      )
      return incidentId === null ? { type: 'mode-changed' } : { type: 'message-posted', incidentId }
    }
    default:
      throw new Untellable(`no surface knows the topic ${notice.topic}`)
  }
}

/** What a notice says; null when nothing has to be said. */
async function wordsOf(facts: NoticeFacts, requestId: string | null, { agent, now }: AnnouncerDeps): Promise<string | null> {
  if (requestId !== null) {
    const approval = await agent.approval(requestId)
    if (approval === null) throw new Untellable(`there is no request ${requestId}`)
    return approvalNotice(facts, approval, now())
  }
  if (facts.code === 'incident-told') return cleanText(facts.words ?? '', LONGEST_WORDS)
  const names = new Map((await agent.people()).map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const words = controlNotice(facts, nameOf) ?? powerNotice(facts, nameOf)
  if (words === null) throw new Untellable(`no surface knows the notice ${facts.code}`)
  return words
}

/** That everything is stopped, and who may what, is everybody's to know. */
function audienceOf({ code, scope }: NoticeFacts): SpokenNotice['audience'] {
  return scope !== undefined && (code === 'frozen' || code === 'unfrozen') ? { frozen: scope } : 'everybody'
}

/** All of them are tried, also when one fails: a chat that is down keeps no other from being told. */
async function eachSurface({ surfaces }: AnnouncerDeps, show: (surface: Surface) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(surfaces.map(show))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

function bodyOf<T>(notice: QueuedNotice, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(notice.body)
  if (!parsed.success) throw new Untellable(`the body of a notice of the topic ${notice.topic} is not as it should be`)
  return parsed.data
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null
  return () => {
    result ??= read()
    return result
  }
}

/** 0.5 s doubled with each attempt, up to a minute, with jitter, unless the surface said when. */
function nextTry({ attempts }: QueuedNotice, error: unknown, { now }: AnnouncerDeps): Date {
  const asked = error instanceof Error && 'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter * 1_000 : 0
  const most = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** Math.min(attempts, 10))
  return new Date(now().getTime() + Math.max(asked, most / 2 + (Math.random() * most) / 2))
}
