import type { ExecutionState } from '../../../agent/domain/approval.ts'
import type { Shape, Step } from './steps.ts'

/** An execution as the rules see it; times in milliseconds of the model's clock. */
export interface Run {
  state: ExecutionState
  epoch: number
  intentEpoch: number | null
  sentAt: number | null
  /** When it was judged failed although it had succeeded: from then on its undo has ten minutes. */
  openedAt: number | null
}

export interface PlanModel {
  shape: Shape
  incident: number
  resource: number
  needed: number
  requester: string | null
  ownVote: boolean
  typed: boolean
  cooldown: number
  expiresAt: number
  /** Null for a plan without a way back. */
  undoExpiresAt: number | null
  state: 'pending' | 'authorised' | 'denied' | 'expired' | 'cancelled' | 'superseded'
  /** By person: the account and the role that the approval was given with. */
  approvals: Map<string, { link: number; role: number }>
  /** Clicks by their delivery key. */
  clicks: Map<string, { person: string; decision: string }>
  authorised: boolean
  undoAuthorised: boolean
  run: Run | null
  undoRun: Run | null
  waived: 'kept' | 'lapsed' | null
}

/** Null where it was revoked; a number tells one grant, or link, from the one before. */
export interface Person {
  rank: number
  role: number | null
  link: number | null
  active: boolean
}

/** The whole state of the rules, and nothing else: the kernel must answer every step as this does. */
export interface Model {
  now: number
  plans: PlanModel[]
  people: Map<string, Person>
  stopped: Map<string, Map<string, number>>
  freezes: { scope: string; from: number; to: number; ended: boolean }[]
  epoch: number
  lapsed: boolean
}

export const MINUTE = 60_000
export const SHAPE_RULES: Readonly<
  Record<Shape, Pick<PlanModel, 'needed' | 'requester' | 'ownVote' | 'typed' | 'cooldown'> & { undoSeconds: number | null }>
> = {
  one: { needed: 1, requester: null, ownVote: false, typed: false, cooldown: 0, undoSeconds: 3_000 },
  two: { needed: 2, requester: null, ownVote: false, typed: false, cooldown: 0, undoSeconds: 3_000 },
  own: { needed: 1, requester: 'ada', ownVote: false, typed: false, cooldown: 0, undoSeconds: 3_000 },
  'own-allowed': { needed: 1, requester: 'ada', ownVote: true, typed: false, cooldown: 0, undoSeconds: 3_000 },
  irreversible: { needed: 2, requester: null, ownVote: false, typed: true, cooldown: 0, undoSeconds: null },
  cooling: { needed: 1, requester: null, ownVote: false, typed: false, cooldown: 120, undoSeconds: 400 },
}

const RANKS = { viewer: 1, responder: 2, approver: 3 } as const
const NEXT: Readonly<Record<string, readonly ExecutionState[]>> = {
  claimed: ['intent', 'aborted'],
  intent: ['sent', 'aborted'],
  sent: ['succeeded', 'failed', 'unknown'],
  unknown: ['succeeded', 'failed'],
  succeeded: ['verified', 'failed', 'undetermined'],
  failed: ['undone'],
}
const IN_FLIGHT: readonly string[] = ['claimed', 'intent', 'sent', 'unknown', 'succeeded']

/** Who may: a person who is active and holds at least this role. */
const may = (model: Model, name: string, role: keyof typeof RANKS): boolean => {
  const person = model.people.get(name)
  return person?.active === true && person.role !== null && person.rank >= RANKS[role]
}
const mayDecide = (model: Model, name: string, plan: PlanModel): boolean =>
  may(model, name, 'approver') && (plan.requester !== name || plan.ownVote)
/** Approvals that count now: given with the account and the role that the person still has. */
const standing = (model: Model, plan: PlanModel): number =>
  [...plan.approvals].filter(([name, { link, role }]) => {
    const person = model.people.get(name)
    return mayDecide(model, name, plan) && person?.link === link && person.role === role
  }).length
const isStopped = (model: Model, plan: PlanModel): boolean =>
  ['*', 'env:shop', ...(plan.shape === 'irreversible' ? [] : ['kind:sample.restart'])].some((scope) => model.stopped.has(scope))
const isFrozen = (model: Model, plan: PlanModel): boolean =>
  model.freezes.some(
    ({ scope, from, to, ended }) =>
      !ended && from <= model.now && model.now < to && ['*', 'env:shop', `resource:${plan.resource}`].includes(scope),
  )
const fenced = (model: Model, epoch: number): boolean => model.lapsed || epoch !== model.epoch
const runsOf = (plan: PlanModel): Run[] => [plan.run, plan.undoRun].filter((run) => run !== null)
const sends = (plans: readonly PlanModel[], but: Run): number => plans.filter(({ run }) => run && run !== but && run.sentAt !== null).length

