import { createHash } from 'node:crypto'
import type { Page } from '../page-notice.ts'
import type { Drawn } from './drawing.ts'
import { SlackFailure, type SlackWeb } from './slack-api.ts'

/** A posting as it is stored; see the storage's own description. */
export interface StoredPosting {
  id: number
  kind: string
  ref: string
  incidentId: string | null
  body: Record<string, unknown> | null
  wanted: number
  head: string | null
  print: string | null
  place: string
  thread: string | null
  message: string | null
  begunAt: Date | null
  shownAt: Date | null
  nonce: string
  attempts: number
}

export interface NewPosting {
  kind: string
  ref: string
  incidentId: string | null
  priority: number
  place: string
}

/** Where postings wait and where they stand, of this surface. */
export interface PostingRows {
  draw(surface: 'slack', posting: NewPosting): Promise<void>
  say(surface: 'slack', posting: NewPosting & { body: Record<string, unknown>; thread: string | null }): Promise<boolean>
  finish(surface: 'slack', what: { kind: string; ref: string; body: Record<string, unknown> }): Promise<void>
  claim(surface: 'slack', leaseSeconds: number): Promise<StoredPosting | null>
  begin(id: number, thread?: string | null): Promise<void>
  shown(id: number, now: { message: string; wanted: number; head: string | null; print: string | null }): Promise<void>
  later(id: number, notBefore: Date, error?: string): Promise<void>
  move(id: number, place: string): Promise<void>
  bury(id: number, error: string): Promise<void>
  find(surface: 'slack', kind: string, ref: string): Promise<StoredPosting | null>
  at(surface: 'slack', place: string, message: string): Promise<StoredPosting | null>
  incidentIn(surface: 'slack', place: string, thread: string): Promise<string | null>
  dropClaims(surface: 'slack'): Promise<void>
}

export interface DelivererDeps {
  postings: PostingRows
  web: Pick<SlackWeb, 'post' | 'edit' | 'search' | 'upload'>
  /** The channels where incidents are shown by now: what these do not take waits until somebody mends them. */
  homes: ReadonlySet<string>
  /** What it looks like; null where not everybody may read it who reads along in its place. */
  draw(posting: StoredPosting): Promise<Drawn | null>
  /** The channel that it belongs to by now; null for what stays where it is. */
  home(posting: StoredPosting): Promise<string | null>
  /** What should be shown beside a card from now on. */
  follow(also: 'chart' | 'ended', incidentId: string): Promise<void>
  /** Tells people elsewhere that somebody has to look. */
  page: Page
  /** No other process has this database: claims found at the start are of a dead one. */
  alone: boolean
  pace?: Pace
  now: () => Date
  log: { warn(object: object, message: string): void; error(object: object, message: string): void }
}

export interface Pace {
  /** Between two calls about one channel: Slack allows one message a second. */
  channelMs: number
  /** Between two edits of a card when nothing that matters has changed. */
  quietMs: number
  /** After so long an answer that is still being looked for is announced. */
  slowMs: number
}

/** Shows on Slack what waits to be shown, one call after another: first cards, then outcomes, then the rest. */
export interface Deliverer {
  start(): Promise<void>
  /** Something new waits. */
  wake(): void
  stop(): Promise<void>
}

