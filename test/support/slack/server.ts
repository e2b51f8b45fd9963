import { createDeliver, type Delivery, encode, send } from './delivery.ts'
import { createFaults, type Faults } from './faults.ts'
import { openFront } from './front.ts'
import type { Json } from './json.ts'
import type { MethodContext } from './method.ts'
import { eventBody } from './payloads.ts'
import { createPerson, type Person, seenBy } from './person.ts'
import { createRateLimits, type RateLimits } from './rate-limits.ts'
import { type RenderOptions, renderChannel, renderHome } from './render.ts'
import { type Addressee, createResponses } from './responses.ts'
import { type SignedRequest, signedHeaders } from './signing.ts'
import { createSocketMode, type SocketMode } from './socket-mode.ts'
import { type ApiCall, answerCall, type Token } from './web-api.ts'
import {
  addConversation,
  addMessage,
  addUser,
  type Conversation,
  createWorld,
  directMessages,
  newId,
  nextTs,
  type Role,
  type SlackMessage,
  type SlackUser,
  type World,
} from './world.ts'

/** What the app may do unless a test takes something away. */
export const USUAL_SCOPES = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'channels:read',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'groups:history',
  'groups:read',
  'im:history',
  'im:read',
  'im:write',
  'reactions:write',
  'users:read',
] as const

export const USUAL_EVENTS = [
  'app_home_opened',
  'app_mention',
  'assistant_thread_context_changed',
  'assistant_thread_started',
  'channel_archive',
  'member_joined_channel',
  'member_left_channel',
  'message.channels',
  'message.groups',
  'message.im',
  'user_change',
] as const

export interface SlackServerOptions {
  readonly now?: () => Date
  readonly scopes?: readonly string[]
  /** The events the app is subscribed to. */
  readonly events?: readonly string[]
  /** Whether calls are limited as Slack limits them; may be changed at `rateLimits.on`. */
  readonly rateLimits?: boolean
  /** How long an acknowledgement is waited for. */
  readonly patienceMs?: number
}

/** A request that no honest Slack sends, or that one does, byte by byte. */
export interface ForgedRequest extends Partial<Omit<SignedRequest, 'body'>> {
  readonly body: string
  /** What the signature is made over, when that is not the body. */
  readonly signedBody?: string
  readonly contentType?: string
  /** Set, changed or, with undefined, taken away, after signing. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly url?: string
}

/** A Slack workspace with one app in it, on loopback. */
export interface SlackServer {
  readonly world: World
  /** What the SDKs call `slackApiUrl`. */
  readonly apiUrl: string
  readonly botToken: string
  readonly appToken: string
  readonly signingSecret: string
  readonly appId: string
  readonly botUser: string
  readonly teamId: string
  readonly tokens: ReadonlyMap<string, Token>
  /** Where the app hears events, interactions and commands; null, as at first, means Socket Mode. */
  readonly sendTo: (url: string | null) => void
  readonly person: (name: string, role?: Role) => Person
  /** The app is in it unless told otherwise. */
  readonly channel: (name: string, members: readonly Person[], options?: { kind?: 'public' | 'private'; withApp?: boolean }) => Conversation
  readonly directMessages: (person: Person) => Conversation
  /** Puts a message there as somebody, or as another bot, and tells the app. */
  readonly post: (
    channel: Conversation,
    message: { by: Person; text: string; blocks?: Json[]; attachments?: Json[] },
  ) => Promise<SlackMessage>
  /** Sends an event whatever it is; `again` as a retry of one that was sent. */
  readonly event: (event: Json, actor?: SlackUser) => Promise<Delivery>
  readonly again: (delivery: Delivery, num?: number) => Promise<Delivery>
  readonly interaction: (payload: Json) => Promise<Delivery>
  readonly forge: (request: ForgedRequest) => Promise<Pick<Delivery, 'status' | 'body'>>
  readonly encode: typeof encode
  readonly faults: Faults
  readonly rateLimits: RateLimits
  readonly sockets: SocketMode
  /** Every call of the Web API, oldest first. */
  readonly calls: readonly ApiCall[]
  readonly deliveries: readonly Delivery[]
  /** What Slack would not have taken, or the product promised not to do. */
  readonly violations: World['violations']
  /** What the app posted to a conversation and is still there, oldest first: for one reader, or for everybody. */
  readonly posted: (channel: Conversation, viewer?: Person) => SlackMessage[]
  /** One HTML page that a person can look at. */
  readonly renderChannel: (channel: Conversation, options: RenderOptions) => string
  readonly renderHome: (options: RenderOptions) => string
  /** Resolves when nothing that was sent to the app waits for its acknowledgement. */
  readonly idle: () => Promise<void>
  readonly close: () => Promise<void>
}

export async function startSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const { scopes = USUAL_SCOPES, events = USUAL_EVENTS, rateLimits = false, patienceMs = 15_000 } = options
  const world = createWorld(options.now)
  const { now } = world
  const faults = createFaults(() => sockets.drop())
  const sockets: SocketMode = createSocketMode(world.app.id, faults.isDown)
  const limits = createRateLimits(now, rateLimits)
  const [botToken, appToken, signingSecret] = [`xoxb-${newId('1')}`, `xapp-1-${newId('A')}`, newId('s')]
  const tokens = new Map<string, Token>([
    [botToken, { kind: 'bot', scopes: new Set(scopes), refusal: null }],
    [appToken, { kind: 'app', scopes: new Set(['connections:write']), refusal: null }],
  ])
  const calls: ApiCall[] = []
  const deliveries: Delivery[] = []
  const pending = new Set<Promise<unknown>>()
  let requestUrl: string | null = null

