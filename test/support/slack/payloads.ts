import type { Json } from './json.ts'
import { conversationJson, messageJson, viewJson } from './shapes.ts'
import { type Conversation, newId, nextTs, type OpenView, type SlackMessage, type SlackUser, type World } from './world.ts'

/** What Slack sends to the app, as JSON. Shapes as in slackapi/java-slack-sdk's recorded samples (MIT). */
export function eventBody(world: World, event: Json, actor: SlackUser | null = null): Json {
  const isForeign = actor?.role === 'stranger'
  return {
    token: 'verification-token',
    team_id: world.team.id,
    context_team_id: world.team.id,
    context_enterprise_id: null,
    api_app_id: world.app.id,
    event: actor === null ? event : { ...event, user_team: actor.teamId, source_team: actor.teamId, team: actor.teamId },
    type: 'event_callback',
    event_id: newId('Ev'),
    event_time: Math.floor(world.now().getTime() / 1_000),
    authorizations: [
      { enterprise_id: null, team_id: world.team.id, user_id: world.app.botUser, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: isForeign,
    event_context: newId('EC'),
  }
}

/** Who and where, in every interaction. In Slack Connect `team` is the actor's own workspace. */
function interaction(world: World, user: SlackUser, type: string, triggerId: string): Json {
  return {
    type,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
    api_app_id: world.app.id,
    token: 'verification-token',
    trigger_id: triggerId,
    team: { id: user.teamId, domain: user.teamId === world.team.id ? world.team.domain : 'elsewhere' },
    enterprise: null,
    is_enterprise_install: false,
  }
}

/** A button, menu entry or other element that was used: what an entry of `actions` holds beside the time. */
export type UsedElement = Json & { action_id: string; block_id: string; type: string }

export interface ClickOn {
  readonly user: SlackUser
  readonly used: UsedElement
  readonly triggerId: string
  readonly on:
    | { readonly message: SlackMessage; readonly channel: Conversation; readonly responseUrl: string }
    | { readonly view: OpenView; readonly state: Json }
}

export function blockActions(world: World, { user, used, triggerId, on }: ClickOn): Json {
  const actions = [{ ...used, action_ts: nextTs(world) }]
  const base = interaction(world, user, 'block_actions', triggerId)
  if ('view' in on) {
    return { ...base, container: { type: 'view', view_id: on.view.id }, view: viewJson(world, on.view, on.state), actions }
  }
  const { message, channel, responseUrl } = on
  const isEphemeral = message.ephemeralFor !== null
  const thread = message.threadTs === null ? {} : { thread_ts: message.threadTs }
  return {
    ...base,
    container: { type: 'message', message_ts: message.ts, channel_id: channel.id, is_ephemeral: isEphemeral, ...thread },
    channel: { id: channel.id, name: channel.kind === 'im' ? 'directmessage' : channel.name },
    // A message that only one person sees is kept nowhere: Slack cannot send it along.
    ...(isEphemeral ? {} : { message: messageJson(world, message) }),
    state: { values: {} },
    response_url: responseUrl,
    actions,
  }
}

export function viewSubmission(world: World, to: { user: SlackUser; view: OpenView; state: Json; triggerId: string }): Json {
  const { user, view, state, triggerId } = to
  return { ...interaction(world, user, 'view_submission', triggerId), view: viewJson(world, view, state), response_urls: [] }
}

export function viewClosed(world: World, to: { user: SlackUser; view: OpenView; cleared: boolean }): Json {
  const { trigger_id: _, ...base } = interaction(world, to.user, 'view_closed', '')
  return { ...base, view: viewJson(world, to.view), is_cleared: to.cleared }
}

/** A shortcut names no app, as Slack's own reference of its fields has it. */
function shortcut(world: World, user: SlackUser, type: 'shortcut' | 'message_action', triggerId: string): Json {
  const { api_app_id: _, ...named } = interaction(world, user, type, triggerId)
  return named
}

export function globalShortcut(
  world: World,
  { user, callbackId, triggerId }: { user: SlackUser; callbackId: string; triggerId: string },
): Json {
  return { ...shortcut(world, user, 'shortcut', triggerId), callback_id: callbackId, action_ts: nextTs(world) }
}

export function messageShortcut(
  world: World,
  to: { user: SlackUser; callbackId: string; triggerId: string; message: SlackMessage; channel: Conversation; responseUrl: string },
): Json {
  const { user, callbackId, triggerId, message, channel, responseUrl } = to
  return {
    ...shortcut(world, user, 'message_action', triggerId),
    callback_id: callbackId,
    action_ts: nextTs(world),
    message_ts: message.ts,
    response_url: responseUrl,
    channel: { id: channel.id, name: channel.kind === 'im' ? 'directmessage' : channel.name },
    message: messageJson(world, message),
  }
}

/** The fields of a slash command's form. */
export function slashCommand(
  world: World,
  to: { user: SlackUser; channel: Conversation; command: string; text: string; triggerId: string; responseUrl: string },
): Record<string, string> {
  const { user, channel, command, text, triggerId, responseUrl } = to
  return {
    token: 'verification-token',
    team_id: user.teamId,
    team_domain: user.teamId === world.team.id ? world.team.domain : 'elsewhere',
    channel_id: channel.id,
    channel_name: channel.kind === 'im' ? 'directmessage' : String(conversationJson(world, channel)['name']),
    user_id: user.id,
    user_name: user.name,
    command,
    text,
    api_app_id: world.app.id,
    is_enterprise_install: 'false',
    response_url: responseUrl,
    trigger_id: triggerId,
  }
}
