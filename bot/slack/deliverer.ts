import type { Page } from '../page-notice.ts'
import { createNap } from './nap.ts'
import { PACE } from './pace.ts'
import type { StoredPosting } from './postings.ts'
import { createShowing, type ShowingDeps } from './showing.ts'
import { SlackFailure } from './slack-api.ts'

export interface DelivererDeps extends Omit<ShowingDeps, 'pace'> {
  /** The channels where incidents are shown by now: what these do not take waits until somebody mends them. */
  homes: ReadonlySet<string>
  /** Tells people elsewhere that somebody has to look. */
  page: Page
  /** No other process has this database: claims found at the start are of a dead one. */
  alone: boolean
  pace?: ShowingDeps['pace']
  log: { warn(object: object, message: string): void; error(object: object, message: string): void }
}

/** Shows on Slack what waits to be shown, one call after another: first cards, then outcomes, then the rest. */
export interface Deliverer {
  start(): Promise<void>
  /** Something new waits. */
  wake(): void
  stop(): Promise<void>
}

/** Longer than all calls that one posting may take, one after the other. */
const LEASE_SECONDS = 180
const IDLE_MS = 500
const SOON_MS = 20
const LONGEST_PAUSE_MS = 60_000
const SET_UP_PAUSE_MS = 30_000
const STOP_WITHIN_MS = 3_000
const MOST_ATTEMPTS = 12
/** Taken no more so often in a row, and people are told elsewhere. */
const BUSY_TOLD = 6
/** Of what one account alone should hear, an hour between two at most: some days. */
const MOST_ATTEMPTS_FOR_ONE = 72
const LONGEST_FOR_ONE_MS = 3_600_000
/** What Slack asks for is kept to, within reason. */
const LONGEST_ASKED_SECONDS = 3_600
/** Away for longer than this, and people are told elsewhere. */
const PAGE_AFTER_MS = 300_000

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const { postings, now, log, pace = PACE } = deps
  const showing = createShowing({ ...deps, pace })
  const readyAt = new Map<string, number>()
  const nap = createNap()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()
  let awaySince: number | null = null
  let failures = 0

  /** @returns how long to wait before the next, in milliseconds, 0 when there may be more to do; `idle` where something new ends the wait. */
  const step = async (): Promise<{ wait: number; idle: boolean }> => {
    for (const [place, at] of readyAt) if (at <= now().getTime()) readyAt.delete(place)
    const posting = await postings.claim('slack', LEASE_SECONDS, [...readyAt.keys()])
    // The next place that takes something again may come sooner than the next look.
    if (posting === null) {
      const soonest = [...readyAt.values()].map((at) => Math.max(SOON_MS, at - now().getTime()))
      return { wait: Math.min(IDLE_MS, ...soonest), idle: true }
    }
    try {
      const called = await showing.show(posting)
      if (called) readyAt.set(posting.place, now().getTime() + pace.channelMs)
      awaySince = called ? null : awaySince
      failures = called ? 0 : failures
      return { wait: 0, idle: false }
    } catch (error) {
      return { wait: await setBack(posting, error), idle: false }
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
    if (error.kind === 'place' && (await showing.moved(posting))) {
      log.warn(about, 'what stood in a channel that takes nothing any more is shown in the channel for incidents')
      return 0
    }
    if (posting.kind === 'vote' && error.kind !== 'away') return await waitForOne(posting, error, at)
    if (error.kind === 'refused' || (error.kind === 'place' && !deps.homes.has(posting.place))) {
      log.error(about, 'Slack refuses a message')
      await giveUp(posting, words)
      return 0
    }
    if (error.kind === 'place') return await closePlace(posting, error, at)
    if (error.kind === 'busy' && showing.isStreamed(posting)) {
      log.warn(about, 'Slack takes no more of an answer at the moment; messages go on')
      await postings.later(posting.id, new Date(at + pauseFor(error, posting.attempts)), words)
      return 0
    }
    // Slack counts what is posted by the channel: the others go on.
    if (error.kind === 'busy') {
      log.warn(about, 'Slack takes no more for this channel at the moment')
      const until = at + pauseFor(error, posting.attempts)
      readyAt.set(posting.place, until)
      await postings.later(posting.id, new Date(until), words)
      if (posting.attempts >= BUSY_TOLD)
        await page(posting, 'Slack takes no more messages for a channel, again and again. Decide in the console.')
      return 0
    }
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

  /** Where somebody's direct messages take nothing, nothing else waits for them, and they are tried for days. */
  const waitForOne = async (posting: StoredPosting, error: SlackFailure, at: number): Promise<number> => {
    const about = { err: error, posting: posting.id, ref: posting.ref }
    log.warn(about, 'somebody could not be told of a vote in their name')
    if (posting.attempts + 1 >= MOST_ATTEMPTS_FOR_ONE) await giveUp(posting, error.message)
    else {
      const wait = Math.max(pauseFor(error, posting.attempts), Math.min(LONGEST_FOR_ONE_MS, 1_000 * 2 ** Math.min(posting.attempts, 20)))
      await postings.later(posting.id, new Date(at + wait), error.message)
    }
    return 0
  }

  /** A page that cannot be shown pages nobody: it would bring the next one. */
  const page = async ({ kind }: StoredPosting, words: string, incidentId: string | null = null): Promise<void> => {
    if (kind !== 'page') await deps.page(words, incidentId)
  }

  const giveUp = async (posting: StoredPosting, words: string): Promise<void> => {
    await postings.bury(posting.id, words)
    await page(
      posting,
      `${NAMES[posting.kind] ?? 'A message'}${posting.incidentId === null ? '' : ` of ${posting.incidentId}`} could not be shown on Slack (${words}); the console has it.`,
      posting.incidentId,
    )
  }

  const run = async (): Promise<void> => {
    while (!stopping) {
      const { wait, idle } = await step().catch((error: unknown) => {
        log.error({ err: error }, 'what waits for Slack could not be read')
        return { wait: IDLE_MS, idle: true }
      })
      if (idle) await nap.doze(wait)
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

/** What was given up, for who reads the page. */
const NAMES: Readonly<Record<string, string>> = {
  incident: 'The card',
  approval: 'The card of an action',
  answer: 'An answer to somebody',
  file: 'A long answer to somebody',
  picture: 'The chart of an answer',
  notice: 'A notice',
  ended: 'The end',
  chart: 'The chart',
  vote: 'The word to somebody that they voted',
}

function mendWords(code: string): string {
  return `Nothing can be posted to Slack (${code}). Run "steadyhand doctor": it says what to mend.`
}

function pauseFor({ kind, retryAfter }: SlackFailure, failures: number): number {
  if (retryAfter !== null) return Math.min(LONGEST_ASKED_SECONDS, Math.max(1, retryAfter)) * 1_000
  return kind === 'set-up' ? SET_UP_PAUSE_MS : backoff(failures)
}

/** Half a second doubled each time, up to a minute, with jitter: replicas do not come back together. */
function backoff(failures: number): number {
  const most = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(failures, 10))
  return most / 2 + (Math.random() * most) / 2
}