/** Why nothing may be sent now; null when it may. */
function refusalToAct(model: Model, plan: PlanModel, undo: boolean, run: Run): string | null {
  if (isStopped(model, plan)) return 'kill-switch'
  if (isFrozen(model, plan)) return 'frozen'
  if ((undo ? (plan.undoExpiresAt ?? 0) : plan.expiresAt) <= model.now) return 'expired'
  if (plan.state !== 'authorised') return 'cancelled'
  if (standing(model, plan) < plan.needed) return 'lost-authority'
  if (undo) return plan.waived ? 'kept' : null
  const neighbours = model.plans.filter(({ resource }) => resource === plan.resource).flatMap(runsOf)
  if (neighbours.some((other) => other !== run && other.sentAt !== null && other.sentAt > model.now - plan.cooldown * 1_000))
    return 'cooldown'
  const story = model.plans.filter(({ incident }) => incident === plan.incident)
  if (
    sends(
      story.filter(({ resource }) => resource === plan.resource),
      run,
    ) >= 2
  )
    return 'attempts-exhausted'
  return plan.needed < 2 && sends(story, run) >= 2 ? 'needs-more-people' : null
}

function propose(model: Model, { shape, incident, resource }: Step & { do: 'propose' }): string {
  const { undoSeconds, ...rules } = SHAPE_RULES[shape]
  const plan: PlanModel = {
    ...{
      shape,
      incident,
      resource,
      ...rules,
      expiresAt: model.now + 10 * MINUTE,
      state: 'pending',
      authorised: false,
      undoAuthorised: false,
    },
    ...{ undoExpiresAt: undoSeconds === null ? null : model.now + undoSeconds * 1_000, approvals: new Map(), clicks: new Map() },
    ...{ run: null, undoRun: null, waived: null },
  }
  if ([...model.people.keys()].filter((name) => mayDecide(model, name, plan)).length < plan.needed) return 'refused nobody-may-approve'
  for (const older of model.plans) if (older.incident === incident && older.state === 'pending') older.state = 'superseded'
  model.plans.push(plan)
  return 'done'
}

function voteRefusal(model: Model, plan: PlanModel, { person, decision, typed }: Step & { do: 'vote' }): string | null {
  if (model.people.get(person)?.link === null) return 'not-linked'
  if (!may(model, person, 'approver')) return 'not-authorised'
  if (plan.state === 'cancelled' || plan.state === 'superseded') return plan.state
  if (plan.state === 'expired' || (plan.state === 'pending' && plan.expiresAt <= model.now)) return 'expired'
  if (plan.state !== 'pending') return 'already-decided'
  if (decision === 'deny') return null
  if (plan.requester === person && !plan.ownVote) return 'self-approval'
  if (plan.typed && !typed) return 'step-up-required'
  if (isStopped(model, plan)) return 'kill-switch'
  return isFrozen(model, plan) ? 'frozen' : null
}

function vote(model: Model, plan: PlanModel, step: Step & { do: 'vote' }, key: string): string {
  const { person, decision } = step
  const account = model.people.get(person)
  const before = plan.clicks.get(key)
  const same = before?.person === person && before.decision === decision
  const counted = before !== undefined || (decision === 'approve' && plan.approvals.has(person))
  const refusal = voteRefusal(model, plan, step) ?? (counted ? 'already-voted' : null)
  if (refusal) return same ? 'done' : `refused ${refusal}`
  plan.clicks.set(key, { person, decision })
  if (decision === 'deny') plan.state = 'denied'
  else {
    plan.approvals.set(person, { link: account?.link ?? 0, role: account?.role ?? 0 })
    if (standing(model, plan) >= plan.needed) Object.assign(plan, { state: 'authorised', authorised: true })
  }
  return 'done'
}

function cancel(model: Model, plan: PlanModel, person: string): string {
  if (plan.state === 'authorised' && plan.run && (plan.run.sentAt !== null || plan.run.state === 'aborted')) return 'refused too-late'
  if (plan.state !== 'authorised' && plan.state !== 'pending') return 'refused already-decided'
  if (!may(model, person, 'responder')) return 'refused not-authorised'
  plan.state = 'cancelled'
  return 'done'
}

function expire(model: Model): void {
  for (const plan of model.plans) {
    const waits = plan.state === 'pending' || (plan.state === 'authorised' && !plan.run)
    if (waits && plan.expiresAt <= model.now) plan.state = 'expired'
  }
}

function claim(model: Model, plan: PlanModel, undo: boolean, epoch: number): string {
  if (fenced(model, epoch)) return 'refused fenced'
  if (undo ? plan.waived : plan.state === 'expired') return 'refused expired'
  if (model.plans.some((other) => other.resource === plan.resource && runsOf(other).some(({ state }) => IN_FLIGHT.includes(state))))
    return 'refused in-flight'
  if (undo ? plan.undoRun : plan.run) return 'refused already-sent'
  const run: Run = { state: 'claimed', epoch, intentEpoch: null, sentAt: null, openedAt: null }
  if (undo) plan.undoRun = run
  else plan.run = run
  return 'done'
}