  const deliverOnce = createDeliver({ secret: signingSecret, now, requestUrl: () => requestUrl, sockets, patienceMs })
  const deliver: typeof deliverOnce = async (kind, payload, retry) => {
    const sent = deliverOnce(kind, payload, retry)
    pending.add(sent)
    const delivery = await sent.finally(() => pending.delete(sent))
    deliveries.push(delivery)
    return delivery
  }
  const hears = (): boolean => requestUrl !== null || sockets.count() > 0
  const tell = async (event: Json, actor: SlackUser | null): Promise<Delivery | null> => {
    if (!events.includes(subscriptionOf(event)) || !isInside(world, event) || !hears()) return null
    return await deliver('event', eventBody(world, event, actor))
  }
  const contextOf = (granted: ReadonlySet<string>, name: string): MethodContext => ({
    world,
    scopes: granted,
    origin: front.origin,
    tellApp: (event) => void tell(event, null),
    openSocketUrl: () => sockets.openUrl(front.origin),
    object: (problem) => void world.violations.push({ method: name, problem }),
  })
  const responses = createResponses({ world, contextOf, origin: () => front.origin })
  const personDeps = {
    world,
    deliver,
    tell,
    responseUrl: responses.newUrl,
    respond: (to: Addressee, said: unknown) => void responses.answer(to, said, 'command'),
  }

  const front = await openFront({
    faults,
    callApi: (name, authorization, args) => {
      const result = answerCall({ name, authorization, args }, { world, tokens, limits, context: contextOf })
      calls.push({ method: name, args, outcome: result.body['ok'] === true ? 'ok' : String(result.body['error']), at: now().getTime() })
      return result
    },
    respondTo: responses.respondTo,
    upload: (id, content) => {
      const file = world.files.get(id)
      if (file !== undefined) file.content = content
      return file !== undefined
    },
    failed: (method, outcome) => void calls.push({ method, args: {}, outcome, at: now().getTime() }),
    broken: (error) =>
      void world.violations.push({ method: 'server', problem: error instanceof Error ? (error.stack ?? '') : String(error) }),
    upgrade: sockets.upgrade,
  })
  const { origin } = front

  return {
    world,
    apiUrl: `${origin}/api/`,
    botToken,
    appToken,
    signingSecret,
    appId: world.app.id,
    botUser: world.app.botUser,
    teamId: world.team.id,
    tokens,
    sendTo: (url) => {
      requestUrl = url
    },
    person: (name, role = 'member') => createPerson(personDeps, addUser(world, name, role)),
    channel: (name, members, { kind = 'public', withApp = true } = {}) =>
      addConversation(world, name, kind, [...members.map(({ id }) => id), ...(withApp ? [world.app.botUser] : [])]),
    directMessages: ({ id }) => directMessages(world, id),
    post: async (channel, { by, ...said }) => {
      const isBot = by.user.role === 'bot'
      const message = addMessage(world, { channel: channel.id, user: by.id, ...said, ...(isBot ? { botId: newId('B') } : {}) })
      await tell({ type: 'message', channel: channel.id, user: by.id, text: message.text, ts: message.ts, event_ts: message.ts }, by.user)
      return message
    },
    event: async (event, actor) => await deliver('event', eventBody(world, { event_ts: nextTs(world), ...event }, actor ?? null)),
    again: async ({ kind, payload }, num = 1) => await deliver(kind, payload, { num, reason: 'http_timeout' }),
    interaction: async (payload) => await deliver('interaction', payload),
    forge: async ({
      body,
      signedBody = body,
      contentType = 'application/x-www-form-urlencoded',
      headers = {},
      url = requestUrl,
      ...signing
    }) => {
      if (url === null) throw new Error('there is no address to send a forged request to')
      const signed = signedHeaders({ body: signedBody, secret: signingSecret, timestamp: Math.floor(now().getTime() / 1_000), ...signing })
      const all = Object.entries({ 'content-type': contentType, ...signed, ...headers }).filter(
        (one): one is [string, string] => one[1] !== undefined,
      )
      return await send(url, { body, headers: Object.fromEntries(all) }, patienceMs)
    },
    encode,
    faults,
    rateLimits: limits,
    sockets,
    calls,
    deliveries,
    violations: world.violations,
    posted: (channel, viewer) =>
      viewer === undefined
        ? channel.messages.filter(({ botId, deleted, ephemeralFor }) => botId === world.app.botId && !deleted && ephemeralFor === null)
        : seenBy(viewer.id, channel).filter(({ botId }) => botId === world.app.botId),
    renderChannel: (channel, shown) => renderChannel(world, channel, shown),
    renderHome: (shown) => renderHome(world, shown),
    idle: async () => {
      while (pending.size > 0) await Promise.allSettled(pending)
    },
    close: async () => {
      requestUrl = null
      faults.release()
      sockets.close()
      await front.close()
    },
  }
}

/** The name under which an app subscribes to an event. */
function subscriptionOf({ type, channel_type: kind }: Json): string {
  if (type !== 'message') return String(type)
  return `message.${{ channel: 'channels', group: 'groups', im: 'im' }[String(kind ?? 'channel')] ?? 'channels'}`
}

/** Events of a conversation reach the app only where it is a member. */
function isInside(world: World, { channel, type }: Json): boolean {
  const conversation = world.conversations.get(String(channel))
  return conversation === undefined || type === 'app_mention' || conversation.members.has(world.app.botUser)
}
