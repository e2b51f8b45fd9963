import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { ExecutionState } from '../../../agent/domain/approval.ts'
import type { Database } from '../../../storage/schema.ts'
import { actorOf, authorisationOf, CHANNEL, clickOf, RENDER_HASH } from '../../support/kernel.ts'
import { type PlanOptions, SAMPLE_ACTIONS, samplePlan } from '../../support/kernel-plans.ts'
import { outcomeOf } from '../../support/kernel-sql.ts'
import { MINUTE, type Model, type PlanModel, RULES, SHAPE_RULES } from './model.ts'
import type { Step } from './steps.ts'
import { giveBack, LEASE_SECONDS, type World } from './world.ts'

/** One step, as the model says it ends and as the kernel ended it. */
export interface Played {
  expected: string
  actual: string
}

type Table = { model: Model; world: World }
type Of<Kind extends Step['do']> = Step & { do: Kind }

/** Takes one step in the model and in the kernel; null when it does not apply where things stand. A restored backup replaces `table.model`. */
export async function play(table: Table, wanted: Step): Promise<Played | null> {
  const { model, world } = table
  const step = among(model.plans.length, wanted)
  const { kernel } = world
  model.now += 1
  await world.clock(model.now)
  switch (step.do) {
    case 'propose':
      return await propose(table, step)
    case 'vote':
      return await vote(table, step)
    case 'cancel':
      return await onPlan(table, step, (plan, { requestId }) => [
        RULES.cancel(model, plan, 'ben'),
        kernel.approvals.cancel(requestId, 'ben', 'not now'),
      ])
    case 'later':
      model.now += step.seconds * 1_000
      return null
    case 'expire':
      RULES.expire(model)
      return await ended('done', kernel.approvals.expireDue())
    case 'stop':
      return await ended(RULES.stop(model, step.scope, step.person), kernel.control.stop(step.scope, step.person))
    case 'start': {
      const expected = RULES.start(model, step.scope, step.person)
      const answers = { started: true }
      const start = async (): Promise<void> =>
        void Object.assign(answers, await kernel.control.start(step.scope, step.person, step.person === 'host' ? 'host' : 'person'))
      const actual = await codeOf(start())
      return { expected, actual: answers.started ? actual : 'waiting' }
    }
    case 'freeze':
      return await freeze(table, step)
    case 'unfreeze': {
      const index = model.freezes.findIndex(({ ended: over }) => !over)
      if (index < 0) return null
      return await ended(RULES.unfreeze(model, index, step.person), kernel.control.unfreeze(world.freezeIds[index] ?? '', step.person))
    }
    case 'revoke':
    case 'grant':
      return await changePerson(table, step)
    case 'crash':
    case 'lapse':
      return await loseLease(table, step.do === 'crash')
    case 'keep':
      return await onPlan(table, step, (plan, { requestId }) => [
        RULES.keep(model, plan, step.person),
        kernel.approvals.keep(requestId, actorOf(step.person)),
      ])
    case 'backup':
      await world.takeBackup(model)
      return null
    case 'restore': {
      const restored = await world.restoreBackup()
      if (restored) table.model = { ...restored, now: model.now }
      return null
    }
    default:
      return await execute(table, step)
  }
}

/** A plan's number counts round, so that every step finds a plan once there is one. */
function among(plans: number, step: Step): Step {
  return 'plan' in step && plans > 0 ? { ...step, plan: step.plan % plans } : step
}

type Executing = Of<'claim'> | Of<'advance'> | Of<'next'> | Of<'undo'> | Of<'settle'>

/** What the executor does, as long as its journal knows nothing that the database does not. */
async function execute(table: Table, step: Executing): Promise<Played | null> {
  const { model, world } = table
  const ahead = await world.ahead()
  if (ahead !== isAhead(table)) return { expected: `journal ahead: ${!ahead}`, actual: `journal ahead: ${ahead}` }
  if (ahead) return null
  if (step.do === 'settle') return await ended(RULES.settle(model), world.kernel.executions.settleUndos(model.epoch))
  const plan = model.plans[step.plan]
  const asked = world.asked[step.plan]
  if (!plan || !asked) return null
  if (step.do === 'undo') {
    const executionId = world.executionIds.get(asked.parent.plan.id)
    if (plan.undoExpiresAt === null || executionId === undefined) return null
    return await ended(RULES.authoriseUndo(model, plan), world.kernel.executions.authoriseUndo(executionId))
  }
  if (step.do === 'next') return await next(table, step)
  if (step.undo && !asked.undo) return null
  const epoch = step.by === 'holder' ? model.epoch : model.epoch - 1
  return step.do === 'claim' ? await claim(table, step, epoch) : await advance(table, step, { to: step.to, epoch, samples: step.samples })
}

