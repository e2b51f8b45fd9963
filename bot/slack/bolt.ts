import { App, type Receiver, SocketModeReceiver } from '@slack/bolt'
import type { Page } from '../page-notice.ts'
import type { Inlet } from './inlet.ts'
import { type SdkLog, sdkLogger } from './sdk-logger.ts'
import { createSlackWeb, socketCheck } from './web-client.ts'

export { createSlackWeb, socketCheck }

/** What is done about each kind of thing that Slack sends; a body is checked by whoever takes it. */
export interface Listeners {
  click(body: unknown): Promise<void>
  form(body: unknown): Promise<void>
  command(body: unknown): Promise<void>
  shortcut(body: unknown): Promise<void>
  event(type: string, body: unknown): Promise<void>
}

export interface BoltDeps {
  botToken: string
  apiUrl: string | null
  /** Who the bot is: its own messages are no business of its. */
  identity(): Promise<{ botId: string; botUserId: string }>
  listeners: Listeners
  log: SdkLog
}

/**
 * Bolt, behind the inlet: what was stored is handed to it, and it hands it to who listens. It opens no port and verifies nothing, because nothing
 * reaches it that was not verified and stored before.
 */
export function createBolt({ botToken, apiUrl, identity, listeners, log }: BoltDeps): {
  handle(body: Record<string, unknown>): Promise<void>
} {
  const receiver: Receiver = { init: () => {}, start: async () => {}, stop: async () => {} }
  const app = new App({
    receiver,
    authorize: async () => ({ botToken, ...(await identity()) }),
    convoStore: false,
    logger: sdkLogger(log),
    clientOptions: { ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }) },
  })
  // Slack had its acknowledgement when this was stored.
  app.action(/^/, async ({ body }) => await listeners.click(body))
  app.view(/^/, async ({ body }) => await listeners.form(body))
  app.command(/^/, async ({ body }) => await listeners.command(body))
  app.shortcut(/^/, async ({ body }) => await listeners.shortcut(body))
  app.event(/^/, async ({ event, body }) => await listeners.event(event.type, body))
  app.error(async (error) => {
    throw 'original' in error && error.original instanceof Error ? error.original : error
  })
  return { handle: async (body) => await app.processEvent({ body, ack: async () => {} }) }
}

export interface SocketDeps {
  appToken: string
  apiUrl: string | null
  /** Resolves when it is stored. */
  take: Inlet['take']
  /** Tells people elsewhere that somebody has to look. */
  page: Page
  log: SdkLog
}

/** A connection that Slack sends through, made again whenever it ends. */
export interface Socket {
  start(): void
  stop(): Promise<void>
}

/** Without a greeting after this long a connection is none. */
const GREETING_MS = 20_000
const STOP_WITHIN_MS = 3_000
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 30_000
/** A connection that held for this long was a good one: the next is tried at once. */
const GOOD_MS = 30_000
/** Without any connection for longer than this, people are told elsewhere. */
const PAGE_AFTER_MS = 300_000
const UNREACHED =
  'Slack has had no way in for more than five minutes: what is pressed or typed there reaches nobody. Decide in the console, and run "steadyhand doctor": it says what to mend.'

/**
 * Socket Mode with reconnects of our own: the client's wait five seconds for a first try, and one that fails is a rejection nobody can catch.
 */
export function createSocket({ appToken, apiUrl, take, page, log }: SocketDeps): Socket {
  const { client } = new SocketModeReceiver({
    appToken,
    logger: sdkLogger(log),
    autoReconnectEnabled: false,
    installerOptions: {
      clientOptions: { ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }), retryConfig: { retries: 0 }, timeout: 10_000 },
    },
  })
  let stopping = false
  let loop: Promise<void> = Promise.resolve()
  let endPause = (): void => {}

  client.on('slack_event', ({ body, ack }: { body: unknown; ack(): Promise<void> }) => {
    // Stored first: without an acknowledgement Slack sends it again.
    take(body)
      .then(async (taken) => {
        // Acknowledged all the same: sent again it would be no other.
        if (taken === 'foreign' || taken === 'unreadable') log.warn({ taken }, 'what Slack sent by Socket Mode was left alone')
        await ack()
      })
      .catch((error: unknown) => log.error({ err: error }, 'what Slack sent by Socket Mode was not taken'))
  })

  const connect = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => void client.once('disconnected', resolve))
    const late = setTimeout(() => void client.disconnect(), GREETING_MS)
    try {
      await client.start()
      if (stopping) void client.disconnect()
    } finally {
      clearTimeout(late)
    }
    await ended
  }
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const run = async (): Promise<void> => {
    let failures = 0
    let reachedAt = performance.now()
    let isTold = false
    while (!stopping) {
      const begun = performance.now()
      await connect().catch((error: unknown) => {
        if (!stopping) log.warn({ err: error ?? new Error('the connection ended before it was greeted') }, 'Socket Mode could not connect')
      })
      const isGood = performance.now() - begun > GOOD_MS
      failures = isGood ? 0 : failures + 1
      if (isGood) [reachedAt, isTold] = [performance.now(), false]
      if (!stopping && !isTold && performance.now() - reachedAt > PAGE_AFTER_MS) {
        isTold = true
        await page(UNREACHED, null).catch((error: unknown) => log.error({ err: error }, 'nobody could be told that Slack has no way in'))
      }
      if (!stopping) await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2))
    }
  }
  return {
    start() {
      loop = run()
    },
    async stop() {
      stopping = true
      endPause()
      void client.disconnect()
      // A call under way may take longer than a process that is told to stop has.
      await Promise.race([loop, new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())])
    },
  }
}
