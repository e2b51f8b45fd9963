import { type CanonicalValue, canonicalJson, digestOf } from '../../agent/domain/canonical-json.ts'
import type { ChangeLine, Plan } from '../../agent/domain/plan.ts'
import { type CardBlock, type ChangedField, type Fact, fact, facts, list, note, text } from './card.ts'
import { cardSize } from './card-size.ts'
import { stillBroken } from './metric-words.ts'
import { bold, code, exact, joinSpans, type Span, say, scalar } from './span.ts'
import { successWords } from './success-words.ts'
import { dayTime, durationWords } from './time-words.ts'

/** Goes up whenever the same plan would be shown differently, so that a stored render hash says by which rendering it was made. */
export const RENDER_VERSION = 2

/** How long a failed action waits for somebody to press Keep before it is undone, in seconds. */
export const KEEP_SECONDS = 60
const HASH_SHOWN = 12

/**
 * Everything a click covers, in words: a pure function of the plan alone, so that two plans that differ in anything look different. Nothing in
 * it is cut; a plan for which that is too much has no Approve button, see `fitsOnCard`.
 */
export function planFacts(plan: Plan): CardBlock[] {
  return [...planBody(plan), planPrint(plan)]
}

/** What is read before a decision. */
export function planBody(plan: Plan): CardBlock[] {
  return [
    facts(...mainFacts(plan)),
    ...list(
      'Mind',
      (plan.cautions ?? []).map((words) => say`${exact(words)}`),
    ),
    ...changes('What changes (dry run)', plan.changes),
    ...list('Counts as success', successWords(plan.success)),
    ...list('Runs only if, at that moment', conditions(plan)),
    ...undoBlocks(plan),
    note(decisionPrint(plan)),
  ]
}

/** The ids and the rest that a click covers, as small print: a card shows it last. */
export function planPrint(plan: Plan): CardBlock {
  return note(smallPrint(plan))
}

/** SHA-256 (64 hex digits) of the canonical JSON of the facts; stored with the request and compared with a re-render. */
export function renderHash(plan: Plan): string {
  return digestOf(canonicalJson(planFacts(plan) as unknown as CanonicalValue))
}

/** The share of a card that the facts of a plan may take, in characters as the most wasteful platform counts them, and in lines. */
const BUDGET = { characters: 6_000, block: 2_800, fact: 1_500, blocks: 12, items: 40 }

/** Whether all facts of the plan can be read on one card on every platform. If not, the plan cannot be approved. */
export function fitsOnCard(plan: Plan): boolean {
  const size = cardSize(planFacts(plan))
  return (
    size.characters <= BUDGET.characters &&
    size.largestBlock <= BUDGET.block &&
    size.largestFact <= BUDGET.fact &&
    size.blocks <= BUDGET.blocks &&
    size.items <= BUDGET.items
  )
}

/** `version`: `v42` → `v41`, line by line. */
export function changes(heading: string, lines: readonly ChangeLine[]): CardBlock[] {
  const shown = lines.map((line): ChangedField => ({ field: code(line.field), from: scalar(line.from), to: scalar(line.to) }))
  return shown.length === 0 ? [] : [{ type: 'changes', title: heading, lines: shown }]
}

function mainFacts(plan: Plan): Fact[] {
  const { target, action } = plan
  return [
    fact('Action', say`${exact(action.title)} · ${code(action.kind)}${parameterWords(plan.parameters)}`),
    fact('Target', say`${code(target.name)} · ${code(target.kind)} in ${code(target.environment)}`),
    fact('Blast radius', blastWords(plan.blastRadius)),
    fact('Risk', say`${RISK_WORDS[plan.risk]}; ${wayBackWords(plan)}`),
  ]
}

const RISK_WORDS: Readonly<Record<Plan['risk'], string>> = { safe: 'safe', caution: 'medium' }

/** Each of the three looks different, with an undo and without one. */
function wayBackWords({ reversibility, undo }: Plan): string {
  if (reversibility === 'irreversible') return 'cannot be put back'
  if (reversibility === 'reversible') return undo ? 'can be put back exactly' : 'nothing to put back'
  return undo ? 'can be put back' : 'could be put back by hand only'
}

