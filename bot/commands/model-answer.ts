import type { Answered, IncidentView } from '../../agent/agent.ts'
import { incidentName } from '../messages/brief.ts'
import { type Card, list, note, text } from '../messages/card.ts'
import { citations } from '../messages/evidence-lines.ts'
import { say, shortCode } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import { answer } from './command.ts'

const STATEMENT_MAX = 300

/** What a model answered: its words, labelled as such, each statement with the evidence it was checked against. */
export function modelAnswer(answered: Extract<Answered, { result: 'answered' }>, view: IncidentView, consoleUrl: string | null): Card {
  const { statements, struck, unknown, use } = answered
  const { spent, budget, model } = use
  const name = model === null ? say`A model` : say`${shortCode(model)}`
  const strikes =
    struck === 0 ? '' : ` ${struck} ${struck === 1 ? 'statement was' : 'statements were'} struck: the evidence does not hold what it said.`
  return answer(
    text(say`${incidentName(view.incident.id, consoleUrl)} ${cleanText(view.incident.title, 120)}`),
    ...list(
      'A model answers',
      statements.map((claim) => say`${cleanText(claim.text, STATEMENT_MAX)} ${citations(claim.cites, view, consoleUrl)}`),
    ),
    ...list(
      'Not known',
      unknown.map((what) => say`${cleanText(what, STATEMENT_MAX)}`),
    ),
    note(
      say`${name} answered; the numbers, names and quotations above stand in the evidence they cite.${strikes} ${spent.calls} of ${budget.calls} questions, ${spent.tokens} of ${budget.tokens} tokens, ${Math.round(spent.seconds)} of ${budget.seconds} s.`,
    ),
  )
}
