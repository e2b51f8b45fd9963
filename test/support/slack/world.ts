import { randomBytes } from 'node:crypto'
import type { Json } from './json.ts'
import { SlackError } from './slack-error.ts'

/** What somebody is in a workspace. A stranger comes from another one through Slack Connect. */
export type Role = 'member' | 'admin' | 'owner' | 'guest' | 'single-channel-guest' | 'bot' | 'deactivated' | 'stranger'

export interface SlackUser {
  readonly id: string
  /** May be changed, as an administrator would: `user.role = 'deactivated'`. */
  role: Role
  name: string
  realName: string
  email: string
  teamId: string
}

export interface SlackFile {
  readonly id: string
  name: string
  title: string
  altText: string
  mimeType: string
  content: Buffer
  /** Whether `files.completeUploadExternal` was called for it. */
  complete: boolean
}

/** A message as it stands now. Slack edits it in place, and so does this object. */
export interface SlackMessage {
  readonly channel: string
  readonly ts: string
  readonly user: string
  /** Set on what the app posted. */
  readonly botId: string | null
  /** The first message of the thread this is a reply in. */
  readonly threadTs: string | null
  readonly broadcast: boolean
  /** Shown to this user only. */
  readonly ephemeralFor: string | null
  /** Which links unfold by themselves. */
  readonly unfurls: { readonly links: boolean; readonly media: boolean }
  text: string
  blocks: Json[]
  attachments: Json[]
  metadata: Json | null
  files: SlackFile[]
  reactions: { name: string; user: string }[]
  edits: number
  editedTs: string | null
  deleted: boolean
  /** Of an answer that was shown as it came about. Slack ends an open one after some minutes by itself: `message.stream.open = false`. */
  stream: { open: boolean; readonly display: 'timeline' | 'plan' } | null
}

export interface Conversation {
  readonly id: string
  name: string
  readonly kind: 'public' | 'private' | 'im'
  readonly members: Set<string>
  archived: boolean
  /** Shared with another workspace. */
  shared: boolean
  readonly messages: SlackMessage[]
}

/** A modal or a home tab that somebody has open. */
export interface OpenView {
  readonly id: string
  readonly user: string
  hash: string
  /** As the app sent it. */
  view: Json
  previous: string | null
  root: string
  /** Block id → words under it, after a submission that was answered with errors. */
  errors: Readonly<Record<string, string>>
}

export interface Trigger {
  readonly user: string
  /** Milliseconds since 1970. */
  readonly expires: number
  used: boolean
}

export interface ResponseUrl {
  readonly user: string
  readonly channel: string | null
  readonly message: SlackMessage | null
  readonly expires: number
  uses: number
}

/** Something the app did that Slack would not take, or that the product promises not to do. */
export interface Violation {
  readonly method: string
  readonly problem: string
}

/** Everything there is in the workspace. */
export interface World {
  readonly team: { readonly id: string; readonly domain: string; readonly name: string }
  readonly app: { readonly id: string; readonly botId: string; readonly botUser: string; readonly name: string }
  readonly now: () => Date
  readonly triggerLivesMs: number
  readonly users: Map<string, SlackUser>
  readonly conversations: Map<string, Conversation>
  readonly files: Map<string, SlackFile>
  readonly views: Map<string, OpenView>
  /** User → ids of open modals, the topmost last. */
  readonly modals: Map<string, string[]>
  /** User → id of the published home tab. */
  readonly homes: Map<string, string>
  readonly triggers: Map<string, Trigger>
  readonly responseUrls: Map<string, ResponseUrl>
  /** Thread → what stands under the app's name while it works. */
  readonly statuses: Map<string, string>
  readonly titles: Map<string, string>
  readonly prompts: Map<string, Json[]>
  readonly violations: Violation[]
}

/** By a clock that a test moves. On the real one a loaded machine may need longer than Slack gives. */
const TRIGGER_LIVES_MS = { ownClock: 3_000, realClock: 30_000 }