/** In the order of the canonical form: a plan that was stored and read again looks the same. */
function parameterWords(parameters: Plan['parameters']): Span[] {
  const names = Object.keys(parameters).sort()
  const given = names.map((name) => say`${code(name)} = ${scalar(parameters[name] ?? null)}`)
  return given.length === 0 ? [] : say` with ${joinSpans(given)}`
}

function blastWords({ replicas, ofReplicas, downtime, dependents, moreDependents }: Plan['blastRadius']): Span[] {
  const used = usedByWords(dependents, moreDependents ?? 0)
  return say`${replicas} of ${ofReplicas} replicas; downtime: ${exact(downtime || 'not stated')}; ${used}`
}

function usedByWords(named: readonly string[], more: number): Span[] {
  const names = joinSpans(named.map((name) => [code(name)]))
  if (more === 0) return named.length === 0 ? say`nothing known depends on it` : say`used by ${names}`
  const services = more === 1 ? 'service' : 'services'
  return named.length === 0
    ? say`used by ${more} ${services}, not named here`
    : say`used by ${names} and ${more} more, ${named.length + more} services in all`
}

function undoBlocks(plan: Plan): CardBlock[] {
  if (!plan.undo) return [text(say`${bold('If it fails')}: there is no undo for this action. A person has to take over.`)]
  return [
    text(
      say`${bold('If it fails')}: ${exact(plan.undo.title)}, by itself after ${KEEP_SECONDS} s, unless somebody presses Keep. Your click covers this too.`,
    ),
    ...changes('The undo would change', plan.undo.changes),
  ]
}

/** `symptom` is the bound that holds again once the incident healed. */
function conditions(plan: Plan): Span[][] {
  const still = plan.preconditions.map(({ field, equals }) => say`${code(field)} is still ${scalar(equals)}`)
  return [...(plan.symptom ? [stillBroken(plan.symptom)] : []), ...still]
}

function decisionPrint(plan: Plan): Span[] {
  const { approval, limits, requester } = plan
  const people = approval.needed === 1 ? `1 ${approval.role}` : `${approval.needed} people with the role ${approval.role}`
  const asked = requester === null ? say`proposed by Steadyhand` : say`asked for by ${code(requester)}`
  const own = requester === null ? '' : approval.requesterMayApprove ? '; the asker may approve' : '; the asker may not approve'
  const typed = approval.confirm === null ? [] : say`, ${code(approval.confirm)} has to be typed`
  const attempts = limits.maxAttempts === 1 ? '1 attempt' : `${limits.maxAttempts} attempts`
  return say`Policy rule ${code(approval.rule)}: needs ${people}${typed}; ${asked}${own}. At most ${attempts}, ${durationWords(limits.cooldownSeconds)} apart. Can be decided until ${dayTime(new Date(plan.expiresAt))}.`
}

function smallPrint(plan: Plan): Span[] {
  const { target, action, cause, approval, requester } = plan
  const own = requester === null && approval.requesterMayApprove ? '. Who asks for this action may approve it too' : ''
  const undo = plan.undo ? say`; undo plan ${code(plan.undo.plan)} with digest ${code(plan.undo.digest.slice(0, HASH_SHOWN))}` : []
  const undoOf = plan.undoOf ? say`; undoes plan ${code(plan.undoOf)}` : []
  const head = say`Plan ${code(plan.id)} for incident ${code(plan.incident)} (Sev ${plan.severity}), made ${dayTime(new Date(plan.createdAt))}`
  const why =
    cause.class === 'unknown' ? say`about ${code(cause.component)}` : say`against ${code(cause.class)} of ${code(cause.component)}`
  const what = say`${code(action.kind)} version ${action.version} on ${code(target.provider)} ${code(plan.resource)}, uid ${code(target.uid)}`
  return say`${head} ${why}: ${what}. Build ${code(plan.build.slice(0, HASH_SHOWN))}${undo}${undoOf}. Its effect is recognised so: ${exact(plan.probe)}${own}`
}
