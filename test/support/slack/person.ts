import { type Delivery, isAcknowledged } from './delivery.ts'
import { type Usable, usableElements } from './elements.ts'
import { isJson, type Json, jsons, textOf } from './json.ts'
import { checkedView, pushModal, replaceView } from './methods/views.ts'
import { type Entries, stateOf } from './modal-state.ts'
import * as payloads from './payloads.ts'
import { messageJson } from './shapes.ts'
import { SlackError } from './slack-error.ts'
import {
  addMessage,
  type Conversation,
  conversationOf,
  directMessages,
  newTrigger,
  type OpenView,
  type SlackMessage,
  type SlackUser,
  type World,
} from './world.ts'

/** What a person's doings need of the server. */
export interface PersonDeps {
  readonly world: World
  readonly deliver: (kind: Delivery['kind'], payload: Json) => Promise<Delivery>
  /** Sends an event when the app is subscribed to it; null when it is not. */
  readonly tell: (event: Json, actor: SlackUser) => Promise<Delivery | null>
  readonly responseUrl: (to: { user: string; channel: string | null; message: SlackMessage | null }) => string
  /** Shows what a command's acknowledgement says. */
  readonly respond: (to: { channel: string; user: string; message: SlackMessage | null }, answer: unknown) => void
}

export interface ClickOptions {
  /** What is answered to the question that some buttons ask first. Without it, such a button throws. */
  readonly confirm?: boolean
}

/** Somebody in the workspace, doing what people do in the client. Each thing done resolves once the app acknowledged it. */
export interface Person {
  readonly user: SlackUser
  readonly id: string
  /** Uses the button, menu entry or feedback button with these words in what stands there now. @throws Error when there is none */
  readonly click: (on: SlackMessage | OpenView, label: string, options?: ClickOptions) => Promise<Delivery>
  /** The modal on top, if one is open. */
  readonly modal: () => OpenView | null
  /** Fills in the modal on top and submits it. @throws Error when there is none or it cannot be filled in like this */
  readonly submit: (entries?: Entries) => Promise<Delivery>
  /** Closes the modal on top. */
  readonly closeModal: () => Promise<Delivery | null>
  readonly command: (command: string, text: string, channel?: Conversation) => Promise<Delivery>
  /** Says something where the app hears it, with the app's name in front. */
  readonly mention: (channel: Conversation, text: string, thread?: SlackMessage) => Promise<SlackMessage>
  readonly say: (channel: Conversation, text: string, thread?: SlackMessage) => Promise<SlackMessage>
  readonly dm: (text: string, how?: SlackMessage | { subtype: string }) => Promise<SlackMessage>
  readonly openHome: () => Promise<Delivery | null>
  /** The home tab as it was published. */
  readonly home: () => OpenView | null
  /** Opens the assistant's panel beside a channel, or beside nothing. @returns the message its thread hangs on */
  readonly openAssistant: (beside?: Conversation) => Promise<SlackMessage>
  /** Goes to another channel with the panel open. */
  readonly moveAssistant: (thread: SlackMessage, beside: Conversation) => Promise<void>
  readonly globalShortcut: (callbackId: string) => Promise<Delivery>
  readonly messageShortcut: (callbackId: string, message: SlackMessage) => Promise<Delivery>
  /** What this person sees in a conversation or in a thread, oldest first. */
  readonly sees: (channel: Conversation, thread?: SlackMessage) => SlackMessage[]
}

