import type { Approval } from '../../agent/domain/approval.ts'
import { type CardBlock, type Fact, fact, facts, list } from './card.ts'
import { type NameOf, personName, voteWords } from './outcome-words.ts'
import { code, joinSpans, type Span, say, shortCode } from './span.ts'

/** How often an action was carried out on a service before, and how it ended. */
export interface TrackRecord {
  readonly runs: number
  readonly verified: number
  readonly undone: number
  readonly failed: number
  readonly undetermined: number
}

interface DecisionContext {
  readonly whoMay: readonly string[]
  readonly names: NameOf
  readonly trackRecord?: TrackRecord | null
}

const NAMES_SHOWN = 8

/** Who may decide, what the click does, and how the action did before. */
export function decisionBlocks(approval: Approval, context: DecisionContext): CardBlock[] {
  const clicked = context.whoMay.length === 0 ? [] : list('When you click Approve', clickWords(approval), true)
  return [...clicked, facts(...decisionFacts(approval, context))]
}

/** What remains of the plan once its request is over: the whole of it stays in the console. */
export function endedFacts({ plan }: Approval): CardBlock {
  const [first, ...more] = plan.changes
  const rest = more.length === 0 ? '' : ` and ${more.length} more`
  return facts(
    fact('Target', say`${shortCode(plan.target.name)} · ${shortCode(plan.target.kind)} in ${shortCode(plan.target.environment)}`),
    fact('Action', say`${shortCode(plan.action.kind)}`),
    first ? fact('Change', say`${shortCode(first.field)}: ${shortCode(String(first.from))} → ${shortCode(String(first.to))}${rest}`) : null,
  )
}

function clickWords({ plan, votes }: Approval): Span[][] {
  const { needed, confirm } = plan.approval
  const missing = needed - votes.filter((vote) => vote.decision === 'approve').length
  const typed = confirm === null ? [] : [say`You type ${code(confirm)}, so that it is surely meant.`]
  const last = missing <= 1 ? 'It runs at once, one time' : `It waits for ${missing - 1} more; then it runs, one time`
  return [
    ...typed,
    say`${last}, if the target is still as above${plan.symptom === null ? '' : ' and the symptom still there'}.`,
    say`Telemetry decides whether it helped${plan.undo ? '; if not, the undo above follows' : ''}.`,
  ]
}

function decisionFacts(approval: Approval, { whoMay, names, trackRecord }: DecisionContext): (Fact | null)[] {
  const votes = voteWords(approval)
  return [
    fact('May approve', peopleWords(whoMay, names)),
    fact('Requested by', requesterWords(approval, names)),
    votes.length > 0 ? fact('So far', votes) : null,
    trackRecord === undefined ? null : fact('This action here before', trackWords(trackRecord)),
  ]
}

function peopleWords(ids: readonly string[], names: NameOf): Span[] {
  if (ids.length === 0) return say`nobody holds the role, so it cannot be approved`
  const shown = ids.slice(0, NAMES_SHOWN).map((id) => say`${personName(names(id))}`)
  const rest = ids.length - shown.length
  return rest === 0 ? joinSpans(shown) : say`${joinSpans(shown)} and ${rest} more`
}

function requesterWords({ plan }: Approval, names: NameOf): Span[] {
  if (plan.requester === null) return say`nobody; Steadyhand proposes it`
  const who = personName(names(plan.requester))
  return plan.approval.requesterMayApprove
    ? say`${who}, who may also approve it: the policy allows that for this action`
    : say`${who}, so somebody else has to approve it`
}

function trackWords(record: TrackRecord | null): Span[] {
  if (!record || record.runs === 0) return say`never run`
  const ends = [
    [record.verified, 'verified'],
    [record.undone, 'undone'],
    [record.failed, 'failed'],
    [record.undetermined, 'undetermined'],
  ] as const
  const told = ends.filter(([count]) => count > 0).map(([count, end]) => `${count} ${end}`)
  return say`run ${record.runs} ${record.runs === 1 ? 'time' : 'times'}: ${told.join(', ') || 'not ended yet'}`
}