/** By the model alone: something that was sent is gone from it. */
function isAhead({ model, world }: Table): boolean {
  return world.journal.some(({ planId }) => {
    const index = world.asked.findIndex(({ parent, undo }) => parent.plan.id === planId || undo?.plan.id === planId)
    const plan = model.plans[index]
    const run = world.asked[index]?.parent.plan.id === planId ? plan?.run : plan?.undoRun
    return !run || run.sentAt === null
  })
}

type Choice = { plan: number; undo: boolean }
const GOOD: Readonly<Record<string, ExecutionState>> = {
  claimed: 'intent',
  intent: 'sent',
  sent: 'succeeded',
  unknown: 'succeeded',
  succeeded: 'verified',
}
const BAD: Readonly<Record<string, ExecutionState>> = {
  claimed: 'intent',
  intent: 'sent',
  sent: 'unknown',
  unknown: 'failed',
  succeeded: 'failed',
}

/** Walks a plan towards its end, and through its undo if it failed after it took place. */
async function next(table: Table, step: Of<'next'>): Promise<Played | null> {
  const { model } = table
  const plan = model.plans[step.plan]
  if (plan?.state === 'pending') return await nextVote(table, step.plan, plan)
  if (plan?.run?.openedAt != null && plan.run.state === 'failed') return await nextOfUndo(table, step, plan)
  if (!plan?.run) return await claim(table, { plan: step.plan, undo: false }, model.epoch)
  const to = (step.good ? GOOD : BAD)[plan.run.state]
  if (to === undefined) return null
  return await advance(table, { plan: step.plan, undo: false }, { to, epoch: model.epoch, samples: true })
}

async function nextVote(table: Table, index: number, plan: PlanModel): Promise<Played | null> {
  const person = (['ben', 'cleo', 'ada'] as const).find((name) => !plan.approvals.has(name)) ?? 'ada'
  return await vote(table, { do: 'vote', plan: index, person, decision: 'approve', again: false, typed: true })
}

async function nextOfUndo(table: Table, step: Of<'next'>, plan: PlanModel): Promise<Played | null> {
  const { model } = table
  if (model.now < (plan.run?.openedAt ?? 0) + MINUTE) {
    model.now += MINUTE
    return null
  }
  if (!plan.undoAuthorised) return await execute(table, { do: 'undo', plan: step.plan })
  if (!plan.undoRun) return await claim(table, { plan: step.plan, undo: true }, model.epoch)
  const to = (step.good ? GOOD : BAD)[plan.undoRun.state]
  if (to === undefined) return await execute(table, { do: 'settle' })
  return await advance(table, { plan: step.plan, undo: true }, { to, epoch: model.epoch, samples: true })
}

async function claim({ model, world }: Table, { plan: index, undo }: Choice, epoch: number): Promise<Played | null> {
  const [plan, asked] = [model.plans[index], world.asked[index]]
  if (!plan || !asked || !(undo ? plan.undoAuthorised : plan.authorised)) return null
  const planId = planIdOf(world, index, undo)
  const authorisationId = await authorisationOf(world.kernel.db, planId)
  const claimed = world.kernel.executions
    .claim(authorisationId, epoch)
    .then(({ executionId }) => void world.executionIds.set(planId, executionId))
  return await ended(RULES.claim(model, plan, undo, epoch), claimed)
}

async function advance(
  table: Table,
  { plan: index, undo }: Choice,
  step: { to: ExecutionState; epoch: number; samples: boolean },
): Promise<Played | null> {
  const { model, world } = table
  const plan = model.plans[index]
  const planId = planIdOf(world, index, undo)
  const executionId = world.executionIds.get(planId)
  if (!plan || executionId === undefined) return null
  const detail = step.to === 'verified' ? { samples: step.samples ? 3 : 0 } : {}
  const played = await ended(
    RULES.advance(model, plan, undo, step),
    world.kernel.executions.advance(executionId, step.to, step.epoch, detail),
  )
  if (step.to === 'sent' && played.actual === 'done') {
    const asked = world.asked[index]
    const digest = (undo ? asked?.undo?.digest : asked?.parent.digest) ?? ''
    world.journal.push({ executionId, planId, digest, resource: world.resource(plan.resource), at: world.at(model.now).toISOString() })
    world.effects.set(planId, (world.effects.get(planId) ?? 0) + 1)
  }
  return played
}

function planIdOf(world: World, index: number, undo: boolean): string {
  const asked = world.asked[index]
  return (undo ? asked?.undo?.plan.id : asked?.parent.plan.id) ?? ''
}