export function createPerson(deps: PersonDeps, user: SlackUser): Person {
  const { world } = deps
  const say = async (channel: Conversation, text: string, thread?: SlackMessage, more: Json = {}): Promise<SlackMessage> => {
    const message = addMessage(world, { channel: channel.id, user: user.id, text, threadTs: threadOf(thread) })
    const event = { ...messageJson(world, message), channel: channel.id, event_ts: message.ts, ...more }
    const channelType = { public: 'channel', private: 'group', im: 'im' }[channel.kind]
    const sent = [deps.tell({ ...event, channel_type: channelType }, user)]
    if (text.includes(`<@${world.app.botUser}>`) && channel.kind !== 'im') sent.push(deps.tell({ ...event, type: 'app_mention' }, user))
    await Promise.all(sent)
    return message
  }
  const topModal = (): OpenView | null => world.views.get(world.modals.get(user.id)?.at(-1) ?? '') ?? null
  return {
    user,
    id: user.id,
    click: async (on, label, options = {}) => await click(deps, user, { on, label, options }),
    modal: topModal,
    submit: async (entries = {}) => {
      const view = topModal()
      if (view === null) throw new Error(`${user.name} has no modal open`)
      return await submit(deps, user, view, entries)
    },
    closeModal: async () => {
      const view = topModal()
      if (view === null) throw new Error(`${user.name} has no modal open`)
      closeTop(world, user.id)
      if (view.view['notify_on_close'] !== true) return null
      return await deps.deliver('interaction', payloads.viewClosed(world, { user, view, cleared: false }))
    },
    command: async (command, text, channel = directMessages(world, user.id)) => {
      const triggerId = newTrigger(world, user.id)
      const responseUrl = deps.responseUrl({ user: user.id, channel: channel.id, message: null })
      const form = payloads.slashCommand(world, { user, channel, command, text, triggerId, responseUrl })
      const delivery = await deps.deliver('command', form)
      if (delivery.body !== null && isAcknowledged(delivery))
        deps.respond({ channel: channel.id, user: user.id, message: null }, delivery.body)
      return delivery
    },
    say,
    mention: async (channel, text, thread) => await say(channel, `<@${world.app.botUser}> ${text}`, thread),
    dm: async (text, how) =>
      how !== undefined && 'subtype' in how
        ? await say(directMessages(world, user.id), text, undefined, how)
        : await say(directMessages(world, user.id), text, how),
    openHome: async () => {
      const channel = directMessages(world, user.id).id
      return await deps.tell({ type: 'app_home_opened', user: user.id, channel, tab: 'home', event_ts: eventTs(world) }, user)
    },
    home: () => world.views.get(world.homes.get(user.id) ?? '') ?? null,
    openAssistant: async (beside) => await openAssistant(deps, user, beside),
    moveAssistant: async ({ channel, ts }, beside) => {
      const context = { channel_id: beside.id, team_id: world.team.id, enterprise_id: null }
      const thread = { user_id: user.id, context, channel_id: channel, thread_ts: ts }
      await deps.tell({ type: 'assistant_thread_context_changed', assistant_thread: thread, event_ts: eventTs(world) }, user)
    },
    globalShortcut: async (callbackId) => {
      const shortcut = payloads.globalShortcut(world, { user, callbackId, triggerId: newTrigger(world, user.id) })
      return await deps.deliver('interaction', shortcut)
    },
    messageShortcut: async (callbackId, message) => {
      const channel = conversationOf(world, message.channel)
      const responseUrl = deps.responseUrl({ user: user.id, channel: channel.id, message })
      const triggerId = newTrigger(world, user.id)
      const shortcut = payloads.messageShortcut(world, { user, callbackId, triggerId, message, channel, responseUrl })
      return await deps.deliver('interaction', shortcut)
    },
    sees: (channel, thread) => seenBy(user.id, channel, thread),
  }
}

/** What somebody sees in a conversation, or in one thread of it. */
export function seenBy(user: string, channel: Conversation, thread?: SlackMessage): SlackMessage[] {
  return channel.messages.filter(({ deleted, ephemeralFor, threadTs, broadcast, ts }) => {
    const isForThem = !deleted && (ephemeralFor === null || ephemeralFor === user)
    return isForThem && (thread === undefined ? threadTs === null || broadcast : threadTs === thread.ts || ts === thread.ts)
  })
}

function threadOf(thread: SlackMessage | undefined): string | null {
  return thread === undefined ? null : (thread.threadTs ?? thread.ts)
}

function eventTs({ now }: World): string {
  return (now().getTime() / 1_000).toFixed(6)
}

async function openAssistant({ world, tell }: PersonDeps, user: SlackUser, beside?: Conversation): Promise<SlackMessage> {
  const channel = directMessages(world, user.id)
  const root = addMessage(world, { channel: channel.id, user: world.app.botUser, botId: world.app.botId, text: 'New Assistant Thread' })
  const context = beside === undefined ? {} : { channel_id: beside.id, team_id: world.team.id, enterprise_id: null }
  const thread = { user_id: user.id, context, channel_id: channel.id, thread_ts: root.ts }
  await tell({ type: 'assistant_thread_started', assistant_thread: thread, event_ts: root.ts }, user)
  return root
}

