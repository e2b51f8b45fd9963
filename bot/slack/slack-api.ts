import type { KnownBlock, View } from '@slack/types'

/** Why a call of Slack's API came to nothing. */
export class SlackFailure extends Error {
  override readonly name = 'SlackFailure'
  /**
   * busy: too many calls, come back after `retryAfter` seconds · away: no answer, or one that says nothing · set-up: what an operator has to mend,
   * see the code · place: this channel takes nothing, while others may · refused: this call will never be taken · upload: a
   * file did not get to where Slack takes files, while messages may.
   */
  readonly kind: 'busy' | 'away' | 'set-up' | 'place' | 'refused' | 'upload'
  /** Slack's own word, where it gave one. */
  readonly code: string
  readonly retryAfter: number | null
  constructor(kind: SlackFailure['kind'], code: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(`Slack: ${code}`, { cause: options.cause })
    this.kind = kind
    this.code = code
    this.retryAfter = options.retryAfter ?? null
  }
}

export interface Message {
  text: string
  blocks: KnownBlock[]
}

/** An account as Slack describes it now. */
export interface Account {
  teamId: string | null
  deleted: boolean
  bot: boolean
  /** Somebody who was let into some channels only. */
  guest: boolean
  /** Known through a channel shared with another workspace. */
  stranger: boolean
}

export interface Upload {
  channel: string
  /** The message it stands below; null for none. */
  thread: string | null
  name: string
  body: Buffer
  /** What a picture shows, in words, at most 1,000 characters; null for what is no picture. */
  alt: string | null
  title: string
}

/** A step towards an answer, as its reader sees it. */
export interface StreamStep {
  /** Of this step among those of the same answer. */
  id: string
  /** In our words, never in those of others. */
  title: string
  status: 'in_progress' | 'complete' | 'error'
}

/** Whether an app token opens a connection of Socket Mode. @throws SlackFailure */
export type OpenSocket = () => Promise<void>

/** The calls of Slack's Web API that are made, each with what it needs. @throws SlackFailure */
export interface SlackWeb {
  whoAmI(): Promise<{ teamId: string; team: string; botUserId: string; botId: string; scopes: string[] }>
  channel(id: string): Promise<{ name: string; member: boolean; archived: boolean; external: boolean }>
  post(message: Message & { channel: string; thread: string | null; broadcast: boolean; name: string }): Promise<string>
  edit(message: Message & { channel: string; message: string; name: string }): Promise<void>
  /** Begins an answer that is shown as it comes about, in a thread; the asker sees each step, everybody else the end. */
  startStream(stream: {
    channel: string
    thread: string
    userId: string
    teamId: string
    title: string
    steps: readonly StreamStep[]
  }): Promise<string>
  /** Steps by their id: a known one is changed. */
  growStream(stream: { channel: string; message: string; steps: readonly StreamStep[] }): Promise<void>
  /** Ends it with an answer, which is then found under this name, or with nothing more. */
  endStream(stream: {
    channel: string
    message: string
    steps: readonly StreamStep[]
    last: { name: string; title: string; blocks: KnownBlock[] } | null
  }): Promise<void>
  /** The bot's own streams in a thread that have no name: they are open, or somebody else ended them. Oldest first. */
  nameless(where: { channel: string; thread: string; since: Date }): Promise<string[]>
  /** The channel of direct messages with somebody. */
  direct(user: string): Promise<string>
  /** The address of a message, for people of this workspace. */
  permalink(channel: string, message: string): Promise<string>
  /** The message that was posted under this name, if it is there. */
  search(what: { channel: string; thread: string | null; name: string; since: Date }): Promise<string | null>
  whisper(message: Message & { channel: string; user: string; thread: string | null }): Promise<void>
  openForm(trigger: string, view: View): Promise<void>
  showHome(user: string, view: View): Promise<void>
  /** What may be asked with one click, at most four, in a thread of the assistant. */
  suggest(offer: { channel: string; thread: string; title: string; prompts: { title: string; message: string }[] }): Promise<void>
  /** What the bot is doing, beside its name, until it posts there. */
  setStatus(status: { channel: string; thread: string; status: string }): Promise<void>
  /** By which somebody finds a thread of the assistant again. */
  setTitle(title: { channel: string; thread: string; title: string }): Promise<void>
  account(user: string): Promise<Account>
  upload(file: Upload): Promise<void>
}
