import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { isJson, type Json } from '../json.ts'
import { embedded, type MethodContext, method } from '../method.ts'
import { viewJson } from '../shapes.ts'
import { SlackError, shapeError } from '../slack-error.ts'
import { problemsOfView } from '../validate.ts'
import { newId, type OpenView, takeTrigger, type World, withBlockIds } from '../world.ts'

/** Modals on top of each other, at most. */
const DEEPEST = 3

/** @throws SlackError invalid_arguments with each problem */
export function checkedView(view: unknown, type: 'modal' | 'home'): Json {
  if (!isJson(view)) throw shapeError('invalid_arguments', ['must provide an object [json-pointer:/view]'])
  const problems = problemsOfView(view)
  if (problems.length > 0) throw shapeError('invalid_arguments', problems)
  if (view['type'] !== type) throw shapeError('invalid_arguments', [`must be a ${type} [json-pointer:/view/type]`])
  return { ...view, blocks: withBlockIds(Array.isArray(view['blocks']) ? view['blocks'] : []) }
}

function addView(world: World, user: string, view: Json, below: OpenView | null): OpenView {
  const id = newId('V')
  const open: OpenView = { id, user, hash: newHash(world), view, previous: below?.id ?? null, root: below?.root ?? id, errors: {} }
  world.views.set(id, open)
  return open
}

function newHash(world: World): string {
  return `${Math.floor(world.now().getTime() / 1_000)}.${randomBytes(4).toString('hex')}`
}

/** Opens a modal alone on the screen. */
export function openModal(world: World, user: string, view: Json): OpenView {
  const open = addView(world, user, view, null)
  world.modals.set(user, [open.id])
  return open
}

/** Opens a modal on top. @throws SlackError push_limit_reached */
export function pushModal(world: World, user: string, view: Json): OpenView {
  const stack = world.modals.get(user) ?? []
  if (stack.length >= DEEPEST) throw new SlackError('push_limit_reached')
  const open = addView(world, user, view, world.views.get(stack.at(-1) ?? '') ?? null)
  world.modals.set(user, [...stack, open.id])
  return open
}

export function replaceView(world: World, open: OpenView, view: Json): void {
  open.view = view
  open.hash = newHash(world)
  open.errors = {}
}

const trigger = { trigger_id: z.string().optional(), interactivity_pointer: z.string().optional(), view: embedded }

const open = method({
  tier: 'tier4',
  args: trigger,
  run: (args, { world }) => {
    const view = checkedView(args.view, 'modal')
    const user = takeTrigger(world, args.trigger_id ?? args.interactivity_pointer ?? '')
    return { view: viewJson(world, openModal(world, user, view)) }
  },
})

const push = method({
  tier: 'tier4',
  args: trigger,
  run: (args, { world }) => {
    const view = checkedView(args.view, 'modal')
    const user = takeTrigger(world, args.trigger_id ?? args.interactivity_pointer ?? '')
    return { view: viewJson(world, pushModal(world, user, view)) }
  },
})

const update = method({
  tier: 'tier4',
  args: { view_id: z.string().optional(), external_id: z.string().optional(), hash: z.string().optional(), view: embedded },
  run: (args, { world }) => {
    const found = [...world.views.values()].find(({ id, view }) => id === args.view_id || isNamed(view, args.external_id))
    if (found === undefined || !isOpen(world, found)) throw new SlackError('not_found')
    if (args.hash !== undefined && args.hash !== found.hash) throw new SlackError('hash_conflict')
    replaceView(world, found, checkedView(args.view, found.view['type'] === 'home' ? 'home' : 'modal'))
    return { view: viewJson(world, found) }
  },
})

function isNamed(view: Json, externalId: string | undefined): boolean {
  return externalId !== undefined && view['external_id'] === externalId
}

function isOpen(world: World, { id, user }: OpenView): boolean {
  return world.homes.get(user) === id || (world.modals.get(user) ?? []).includes(id)
}

const publish = method({
  tier: 'tier4',
  args: { user_id: z.string().min(1), hash: z.string().optional(), view: embedded },
  run: (args, context) => ({ view: viewJson(context.world, publishHome(args, context)) }),
})

function publishHome(args: { user_id: string; hash?: string | undefined; view: unknown }, { world }: MethodContext): OpenView {
  if (!world.users.has(args.user_id)) throw new SlackError('user_not_found')
  const view = checkedView(args.view, 'home')
  const known = world.views.get(world.homes.get(args.user_id) ?? '')
  if (known === undefined) {
    const added = addView(world, args.user_id, view, null)
    world.homes.set(args.user_id, added.id)
    return added
  }
  if (args.hash !== undefined && args.hash !== known.hash) throw new SlackError('hash_conflict')
  replaceView(world, known, view)
  return known
}

export const viewMethods = { 'views.open': open, 'views.push': push, 'views.update': update, 'views.publish': publish }
