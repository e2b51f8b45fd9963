import { z } from 'zod'
import { count, flag, method, ts } from '../method.ts'
import { userJson } from '../shapes.ts'
import { SlackError } from '../slack-error.ts'
import { messageOf } from '../world.ts'

const authTest = method({
  tier: 'special',
  args: {},
  run: (_, { world }) => ({
    url: `https://${world.team.domain}.slack.com/`,
    team: world.team.name,
    user: world.app.name,
    team_id: world.team.id,
    user_id: world.app.botUser,
    bot_id: world.app.botId,
    app_id: world.app.id,
    is_enterprise_install: false,
  }),
})

const info = method({
  tier: 'tier4',
  scopes: ['users:read'],
  args: { user: z.string().min(1), include_locale: flag },
  run: (args, { world, scopes }) => {
    const user = world.users.get(args.user)
    if (user === undefined) throw new SlackError('user_not_found')
    return { user: userJson(world, user, scopes.has('users:read.email')) }
  },
})

const list = method({
  tier: 'tier2',
  scopes: ['users:read'],
  args: { cursor: z.string().optional(), limit: count(1_000), include_locale: flag },
  run: (_, { world, scopes }) => ({
    members: [...world.users.values()].map((user) => userJson(world, user, scopes.has('users:read.email'))),
    cache_ts: 0,
    response_metadata: { next_cursor: '' },
  }),
})

const botInfo = method({
  tier: 'tier3',
  scopes: ['users:read'],
  args: { bot: z.string().optional() },
  run: (args, { world: { app } }) => {
    if (args.bot !== app.botId) throw new SlackError('bot_not_found')
    return { bot: { id: app.botId, deleted: false, name: app.name, updated: 0, app_id: app.id, user_id: app.botUser, icons: {} } }
  },
})

const reaction = { channel: z.string().min(1), timestamp: ts, name: z.string().regex(/^[\w+'-]+$/) }

const addReaction = method({
  tier: 'tier3',
  scopes: ['reactions:write'],
  args: reaction,
  run: ({ channel, timestamp, name }, { world }) => {
    const { reactions } = messageOf(world, channel, timestamp)
    const user = world.app.botUser
    if (reactions.some((one) => one.name === name && one.user === user)) throw new SlackError('already_reacted')
    reactions.push({ name, user })
    return {}
  },
})

const removeReaction = method({
  tier: 'tier2',
  scopes: ['reactions:write'],
  args: reaction,
  run: ({ channel, timestamp, name }, { world }) => {
    const message = messageOf(world, channel, timestamp)
    const rest = message.reactions.filter((one) => one.name !== name || one.user !== world.app.botUser)
    if (rest.length === message.reactions.length) throw new SlackError('no_reaction')
    message.reactions = rest
    return {}
  },
})

const openConnection = method({
  tier: 'special',
  token: 'app',
  scopes: ['connections:write'],
  args: {},
  run: (_, { openSocketUrl }) => ({ url: openSocketUrl() }),
})

export const peopleMethods = {
  'auth.test': authTest,
  'users.info': info,
  'users.list': list,
  'bots.info': botInfo,
  'reactions.add': addReaction,
  'reactions.remove': removeReaction,
  'apps.connections.open': openConnection,
}