/** @param clock a test's own, or the real one unless given */
export function createWorld(clock?: () => Date): World {
  const now = clock ?? (() => new Date())
  const app = { id: newId('A'), botId: newId('B'), botUser: newId('U'), name: 'steadyhand' }
  const world: World = {
    team: { id: newId('T'), domain: 'acme', name: 'Acme' },
    app,
    now,
    triggerLivesMs: clock === undefined ? TRIGGER_LIVES_MS.realClock : TRIGGER_LIVES_MS.ownClock,
    users: new Map(),
    conversations: new Map(),
    files: new Map(),
    views: new Map(),
    modals: new Map(),
    homes: new Map(),
    triggers: new Map(),
    responseUrls: new Map(),
    statuses: new Map(),
    titles: new Map(),
    prompts: new Map(),
    violations: [],
  }
  addUser(world, app.name, 'bot', app.botUser)
  return world
}

export function addUser(world: World, name: string, role: Role = 'member', id: string = newId('U')): SlackUser {
  const teamId = role === 'stranger' ? newId('T') : world.team.id
  const realName = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  const user = { id, role, name, realName, email: `${name}@acme.example`, teamId }
  world.users.set(user.id, user)
  return user
}

export function addConversation(world: World, name: string, kind: Conversation['kind'], members: readonly string[]): Conversation {
  const id = newId(kind === 'im' ? 'D' : 'C')
  const conversation: Conversation = { id, name, kind, members: new Set(members), archived: false, shared: false, messages: [] }
  world.conversations.set(id, conversation)
  return conversation
}

/** The direct messages between the app and a user, made when they do not exist yet. */
export function directMessages(world: World, user: string): Conversation {
  const pair = [user, world.app.botUser]
  const found = [...world.conversations.values()].find(({ kind, members }) => kind === 'im' && pair.every((one) => members.has(one)))
  return found ?? addConversation(world, user, 'im', pair)
}

export type NewMessage = Pick<SlackMessage, 'channel' | 'user' | 'text'> & Partial<SlackMessage>

export function addMessage(world: World, message: NewMessage): SlackMessage {
  const conversation = conversationOf(world, message.channel)
  const added: SlackMessage = {
    ts: nextTs(world),
    botId: null,
    threadTs: null,
    broadcast: false,
    ephemeralFor: null,
    unfurls: { links: false, media: true },
    attachments: [],
    metadata: null,
    files: [],
    reactions: [],
    edits: 0,
    editedTs: null,
    deleted: false,
    stream: null,
    ...message,
    blocks: withBlockIds(message.blocks ?? []),
  }
  conversation.messages.push(added)
  return added
}

/** Slack gives every block an id of its own when the app did not. */
export function withBlockIds(blocks: readonly Json[]): Json[] {
  return blocks.map((block) => (block['block_id'] === undefined ? { ...block, block_id: randomBytes(3).toString('hex') } : block))
}

/** @throws SlackError channel_not_found */
export function conversationOf(world: World, id: string): Conversation {
  const conversation = world.conversations.get(id)
  if (conversation === undefined) throw new SlackError('channel_not_found')
  return conversation
}

/** @throws SlackError message_not_found */
export function messageOf(world: World, channel: string, ts: string): SlackMessage {
  const found = conversationOf(world, channel).messages.find((message) => message.ts === ts && !message.deleted)
  if (found === undefined || found.ephemeralFor !== null) throw new SlackError('message_not_found')
  return found
}

const counters = new WeakMap<World, { second: number; count: number }>()

/** Unique in the workspace and increasing, also while the clock stands still. */
export function nextTs(world: World): string {
  const counter = counters.get(world) ?? { second: 0, count: 0 }
  const second = Math.max(Math.floor(world.now().getTime() / 1_000), counter.second)
  const count = second === counter.second ? counter.count + 1 : 1
  counters.set(world, { second, count })
  return `${second}.${String(count).padStart(6, '0')}`
}

export function newTrigger(world: World, user: string): string {
  const id = `${nextTs(world)}.${randomBytes(6).toString('hex')}`
  world.triggers.set(id, { user, expires: world.now().getTime() + world.triggerLivesMs, used: false })
  return id
}

/** The user who did what the app now answers with a view. @throws SlackError when the id is unknown, used or too old */
export function takeTrigger(world: World, id: string): string {
  const trigger = world.triggers.get(id)
  if (trigger === undefined) throw new SlackError('invalid_trigger_id')
  if (trigger.used) throw new SlackError('exchanged_trigger_id')
  if (trigger.expires < world.now().getTime()) throw new SlackError('expired_trigger_id')
  trigger.used = true
  return trigger.user
}

export function newId(letter: string): string {
  return `${letter}0${randomBytes(5).toString('hex').toUpperCase().slice(0, 9)}`
}