export const PACE: Pace = { channelMs: 1_000, quietMs: 30_000, slowMs: 2_000 }
/** Longer than any call may take. */
const LEASE_SECONDS = 60
const IDLE_MS = 500
/** Between two postings that are put aside because of where they belong. */
const ASIDE_MS = 20
/** Waited for with a claim in hand; a place that is closed for longer must not keep the others. */
const LONGEST_HELD_MS = 5_000
const LONGEST_PAUSE_MS = 60_000
const SET_UP_PAUSE_MS = 30_000
const STOP_WITHIN_MS = 3_000
const MOST_ATTEMPTS = 12
/** Away for longer than this, and people are told elsewhere. */
const PAGE_AFTER_MS = 300_000
/** The clocks of this machine, the database and Slack are not the same one. */
const SEARCH_BACK_MS = 300_000

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const { postings, now, log, pace = PACE } = deps
  const readyAt = new Map<string, number>()
  const nap = createNap()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()
  let awaySince: number | null = null
  let failures = 0

  /** @returns how long to wait before the next, in milliseconds; 0 when there may be more to do. */
  const step = async (): Promise<number> => {
    const posting = await postings.claim('slack', LEASE_SECONDS)
    if (posting === null) return IDLE_MS
    const wait = (readyAt.get(posting.place) ?? 0) - now().getTime()
    if (wait > Math.max(pace.channelMs, LONGEST_HELD_MS)) {
      await postings.later(posting.id, new Date(now().getTime() + wait))
      return ASIDE_MS
    }
    if (wait > 0) await nap.rest(wait)
    try {
      const called = await deliver(posting, deps, pace)
      if (called) readyAt.set(posting.place, now().getTime() + pace.channelMs)
      awaySince = called ? null : awaySince
      failures = called ? 0 : failures
      return 0
    } catch (error) {
      return await setBack(posting, error)
    }
  }

  const setBack = async (posting: StoredPosting, error: unknown): Promise<number> => {
    const about = { err: error, posting: posting.id, kind: posting.kind, ref: posting.ref }
    const words = error instanceof Error ? error.message : String(error)
    const at = now().getTime()
    readyAt.set(posting.place, at + pace.channelMs)
    if (!(error instanceof SlackFailure) || error.kind === 'upload') {
      log.error(about, 'a message for Slack could not be made')
      if (posting.attempts + 1 >= MOST_ATTEMPTS) await giveUp(posting, words)
      else await postings.later(posting.id, new Date(at + backoff(posting.attempts)), words)
      return 0
    }
    if (error.kind === 'place' && (await movedFrom(posting, deps))) {
      log.warn(about, 'what stood in a channel that takes nothing any more is shown in the channel for incidents')
      return 0
    }
    if (error.kind === 'refused' || (error.kind === 'place' && !deps.homes.has(posting.place))) {
      log.error(about, 'Slack refuses a message')
      await giveUp(posting, words)
      return 0
    }
    if (error.kind === 'place') return await closePlace(posting, error, at)
    // What keeps this one keeps all of them: they wait, and lose nothing but time.
    failures += 1
    awaySince ??= at
    const pause = pauseFor(error, failures)
    log.warn(about, 'Slack takes nothing at the moment')
    readyAt.set(posting.place, at + pause)
    await postings.later(posting.id, new Date(at + pause), words)
    if (error.kind === 'set-up') await page(posting, mendWords(error.code))
    else if (at - awaySince > PAGE_AFTER_MS)
      await page(posting, 'Slack has taken no message for more than five minutes. Decide in the console.')
    return pause
  }

  /** A channel for incidents takes nothing; what belongs elsewhere goes on. */
  const closePlace = async (posting: StoredPosting, error: SlackFailure, at: number): Promise<number> => {
    log.warn({ err: error, posting: posting.id, place: posting.place }, 'the channel takes nothing at the moment')
    const until = at + SET_UP_PAUSE_MS
    readyAt.set(posting.place, until)
    await postings.later(posting.id, new Date(until), error.message)
    await page(posting, mendWords(error.code))
    return 0
  }

  /** A page that cannot be shown pages nobody: it would bring the next one. */
  const page = async ({ kind }: StoredPosting, words: string, incidentId: string | null = null): Promise<void> => {
    if (kind !== 'page') await deps.page(words, incidentId)
  }

  const giveUp = async (posting: StoredPosting, words: string): Promise<void> => {
    await postings.bury(posting.id, words)
    await page(posting, `A message for Slack was given up (${posting.kind} ${posting.ref}): ${words}`, posting.incidentId)
  }

  const run = async (): Promise<void> => {
    while (!stopping) {
      const wait = await step().catch((error: unknown) => {
        log.error({ err: error }, 'what waits for Slack could not be read')
        return IDLE_MS
      })
      if (wait === IDLE_MS) await nap.doze(wait)
      else if (wait > 0) await nap.rest(wait)
    }
  }

  return {
    async start() {
      if (deps.alone) await postings.dropClaims('slack')
      loop = run()
    },
    wake: nap.wake,
    async stop() {
      stopping = true
      nap.end()
      // A call under way may take longer than a process that is told to stop has; what it posted is found again by its name.
      await Promise.race([loop, new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())])
    },
  }
}

