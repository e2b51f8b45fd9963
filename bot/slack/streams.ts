import { type Message, SlackFailure, type SlackWeb, type StreamStep } from './slack-api.ts'

/** What is shown of an answer while it is looked for, and for whom. */
export interface Live {
  steps: readonly StreamStep[]
  asker: { userId: string; teamId: string }
}

export interface StreamsDeps {
  web: Pick<SlackWeb, 'startStream' | 'growStream' | 'endStream' | 'edit'>
  now: () => Date
  log: { warn(object: object, message: string): void }
}

/** Answers that Slack shows as they come about. Slack alone knows whether one is still open: nothing here survives a crash, and nothing has to. */
export interface Streams {
  /** @returns the message that it is; null where Slack takes no stream at the moment, and a message does as well */
  begin(posting: number, where: { channel: string; thread: string }, live: Live): Promise<string | null>
  /** Whether this process began it and did not end it. */
  isOpen(posting: number): boolean
  /** Makes a message show this, whichever way it takes: what is looked for as another step, the answer as the stream's end, else as an edit. */
  show(posting: number, what: Message & { channel: string; message: string; name: string; live: Live | null }): Promise<void>
}

/** Above the steps, until the answer stands there and from then on. */
const LOOKING = 'Looking at what is stored …'
const LOOKED = 'What was looked at'
/** Slack says so of a stream that was ended: by us, by whoever reads it, or by Slack after some minutes. */
const ENDED = 'message_not_in_streaming_state'
/** Slack says so of an edit while the stream is open: a process that died had begun it. */
const STILL_OPEN = 'streaming_state_conflict'
/**
 * Slack's words for what holds wherever a stream would begin: it knows or allows none of them here, in this workspace or for this app. Every other
 * refusal is of one thread: its question was deleted, whoever asked is not known there, its channel is of a kind that has no streams.
 */
const NOWHERE = new Set([
  ...['unknown_method', 'method_deprecated', 'deprecated_endpoint', 'feature_not_enabled', 'paid_teams_only'],
  ...['not_allowed', 'team_access_not_granted', 'enterprise_is_restricted', 'two_factor_setup_required'],
])
/** A workspace that takes no streams is not asked again for so long. */
const REFUSED_FOR_MS = 600_000
const MOST_OPEN = 500

export function createStreams({ web, now, log }: StreamsDeps): Streams {
  const open = new Map<number, readonly StreamStep[]>()
  let notBefore = 0

  const overwrite = async (what: Parameters<Streams['show']>[1]): Promise<void> => {
    const edit = async (): Promise<void> => await web.edit(what)
    await edit().catch(async (error: unknown) => {
      if (!isCode(error, STILL_OPEN)) throw error
      await web.endStream({ channel: what.channel, message: what.message, steps: [], last: null }).catch((ending: unknown) => {
        if (!isCode(ending, ENDED)) throw ending
      })
      await edit()
    })
  }

  return {
    async begin(posting, { channel, thread }, { steps, asker }) {
      if (now().getTime() < notBefore) return null
      try {
        const message = await web.startStream({ channel, thread, ...asker, title: LOOKING, steps })
        if (open.size >= MOST_OPEN) open.clear()
        open.set(posting, steps)
        return message
      } catch (error) {
        // What is wrong with the token, the channel or the connection is wrong for a message as well, and is said there.
        if (!(error instanceof SlackFailure) || error.kind === 'away' || error.kind === 'place') throw error
        if (error.kind === 'refused' && !NOWHERE.has(error.code)) {
          log.warn({ err: error }, 'Slack takes no stream in this thread; its answer is edited in place')
          return null
        }
        log.warn({ err: error }, 'Slack takes no stream at the moment; answers are edited in place')
        notBefore = now().getTime() + (error.retryAfter === null ? REFUSED_FOR_MS : error.retryAfter * 1_000)
        return null
      }
    },
    isOpen: (posting) => open.has(posting),
    async show(posting, what) {
      const { channel, message, name, live } = what
      const shown = open.get(posting)
      if (shown === undefined) return await overwrite(what)
      try {
        if (live === null) {
          const steps = shown.filter(({ status }) => status === 'in_progress').map((step) => ({ ...step, status: 'complete' as const }))
          await web.endStream({ channel, message, steps, last: { name, title: LOOKED, blocks: what.blocks } })
          open.delete(posting)
          return
        }
        const steps = live.steps.filter((step) => !shown.some((each) => isSame(each, step)))
        if (steps.length > 0) await web.growStream({ channel, message, steps })
        open.set(posting, live.steps)
      } catch (error) {
        // What can be tried again later is tried while it is open.
        if (!(error instanceof SlackFailure) || error.kind !== 'refused') throw error
        open.delete(posting)
        await overwrite(what)
      }
    },
  }
}

function isSame(one: StreamStep, other: StreamStep): boolean {
  return one.id === other.id && one.title === other.title && one.status === other.status
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof SlackFailure && error.code === code
}
