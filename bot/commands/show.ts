import type { Approval } from '../../agent/domain/approval.ts'
import { INCIDENT_STATES, type Incident } from '../../agent/domain/incident.ts'
import { approvalLine, incidentLine } from '../messages/brief.ts'
import { type CardBlock, list, text } from '../messages/card.ts'
import { scopeWords } from '../messages/scope-words.ts'
import { bold, code, say } from '../messages/span.ts'
import { deadline } from '../messages/time-words.ts'
import { answer, type Command, type CommandContext, sentence } from './command.ts'
import { cutList, gravestOpen, type Ordered, waitingForClick } from './what-is-open.ts'

const SHOWN = 10
/** Of whoever asks for the list itself. */
const LISTED = 30

export const status: Command = {
  name: 'status',
  usage: '',
  summary: 'whether Steadyhand may act, what is open and what waits for a click',
  needs: 'read',
  programs: true,
  async run(_command, context) {
    const { agent } = context
    const [mode, incidents, approvals, stops, freezes, drill] = await Promise.all([
      agent.mode(),
      gravestOpen(context),
      waitingForClick(context),
      agent.control.stopped(),
      agent.control.freezes(),
      agent.drills.current(),
    ])
    const head =
      mode.mode === 'act' ? say`${bold('Acts')} after a click of somebody who may.` : say`${bold('Observes only')} and runs nothing.`
    return answer(
      text(head),
      ...list('Why it only observes', mode.mode === 'observe' ? mode.reasons.map((reason) => say`${reason}`) : []),
      ...list(
        'Stopped',
        stops.map((stop) => say`${code(scopeWords(stop.scope))} by ${stop.by}`),
      ),
      ...list(
        'Frozen',
        freezes.map(
          (freeze) =>
            say`${code(scopeWords(freeze.scope))} ${deadline(freeze.to, context.now)}: ${freeze.reason} (${code(freeze.id.slice(0, 8))})`,
        ),
      ),
      ...(drill ? [text(say`The drill ${code(drill.name)} is running.`)] : []),
      ...incidentList(incidents, context),
      ...approvalList(approvals, context),
    )
  },
}

export const incidents: Command = {
  name: 'incidents',
  usage: '[all | STATE] [SERVICE]',
  summary: 'open incidents, or all of them, or those in one state or of one service',
  needs: 'read',
  programs: true,
  async run({ words }, context) {
    const [first, second] = words
    // Whoever asks for what is open means all that is not over, not the moment before it is looked into.
    const isOpen = first === 'open' || first === 'active'
    const state = isOpen ? undefined : INCIDENT_STATES.find((known) => known === first)
    const service = isOpen || state || first === 'all' ? second : first
    if (state === undefined && first !== 'all') {
      const open = await gravestOpen(context, service)
      return open.items.length === 0 ? sentence(say`There are no such incidents.`) : answer(...incidentList(open, context, LISTED))
    }
    const { items, next } = await context.agent.incidents({
      ...(state === undefined ? {} : { state }),
      ...(service === undefined ? {} : { service }),
      limit: LISTED,
    })
    if (items.length === 0) return sentence(say`There are no such incidents.`)
    const all = { items, isWhole: true }
    return answer(
      ...incidentList(all, context, LISTED),
      ...(next === null ? [] : [text(say`There are more; the console shows all of them.`)]),
    )
  },
}

export const approvals: Command = {
  name: 'approvals',
  usage: '',
  summary: 'what waits for a click',
  needs: 'read',
  programs: true,
  async run(_command, context) {
    const waiting = await waitingForClick(context)
    return waiting.items.length === 0 ? sentence(say`Nothing waits for a click.`) : answer(...approvalList(waiting, context, LISTED))
  },
}

export const whoMay: Command = {
  name: 'who-may',
  usage: '[APPROVAL | INCIDENT]',
  summary: 'who may decide what waits for a click',
  needs: 'read',
  programs: true,
  async run({ words }, context) {
    const { agent } = context
    const { items, isWhole } = await waitingForClick(context)
    const wanted = items.filter(
      ({ id, incidentId }) => words[0] === undefined || id.startsWith(words[0].toLowerCase()) || incidentId === words[0],
    )
    if (wanted.length === 0) return sentence(items.length === 0 ? say`Nothing waits for a click.` : say`No such request waits for a click.`)
    const names = await Promise.all(
      wanted.slice(0, SHOWN).map(async ({ id }) => (await agent.whoMay(id)).map(({ name }) => name).join(', ')),
    )
    return answer(
      ...cutList(
        'Who may decide',
        { items: wanted, isWhole },
        {
          shown: SHOWN,
          line: (approval) => {
            const { action, target, approval: rule } = approval.plan
            return say`${bold(action.title)} in ${code(target.environment)}: ${names[wanted.indexOf(approval)] || 'nobody'}; ${rule.needed} needed`
          },
        },
      ),
    )
  },
}

function incidentList(open: Ordered<Incident>, context: CommandContext, shown = SHOWN): CardBlock[] {
  if (open.items.length === 0) return [text(say`No open incidents.`)]
  const where = shown === LISTED ? {} : { all: 'incidents' }
  return cutList('Incidents', open, { shown, line: (incident) => incidentLine(incident, context), ...where })
}

function approvalList(waiting: Ordered<Approval>, { now }: CommandContext, shown = SHOWN): CardBlock[] {
  const where = shown === LISTED ? {} : { all: 'approvals' }
  return cutList('Waiting for a click', waiting, { shown, line: (approval) => approvalLine(approval, now), ...where })
}