/** @returns whether Slack was called */
async function deliver(posting: StoredPosting, deps: DelivererDeps, pace: Pace): Promise<boolean> {
  const { postings } = deps
  const drawn = await deps.draw(posting)
  if (drawn === null) {
    if (!(await movedFrom(posting, deps))) await postings.bury(posting.id, 'not everybody may read it who reads along there')
    return false
  }
  if (drawn.type === 'nothing') {
    await postings.bury(posting.id, drawn.words)
    return false
  }
  const shows = drawn.type === 'file' ? { head: null, print: null } : { head: drawn.head, print: drawn.print }
  if (posting.message !== null && drawn.type === 'message') {
    const isSame = drawn.print === posting.print
    const quietUntil = (posting.shownAt?.getTime() ?? 0) + pace.quietMs
    if (!isSame && drawn.head === posting.head && quietUntil > deps.now().getTime()) {
      await postings.later(posting.id, new Date(quietUntil))
      return false
    }
    const message = isSame ? posting.message : await edit(posting, posting.message, drawn, deps)
    await postings.shown(posting.id, { message, wanted: posting.wanted, ...shows })
    await followed(posting, drawn, deps)
    return !isSame
  }
  const message = await post(posting, drawn, deps)
  await postings.shown(posting.id, { message, wanted: posting.wanted, ...shows })
  await followed(posting, drawn, deps)
  return true
}

/** @returns the message it is now: another one when somebody deleted the one that was there. */
async function edit(
  posting: StoredPosting,
  message: string,
  drawn: Extract<Drawn, { type: 'message' }>,
  deps: DelivererDeps,
): Promise<string> {
  try {
    await deps.web.edit({ ...drawn.message, channel: posting.place, message, name: nameOf(posting) })
    return message
  } catch (error) {
    if (!(error instanceof SlackFailure) || error.code !== 'message_not_found') throw error
    return await post({ ...posting, begunAt: null }, drawn, deps)
  }
}

/** Posts it, unless it was posted before by a process that died before it could write that down. */
async function post(posting: StoredPosting, drawn: Exclude<Drawn, { type: 'nothing' }>, { postings, web }: DelivererDeps): Promise<string> {
  const name = drawn.type === 'file' ? drawn.name : nameOf(posting)
  const channel = posting.place
  const thread = posting.thread ?? (await threadOf(posting, drawn, postings))
  const isReplyCard = posting.kind === 'incident' && thread !== null
  const mayStandAlone = isReplyCard || (posting.thread === null && thread !== null)
  /** The thread of a card is gone or closed: what belongs there stands by itself, so that nobody misses it. An answer stays where it was asked for. */
  const unlessClosed = (error: unknown): null => {
    if (mayStandAlone && error instanceof SlackFailure && error.kind === 'refused') return null
    throw error
  }
  if (posting.begunAt !== null) {
    const asked = { channel, name, since: new Date(posting.begunAt.getTime() - SEARCH_BACK_MS) }
    const inThread = await web.search({ ...asked, thread }).catch(unlessClosed)
    const found = inThread ?? (mayStandAlone ? await web.search({ ...asked, thread: null }) : null)
    if (found !== null) {
      if (drawn.type === 'message') await web.edit({ ...drawn.message, channel, message: found, name })
      return found
    }
  }
  await postings.begin(posting.id, isReplyCard ? thread : undefined)
  if (drawn.type === 'message') {
    const message = { ...drawn.message, channel, broadcast: drawn.broadcast, name }
    const posted = await web.post({ ...message, thread }).catch(unlessClosed)
    if (posted !== null) return posted
    await postings.begin(posting.id, null)
    return await web.post({ ...message, thread: null })
  }
  // A picture stands below the card it belongs to; a card that was given up has none.
  if (thread !== null || posting.kind !== 'chart')
    await web.upload({ channel, thread, name, body: drawn.body, alt: drawn.alt, title: drawn.title })
  return name
}