async function propose({ model, world }: Table, step: Of<'propose'>): Promise<Played> {
  const { needed, requester, ownVote, cooldown, undoSeconds } = SHAPE_RULES[step.shape]
  const options: PlanOptions = {
    action: step.shape === 'irreversible' ? SAMPLE_ACTIONS.purge : SAMPLE_ACTIONS.restart,
    incident: world.incident(step.incident),
    target: { name: world.resource(step.resource) },
    ...{ needed, requester, requesterMayApprove: ownVote, cooldownSeconds: cooldown, ttlSeconds: 600 },
    ...(undoSeconds === null ? {} : { undoTtlSeconds: undoSeconds }),
  }
  const { parent, undo } = samplePlan(world.at(model.now), options)
  const written = world.kernel.approvals
    .propose({ parent, undo, presentations: [CHANNEL], renderHash: RENDER_HASH, renderVersion: 1 })
    .then(({ id }) => void world.asked.push({ requestId: id, parent, undo }))
  return await ended(RULES.propose(model, step), written)
}

async function vote({ model, world }: Table, step: Of<'vote'>): Promise<Played | null> {
  const [plan, asked] = [model.plans[step.plan], world.asked[step.plan]]
  if (!plan || !asked) return null
  const before = [...plan.clicks].findLast(([, click]) => click.person === step.person)?.[0]
  const key = (step.again ? before : undefined) ?? randomUUID()
  const confirm = step.typed ? asked.parent.plan.approval.confirm : 'something else'
  const click = clickOf(asked, step.person, { decision: step.decision, deliveryKey: key, confirm })
  return await ended(RULES.vote(model, plan, step, key), world.kernel.approvals.vote(click))
}

async function onPlan(
  { model, world }: Table,
  { plan: index }: { plan: number },
  act: (plan: PlanModel, asked: World['asked'][number]) => [expected: string, actual: Promise<unknown>],
): Promise<Played | null> {
  const [plan, asked] = [model.plans[index], world.asked[index]]
  return plan && asked ? await ended(...act(plan, asked)) : null
}

async function freeze({ model, world }: Table, { scope, seconds, person }: Of<'freeze'>): Promise<Played> {
  const to = model.now + seconds * 1_000
  const named = scope.startsWith('resource:') ? `resource:sample/shop/service/${world.resource(Number(scope.slice(9)))}` : scope
  const allowed = RULES.may(model, person, 'responder')
  if (allowed) model.freezes.push({ scope, from: model.now, to, ended: false })
  const window = { scope: named, from: world.at(model.now), to: world.at(to), reason: 'a freeze', by: person }
  return await ended(
    allowed ? 'done' : 'refused not-authorised',
    world.kernel.control.freeze(window).then((id) => void world.freezeIds.push(id)),
  )
}

async function changePerson({ model, world }: Table, step: Of<'revoke'> | Of<'grant'>): Promise<Played | null> {
  const person = model.people.get(step.person)
  if (!person) return null
  const { db } = world.kernel
  if (step.do === 'grant') {
    const given = giveBack(world.kernel, step.person, { ...person })
    if (person.role === null) person.role = model.now
    if (person.link === null) person.link = model.now
    person.active = true
    return await ended('done', given)
  }
  if (step.what === 'active') person.active = false
  else person[step.what] = null
  return await ended('done', revoke(db, step))
}

async function revoke(db: Kysely<Database>, { what, person }: Of<'revoke'>): Promise<unknown> {
  if (what === 'active') return await sql`update principal set active = false where id = ${person}`.execute(db)
  if (what === 'role')
    return await sql`update role_grant set revoked_at = clk() where principal_id = ${person} and revoked_at is null`.execute(db)
  return await sql`update identity_link set revoked_at = clk() where external_id = ${`U-${person}`} and revoked_at is null`.execute(db)
}

/** The executor dies, or hangs until its lease is over; after a crash another one takes it. */
async function loseLease({ model, world }: Table, another: boolean): Promise<Played> {
  if (!model.lapsed) await sql`update lease set expires_at = clk() where name = 'executor'`.execute(world.kernel.db)
  model.lapsed = true
  if (!another) return { expected: 'done', actual: 'done' }
  const lease = await world.leases.acquire('executor', randomUUID(), LEASE_SECONDS)
  model.epoch += 1
  model.lapsed = false
  return { expected: `epoch ${model.epoch}`, actual: `epoch ${lease?.epoch}` }
}

async function ended(expected: string, write: Promise<unknown>): Promise<Played> {
  return { expected, actual: await codeOf(write) }
}

/** A guard's own words after the code are for people. */
async function codeOf(write: Promise<unknown>): Promise<string> {
  const outcome = await outcomeOf(write)
  return /^refused [a-z-]+/.exec(outcome)?.[0] ?? outcome
}