async function click(
  deps: PersonDeps,
  user: SlackUser,
  { on, label, options }: { on: SlackMessage | OpenView; label: string; options: ClickOptions },
): Promise<Delivery> {
  const { world } = deps
  const isView = 'view' in on
  if (!isView && !seenBy(user.id, conversationOf(world, on.channel), on.threadTs === null ? undefined : threadRoot(world, on)).includes(on))
    throw new Error(`${user.name} does not see this message`)
  const usable = findUsable(isView ? jsons(on.view['blocks']) : on.blocks, label)
  if (usable.confirm !== null && options.confirm === undefined) throw new Error(`${label} asks first: ${question(usable)}`)
  if (usable.confirm === null && options.confirm !== undefined) throw new Error(`${label} asks nothing first`)
  if (options.confirm === false) return { kind: 'interaction', via: 'http', payload: {}, status: null, body: null, ms: 0, tries: 0 }
  const triggerId = newTrigger(world, user.id)
  const place = isView
    ? { view: on, state: {} }
    : {
        message: on,
        channel: conversationOf(world, on.channel),
        responseUrl: deps.responseUrl({ user: user.id, channel: on.channel, message: on }),
      }
  return await deps.deliver('interaction', payloads.blockActions(world, { user, used: usable.used, triggerId, on: place }))
}

function threadRoot(world: World, { channel, threadTs }: SlackMessage): SlackMessage | undefined {
  return conversationOf(world, channel).messages.find(({ ts }) => ts === threadTs)
}

function findUsable(blocks: readonly Json[], label: string): Usable {
  const all = usableElements(blocks)
  const found = all.filter((each) => each.label === label)
  const [only] = found
  if (only === undefined) throw new Error(`there is no ${label} here, only ${all.map((each) => each.label).join(', ') || 'nothing to use'}`)
  if (found.length > 1) throw new Error(`there are ${found.length} of ${label} here`)
  return only
}

function question({ confirm }: Usable): string {
  const words = (key: string): string => (isJson(confirm?.[key]) ? textOf(confirm[key]['text']) : '')
  return `${words('title')}: ${words('text')}`
}

async function submit(deps: PersonDeps, user: SlackUser, view: OpenView, entries: Entries): Promise<Delivery> {
  const { world } = deps
  const state = stateOf(view, entries)
  const triggerId = newTrigger(world, user.id)
  const delivery = await deps.deliver('interaction', payloads.viewSubmission(world, { user, view, state, triggerId }))
  if (isAcknowledged(delivery)) follow(world, user.id, view, delivery.body)
  return delivery
}

/** Does to the modal what the acknowledgement of a submission says. */
function follow(world: World, user: string, view: OpenView, body: unknown): void {
  const answer = isJson(body) ? body : {}
  const action = answer['response_action']
  const acts: Record<string, () => unknown> = {
    clear: () => world.modals.set(user, []),
    update: () => replaceView(world, view, checkedView(answer['view'], 'modal')),
    push: () => pushModal(world, user, checkedView(answer['view'], 'modal')),
    errors: () => showErrors(view, answer['errors']),
  }
  try {
    if (action === undefined) closeTop(world, user)
    else if (acts[String(action)] === undefined) throw new SlackError(`there is no response_action ${String(action)}`)
    else acts[String(action)]?.()
  } catch (error) {
    if (!(error instanceof SlackError)) throw error
    world.violations.push({ method: 'view_submission', problem: `${error.code} ${JSON.stringify(error.extra)}` })
  }
}

function showErrors(view: OpenView, errors: unknown): void {
  const words = isJson(errors) ? errors : {}
  const inputs = jsons(view.view['blocks']).filter(({ type }) => type === 'input')
  const unknown = Object.keys(words).filter((id) => !inputs.some((input) => input['block_id'] === id))
  if (unknown.length > 0 || Object.keys(words).length === 0) throw new SlackError(`errors name no input: ${unknown.join(', ')}`)
  view.errors = Object.fromEntries(Object.entries(words).map(([id, text]) => [id, String(text)]))
}

function closeTop(world: World, user: string): void {
  world.modals.set(user, (world.modals.get(user) ?? []).slice(0, -1))
}