function advance(
  model: Model,
  plan: PlanModel,
  undo: boolean,
  { to, epoch, samples }: { to: ExecutionState; epoch: number; samples: boolean },
): string {
  const run = undo ? plan.undoRun : plan.run
  if (!run) return 'nothing to do'
  if (fenced(model, epoch)) return 'refused fenced'
  const refusal = to === 'intent' || to === 'sent' ? refusalToAct(model, plan, undo, run) : null
  if (refusal) return `refused ${refusal}`
  if (to === 'sent' && run.intentEpoch !== epoch) return 'refused fenced'
  if (to === 'undone' && (undo || plan.undoRun?.state !== 'verified')) return 'refused undo-not-due'
  if (to === 'verified' && !samples) return 'constraint verified_has_samples'
  if ((to === 'intent' && run.intentEpoch !== null) || (to === 'sent' && run.sentAt !== null)) return 'refused already-sent'
  if (!NEXT[run.state]?.includes(to)) return 'constraint execution_takes_allowed_steps'
  if (to === 'failed' && run.state === 'succeeded') run.openedAt = model.now
  if (to === 'intent') run.intentEpoch = epoch
  if (to === 'sent') run.sentAt = model.now
  Object.assign(run, { state: to, epoch })
  return 'done'
}

function authoriseUndo(model: Model, plan: PlanModel): string {
  const opened = plan.run?.openedAt ?? null
  if ((plan.undoExpiresAt ?? 0) <= model.now) return 'refused expired'
  if (isStopped(model, plan)) return 'refused kill-switch'
  if (isFrozen(model, plan)) return 'refused frozen'
  if (plan.run?.state !== 'failed' || opened === null) return 'refused undo-not-due'
  if (plan.waived) return 'refused kept'
  if (model.now < opened + MINUTE) return 'refused undo-not-due'
  if (model.now > opened + 10 * MINUTE) return 'refused expired'
  if (plan.undoAuthorised) return 'refused already-decided'
  plan.undoAuthorised = true
  return 'done'
}

function keep(model: Model, plan: PlanModel, person: string): string {
  if (model.people.get(person)?.link === null) return 'refused not-linked'
  if (!plan.run) return 'refused undo-not-due'
  if (plan.waived) return plan.waived === 'kept' ? 'refused kept' : 'refused too-late'
  if (plan.run.state !== 'failed' || plan.run.openedAt === null || plan.undoExpiresAt === null) return 'refused undo-not-due'
  if (plan.undoAuthorised) return 'refused too-late'
  if (!may(model, person, 'viewer')) return 'refused not-authorised'
  plan.waived = 'kept'
  return 'done'
}

function settle(model: Model): string {
  for (const plan of model.plans) {
    const { run, undoRun, undoExpiresAt, waived, undoAuthorised } = plan
    const open = run?.state === 'failed' && run.openedAt !== null && undoExpiresAt !== null && !waived && !undoRun
    const windowOver = !undoAuthorised && model.now > (run?.openedAt ?? 0) + 10 * MINUTE
    if (open && (windowOver || undoExpiresAt <= model.now)) plan.waived = 'lapsed'
  }
  const undone = model.plans.filter(({ run, undoRun }) => run?.state === 'failed' && undoRun?.state === 'verified')
  if (undone.length > 0 && model.lapsed) return 'refused fenced'
  for (const { run } of undone) Object.assign(run ?? {}, { state: 'undone', epoch: model.epoch })
  return 'done'
}

function stop(model: Model, scope: string, person: string): string {
  if (!may(model, person, 'approver')) return 'refused not-authorised'
  model.stopped.set(scope, new Map())
  return 'done'
}

function start(model: Model, scope: string, person: string): string {
  const votes = model.stopped.get(scope)
  if (!votes) return 'done'
  if (person !== 'host') {
    if (!may(model, person, 'approver')) return 'refused not-authorised'
    const counts = (at: number | undefined): boolean => at !== undefined && at > model.now - 10 * MINUTE
    if (!counts(votes.get(person))) votes.set(person, model.now)
    if ([...votes].filter(([name, at]) => counts(at) && may(model, name, 'approver')).length < 2) return 'waiting'
  }
  model.stopped.delete(scope)
  return 'done'
}

function unfreeze(model: Model, index: number, person: string): string {
  const freeze = model.freezes[index]
  if (!freeze || freeze.ended) return 'refused too-late'
  if (!may(model, person, 'responder')) return 'refused not-authorised'
  freeze.ended = true
  return 'done'
}

/** The rules, by name; each changes the model and says how the step ends. */
export const RULES = { propose, vote, cancel, expire, claim, advance, authoriseUndo, keep, settle, stop, start, unfreeze, may }
