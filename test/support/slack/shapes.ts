import type { Json } from './json.ts'
import type { Conversation, OpenView, SlackFile, SlackMessage, SlackUser, World } from './world.ts'

/** How Slack writes its things as JSON. */
export function messageJson(world: World, message: SlackMessage, withMetadata = false): Json {
  const replies = repliesTo(world, message)
  const users = [...new Set(replies.map(({ user }) => user))]
  return {
    type: 'message',
    ...(message.broadcast ? { subtype: 'thread_broadcast' } : {}),
    user: message.user,
    ts: message.ts,
    ...(message.botId === null ? {} : { bot_id: message.botId, app_id: world.app.id, bot_profile: botProfile(world) }),
    text: message.text,
    team: world.users.get(message.user)?.teamId ?? world.team.id,
    ...(message.blocks.length === 0 ? {} : { blocks: message.blocks }),
    ...(message.attachments.length === 0 ? {} : { attachments: message.attachments }),
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs, parent_user_id: message.user }),
    ...(replies.length === 0
      ? {}
      : {
          thread_ts: message.ts,
          reply_count: replies.length,
          reply_users_count: users.length,
          reply_users: users,
          latest_reply: replies.at(-1)?.ts,
        }),
    ...(message.stream === null ? {} : { streaming_state: message.stream.open ? 'in_progress' : 'completed' }),
    ...(message.editedTs === null ? {} : { edited: { user: message.user, ts: message.editedTs } }),
    ...(message.files.length === 0 ? {} : { files: message.files.map((file) => fileJson(world, file)) }),
    ...(message.reactions.length === 0 ? {} : { reactions: reactionsJson(message) }),
    ...(withMetadata && message.metadata !== null ? { metadata: message.metadata } : {}),
  }
}

/** Replies in a message's thread that are still there, oldest first. */
export function repliesTo(world: World, { channel, ts }: SlackMessage): SlackMessage[] {
  const messages = world.conversations.get(channel)?.messages ?? []
  return messages.filter(({ threadTs, deleted, ephemeralFor }) => threadTs === ts && !deleted && ephemeralFor === null)
}

function reactionsJson({ reactions }: SlackMessage): Json[] {
  return [...new Set(reactions.map(({ name }) => name))].map((name) => {
    const users = reactions.filter((one) => one.name === name).map(({ user }) => user)
    return { name, users, count: users.length }
  })
}

function botProfile(world: World): Json {
  const { app, team } = world
  return { id: app.botId, app_id: app.id, name: app.name, user_id: app.botUser, deleted: false, updated: 0, icons: {}, team_id: team.id }
}

export function userJson(world: World, user: SlackUser, withEmail: boolean): Json {
  const { role } = user
  const profile = { real_name: user.realName, display_name: user.name, team: user.teamId, ...(withEmail ? { email: user.email } : {}) }
  const known = {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    real_name: user.realName,
    deleted: role === 'deactivated',
    profile,
    updated: 0,
  }
  if (role === 'deactivated') return { ...known, is_bot: false, is_app_user: false }
  if (role === 'stranger') return { ...known, is_stranger: true, is_bot: false, is_restricted: false, is_ultra_restricted: false }
  return {
    ...known,
    tz: 'Europe/London',
    tz_label: 'Greenwich Mean Time',
    tz_offset: 0,
    is_admin: role === 'admin' || role === 'owner',
    is_owner: role === 'owner',
    is_primary_owner: role === 'owner',
    is_restricted: role === 'guest' || role === 'single-channel-guest',
    is_ultra_restricted: role === 'single-channel-guest',
    is_bot: role === 'bot',
    is_app_user: user.id === world.app.botUser,
    is_email_confirmed: true,
  }
}

export function conversationJson(world: World, conversation: Conversation): Json {
  const { id, kind, name, members, archived, shared } = conversation
  if (kind === 'im') {
    const user = [...members].find((member) => member !== world.app.botUser)
    return {
      id,
      created: 0,
      is_im: true,
      is_org_shared: false,
      user,
      is_archived: archived,
      is_user_deleted: false,
      context_team_id: world.team.id,
    }
  }
  return {
    id,
    name,
    name_normalized: name,
    created: 0,
    creator: [...members][0] ?? world.app.botUser,
    is_channel: kind === 'public',
    is_group: kind === 'private',
    is_im: false,
    is_mpim: false,
    is_private: kind === 'private',
    is_archived: archived,
    is_general: false,
    is_shared: shared,
    is_ext_shared: shared,
    is_org_shared: false,
    is_member: members.has(world.app.botUser),
    num_members: members.size,
    context_team_id: world.team.id,
    topic: { value: '', creator: '', last_set: 0 },
    purpose: { value: '', creator: '', last_set: 0 },
  }
}

export function fileJson(world: World, file: SlackFile): Json {
  const { id, name, title, altText, mimeType, content } = file
  return {
    id,
    name,
    title,
    mimetype: mimeType,
    filetype: name.split('.').at(-1) ?? '',
    size: content.length,
    mode: 'hosted',
    user: world.app.botUser,
    ...(altText === '' ? {} : { alt_txt: altText }),
    url_private: `https://slack-files.example/${id}/${name}`,
    permalink: permalinkOf(world, 'files', id),
  }
}

export function viewJson(world: World, open: OpenView, state: Json = {}): Json {
  const { view, id, hash, previous, root } = open
  return {
    id,
    team_id: world.team.id,
    private_metadata: '',
    callback_id: '',
    external_id: '',
    close: null,
    submit: null,
    clear_on_close: false,
    notify_on_close: false,
    ...view,
    state: { values: state },
    hash,
    previous_view_id: previous,
    root_view_id: root,
    app_id: world.app.id,
    app_installed_team_id: world.team.id,
    bot_id: world.app.botId,
  }
}

export function permalinkOf({ team }: World, ...parts: string[]): string {
  return `https://${team.domain}.slack.com/${parts.join('/')}`
}
