import type { Approval } from '../../agent/domain/approval.ts'
import { approvalButtons } from './approval-buttons.ts'
import { decisionBlocks, endedFacts, type TrackRecord } from './approval-facts.ts'
import { type ApprovalPhase, approvalPhase } from './approval-phase.ts'
import { approvalSteps } from './approval-steps.ts'
import { type Card, type CardBlock, note, text, title } from './card.ts'
import { approvalPage } from './console-links.ts'
import { notificationText } from './notice.ts'
import { headOf, type NameOf, personName, phaseWords, reasonWords, voteWords } from './outcome-words.ts'
import { fitsOnCard, planBody, planPrint } from './plan-facts.ts'
import { bold, code, exact, link, type Span, say, shortCode } from './span.ts'
import { deadline } from './time-words.ts'
import { verificationBlocks } from './verification-blocks.ts'
import { cleanText, cutText, exactWords } from './visible-text.ts'

export interface ApprovalCardContext {
  readonly now: Date
  /** Ids of the people who may decide this, see `names`. */
  readonly whoMay: readonly string[]
  readonly names: NameOf
  /** How this action did on this service before. */
  readonly trackRecord?: TrackRecord | null
  /** Why the agent proposes it, in its own words: never part of what is approved. */
  readonly narrative?: string | null
  /** What a person would type to do the same by hand; null where only Steadyhand can. Never part of what is approved. */
  readonly manual?: string | null
  /** Where the console is reached, without a path; null when nobody but this machine can. */
  readonly consoleUrl: string | null
}

const DIGEST_SHOWN = 12
const NARRATIVE_MAX = 500
const MANUAL_MAX = 300
/** Phases in which the plan still matters in full: before the decision and while its effect is open. */
const IN_FULL: readonly ApprovalPhase[] = ['asking', 'authorised', 'checking', 'running', 'no-answer', 'verifying']

const TOOK_EFFECT: readonly ApprovalPhase[] = [
  'verifying',
  'verified',
  'undetermined',
  'kept',
  'undo-waiting',
  'undoing',
  'undone',
  'undo-failed',
  'undo-lapsed',
  'failed',
]

/** The card of one request: the facts rendered from the stored plan, and around them who decides, how long, and what came of it. */
export function approvalCard(approval: Approval, context: ApprovalCardContext): Card {
  const phase = approvalPhase(approval, context.now)
  return {
    kind: 'approval',
    ref: approval.id,
    notification: notificationText(approval, phase),
    blocks: [
      title(cutText(`${headOf(phase)} ${exactWords(approval.plan.action.title)}`, 150)),
      ...leadBlocks(approval, phase, context),
      ...bodyBlocks(approval, phase, context),
      ...approvalButtons(approval, phase, context),
      ...(showsPlan(approval, phase) ? [planPrint(approval.plan)] : []),
      ...byHand(phase, context),
      note(footer(approval, context.consoleUrl)),
    ],
  }
}

function showsPlan({ plan }: Approval, phase: ApprovalPhase): boolean {
  return IN_FULL.includes(phase) && fitsOnCard(plan)
}

function leadBlocks(approval: Approval, phase: ApprovalPhase, context: ApprovalCardContext): CardBlock[] {
  if (phase === 'asking') return [text(askingLead(approval, context))]
  const reason = reasonWords(approval)
  const votes = voteWords(approval)
  return [
    text(say`${phaseWords(phase, approval)}${undoWait(approval, phase, context.now)}`),
    ...(votes.length > 0 ? [text(votes)] : []),
    ...(reason ? [{ type: 'quote', label: 'Reason', text: cleanText(reason, 300) } as const] : []),
    ...(approval.keptBy ? [text(say`Kept by ${personName(context.names(approval.keptBy))}.`)] : []),
  ]
}

function askingLead(approval: Approval, { now, whoMay }: ApprovalCardContext): Span[] {
  const { needed } = approval.plan.approval
  const have = approval.votes.filter((vote) => vote.decision === 'approve').length
  const quorum = `${have} of ${needed} approved`
  const clicks = needed === 1 ? 'somebody who may clicks' : `${needed} people who may click`
  const runs = whoMay.length > 0 && fitsOnCard(approval.plan) ? `Nothing runs unless ${clicks} Approve.` : 'Nothing runs.'
  return say`${bold(quorum)}, open ${deadline(new Date(approval.plan.expiresAt), now)}. ${runs}`
}

function undoWait(approval: Approval, phase: ApprovalPhase, now: Date): Span[] {
  if (phase !== 'undo-waiting' || !approval.undoFrom) return []
  const undo = approval.plan.undo ? exact(approval.plan.undo.title) : 'the undo'
  if (approval.undoFrom.getTime() <= now.getTime()) return say` The undo (${undo}) starts now.`
  return say` The undo (${undo}) starts by itself. It can be kept as it is ${deadline(approval.undoFrom, now)}.`
}

function bodyBlocks(approval: Approval, phase: ApprovalPhase, context: ApprovalCardContext): CardBlock[] {
  const steps = approvalSteps(approval)
  if (!IN_FULL.includes(phase)) return [endedFacts(approval), ...verificationBlocks(approval), ...steps]
  if (!fitsOnCard(approval.plan)) return [tooLarge(approval, context.consoleUrl), ...steps]
  return [...planBody(approval.plan), ...(phase === 'asking' ? decisionBlocks(approval, context) : []), ...narrative(context), ...steps]
}

function narrative({ narrative }: ApprovalCardContext): CardBlock[] {
  const words = cleanText(narrative ?? '', NARRATIVE_MAX)
  return words === '' ? [] : [{ type: 'quote', label: "In the agent's own words, not part of what is approved", text: words }]
}

/** What took effect is not left to be done. */
function byHand(phase: ApprovalPhase, { manual }: ApprovalCardContext): CardBlock[] {
  const words = TOOK_EFFECT.includes(phase) ? 'What was done, as one would have typed it' : 'The same by hand'
  return manual ? [note(say`${words}: ${shortCode(manual, MANUAL_MAX)}`)] : []
}

function tooLarge(approval: Approval, consoleUrl: string | null): CardBlock {
  const where = consoleUrl ? say`Read it in ${link('the console', approvalPage(consoleUrl, approval.incidentId, approval.id))}.` : []
  return text(say`${bold('This plan is too large for a card, so it cannot be approved.')} Ask for a smaller action. ${where}`)
}

function footer(approval: Approval, consoleUrl: string | null): Span[] {
  const drill = approval.drillRun === null ? '' : ' · a drill: the fault was made on purpose'
  const open = consoleUrl ? say` · ${link('Link to this card', approvalPage(consoleUrl, approval.incidentId, approval.id))}` : []
  return say`Digest ${code(approval.digest.slice(0, DIGEST_SHOWN))}${drill}${open}`
}