/**
 * Below the card of its incident, where that stands in the same channel: a request may be asked in another one than its incident was shown in. A card
 * itself stands below another one where it says so. What is a reply has no thread of its own: what belongs to it stands beside it.
 */
async function threadOf(
  { kind, incidentId, place }: StoredPosting,
  drawn: Exclude<Drawn, { type: 'nothing' }>,
  postings: PostingRows,
): Promise<string | null> {
  const above = kind !== 'incident' ? incidentId : drawn.type === 'message' ? drawn.below : null
  const card = above === null ? null : await postings.find('slack', 'incident', above)
  return card?.place === place ? (card.thread ?? card.message) : null
}

/**
 * Where another channel is the one for it now, and this one takes nothing any more or may not show it: the card moves there, and with it whatever is
 * said in its thread. A request counts only where it was asked: it never moves.
 *
 * @returns whether it is shown there
 */
async function movedFrom(posting: StoredPosting, { postings, home, now }: DelivererDeps): Promise<boolean> {
  const { id, kind, incidentId, place, thread } = posting
  if ((thread !== null && kind !== 'incident') || kind === 'approval') return false
  const channel = await home(posting)
  if (channel === null || channel === place) return false
  const card = kind === 'incident' || incidentId === null ? null : await postings.find('slack', 'incident', incidentId)
  if (card?.place === place) {
    await postings.move(card.id, channel)
    await postings.later(id, now())
  } else await postings.move(id, channel)
  return true
}

async function followed({ incidentId }: StoredPosting, drawn: Drawn, { follow }: DelivererDeps): Promise<void> {
  if (drawn.type === 'message' && incidentId !== null) for (const also of drawn.also) await follow(also, incidentId)
}

/** By which it is found again: of this posting alone, also beside another Steadyhand in the same channel. It tells nothing of the nonce. */
function nameOf({ kind, ref, nonce }: StoredPosting): string {
  return `${kind}:${ref}:${createHash('sha256').update(nonce).digest('hex').slice(0, 16)}`
}

function mendWords(code: string): string {
  return `Nothing can be posted to Slack (${code}). Run "steadyhand doctor": it says what to mend.`
}

function pauseFor({ kind, retryAfter }: SlackFailure, failures: number): number {
  if (retryAfter !== null) return Math.max(1, retryAfter) * 1_000
  return kind === 'set-up' ? SET_UP_PAUSE_MS : backoff(failures)
}

/** Half a second doubled each time, up to a minute, with jitter: replicas do not come back together. */
function backoff(failures: number): number {
  const most = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(failures, 10))
  return most / 2 + (Math.random() * most) / 2
}

interface Nap {
  /** Ends early when something new waits. */
  doze(milliseconds: number): Promise<void>
  /** Ends early only when everything ends. */
  rest(milliseconds: number): Promise<void>
  wake(): void
  end(): void
}

function createNap(): Nap {
  let woken = false
  let ended = false
  let rouse = (): void => {}
  const sleep = (milliseconds: number, light: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (ended || (light && woken)) return resolve()
      const timer = setTimeout(resolve, milliseconds)
      rouse = () => {
        if (!light && !ended) return
        clearTimeout(timer)
        resolve()
      }
    })
  return {
    async doze(milliseconds) {
      await sleep(milliseconds, true)
      woken = false
    },
    rest: (milliseconds) => sleep(milliseconds, false),
    wake() {
      woken = true
      rouse()
    },
    end() {
      ended = true
      rouse()
    },
  }
}
