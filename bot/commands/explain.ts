import type { IncidentView } from '../../agent/agent.ts'
import { type Approval, approvalState } from '../../agent/domain/approval.ts'
import { ENDED_STATES } from '../../agent/domain/incident.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { briefBlocks, incidentName } from '../messages/brief.ts'
import { type Card, type CardBlock, list, note, text } from '../messages/card.ts'
import { causesInOrder, diagnosisBlocks, PART_WORDS } from '../messages/diagnosis-blocks.ts'
import { evidenceBlocks } from '../messages/evidence-lines.ts'
import { incidentStateWords } from '../messages/incident-words.ts'
import { whyNothing as nothingNoted } from '../messages/next-step.ts'
import { reasonWords } from '../messages/outcome-words.ts'
import { bold, exact, type Span, say } from '../messages/span.ts'
import { dayTime } from '../messages/time-words.ts'
import { cleanText } from '../messages/visible-text.ts'
import { wantedOf } from './act.ts'
import { answer, type Command, type CommandContext } from './command.ts'
import { demandKnown, incidentId, meantIncident } from './which-incident.ts'

const REQUESTS_SHOWN = 5

export const why: Command = {
  name: 'why',
  usage: '[INCIDENT]',
  summary: 'the diagnosis with its evidence, and what its confidence is made of',
  needs: 'read',
  programs: true,
  run: async ({ words }, context) => answerWhy(await viewOf(words, context), context),
}

export const whyNot: Command = {
  name: 'why-not',
  usage: '[INCIDENT] | ACTION SERVICE [env:NAME] [for INCIDENT]',
  summary: 'why no action is proposed, or none was run; or why one action is not',
  needs: 'read',
  programs: true,
  async run({ words }, context) {
    if (words[0] !== undefined && incidentId(words[0]) === null) return await whyNotAction(words, context)
    const view = await viewOf(words, context)
    const now = await context.agent.mode()
    const reasons = reasonsAgainst(view, now.mode === 'observe' ? now.reasons : [])
    const head = say`${incidentName(view.incident.id, context.consoleUrl)} ${cleanText(view.incident.title, 120)}`
    if (reasons.length === 0)
      return answer(text(say`${head}: nothing stands in the way. ${now.mode === 'act' ? '' : 'Steadyhand only observes.'}`))
    return answer(text(head), ...list('Why nothing more is proposed or run', reasons))
  },
}

export const brief: Command = {
  name: 'brief',
  usage: '[INCIDENT]',
  summary: 'where an incident stands, for the incident commander',
  needs: 'read',
  programs: true,
  run: async ({ words }, context) => answerBrief(await viewOf(words, context), context),
}

/** @throws Refusal invalid-parameters, HttpProblem unknown-incident */
export async function viewOf(words: readonly string[], context: CommandContext): Promise<IncidentView> {
  const { id } = await meantIncident(words, context)
  return demandKnown(await context.agent.incident(id))
}

export function answerBrief(view: IncidentView, context: CommandContext): Card {
  return answer(...briefBlocks(view, context))
}

export function answerWhy(view: IncidentView, { consoleUrl }: Pick<CommandContext, 'consoleUrl'>): Card {
  const head = text(say`${incidentName(view.incident.id, consoleUrl)} ${cleanText(view.incident.title, 120)}${overSince(view)}`)
  const found = diagnosisBlocks(view, consoleUrl)
  if (found.length === 0) return answer(head, text(say`It was not looked into yet: there is no diagnosis.`))
  const { first } = causesInOrder(view)
  const parts = (first?.parts ?? []).filter(({ weight }) => weight > 0)
  const told = answer(
    head,
    ...found,
    ...list(
      'What the confidence is made of',
      parts.map(
        ({ name, score, weight, why }) =>
          say`${PART_WORDS[name]} ${Math.round(score)} of 100, counts ${Math.round(weight)} %: ${cleanText(why, 200)}`,
      ),
    ),
    ...policyLines(view),
    ...evidenceBlocks(view, consoleUrl),
  )
  return { ...told, judges: view.incident.id }
}

/** ', over since …' of one that ended, so that nobody takes its cause for one of now. */
export function overSince({ incident }: IncidentView): Span[] {
  return incident.endedAt ? say`, ${bold('over')} since ${dayTime(incident.endedAt)}` : []
}

/** Which rule asked whom, of the newest request. */
function policyLines({ approvals }: IncidentView): CardBlock[] {
  const [newest] = approvals
  if (!newest) return []
  const { action, approval, requester } = newest.plan
  const asked = requester === null ? 'Steadyhand proposed it' : `${cleanText(requester, 60)} asked for it`
  return [
    note(
      say`${exact(action.title)}: ${asked}; the policy rule ${exact(approval.rule)} asks for ${approval.needed} with the role ${approval.role}.`,
    ),
  ]
}

/** By the code that chooses what is proposed, asked about this one action. */
async function whyNotAction(words: readonly string[], { agent, incident: here, consoleUrl }: CommandContext): Promise<Card> {
  const { action = '', service, environment, named } = wantedOf(words)
  if (service === undefined) throw new Refusal('invalid-parameters', `Say of what, for example: why-not ${action.slice(0, 40)} payments`)
  const found = await agent.whyNot({ action, service, environment, incident: named ?? here })
  const what = say`${bold(action.slice(0, 40))} of ${bold(service.slice(0, 60))}`
  if (found === null) return answer(text(say`${what} is not proposed: there is no open incident about it.`))
  const { incident, reasons } = found
  const head = say`${what}, in ${incidentName(incident.id, consoleUrl)} ${cleanText(incident.title, 120)}`
  if (reasons.length === 0) return answer(text(say`${head}: nothing stands in the way. It is what the next look would propose.`))
  return answer(
    text(head),
    ...list(
      'Why it is not proposed',
      reasons.map((reason) => say`${cleanText(reason, 400)}`),
    ),
  )
}

function because(approval: Approval): string {
  const reason = approval.reason ?? reasonWords(approval)
  return reason === null ? '' : `, ${cleanText(reason, 200)}`
}

function reasonsAgainst(view: IncidentView, observing: readonly string[]): Span[][] {
  const { incident, handling, approvals } = view
  const isOver = ENDED_STATES.includes(incident.state)
  const noted = isOver ? null : nothingNoted(view)
  const ended = approvals.filter((approval) => ['denied', 'expired', 'cancelled', 'aborted'].includes(approvalState(approval)))
  const waiting = approvals.find(({ requestState }) => requestState === 'pending')
  return [
    ...(isOver
      ? [say`The incident is over${incident.endedAt ? say`, since ${dayTime(incident.endedAt)}` : []}: ${incidentStateWords(view)}.`]
      : []),
    ...observing.map((reason) => say`Steadyhand runs nothing: ${cleanText(reason, 300)}`),
    ...(handling.taken ? [say`${handling.taken.name} has taken it, so Steadyhand proposes nothing in it.`] : []),
    ...(handling.snoozed ? [say`${handling.snoozed.name} has snoozed it, so it is left alone.`] : []),
    ...(waiting ? [say`${bold(waiting.plan.action.title)} waits for a click; one action at a time.`] : []),
    ...(noted ? [say`${noted}`] : []),
    ...ended
      .slice(0, REQUESTS_SHOWN)
      .map((approval) => say`${bold(approval.plan.action.title)}: ${approvalState(approval)}${because(approval)}`),
  ]
}
