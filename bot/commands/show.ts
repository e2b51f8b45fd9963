import type { Approval } from '../../agent/domain/approval.ts'
import { INCIDENT_STATES, type Incident } from '../../agent/domain/incident.ts'
import { approvalLine, incidentLine } from '../messages/brief.ts'
import { list, text } from '../messages/card.ts'
import { scopeWords } from '../messages/scope-words.ts'
import { bold, code, say } from '../messages/span.ts'
import { deadline } from '../messages/time-words.ts'
import { answer, type Command, type CommandContext, sentence } from './command.ts'

const SHOWN = 10

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
      agent.incidents({ state: 'active', limit: SHOWN }),
      agent.approvals({ state: 'pending', limit: SHOWN }),
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
      ...incidentList(incidents.items, context),
      ...approvalList(approvals.items, context),
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
    const state = INCIDENT_STATES.find((known) => known === first)
    const service = state || first === 'all' ? second : first
    const { items, next } = await context.agent.incidents({
      ...(first === 'all' ? {} : { state: state ?? 'active' }),
      ...(service === undefined ? {} : { service }),
      limit: SHOWN,
    })
    if (items.length === 0) return sentence(say`There are no such incidents.`)
    return answer(...incidentList(items, context), ...(next === null ? [] : [text(say`There are more; the console shows all of them.`)]))
  },
}

export const approvals: Command = {
  name: 'approvals',
  usage: '',
  summary: 'what waits for a click',
  needs: 'read',
  programs: true,
  async run(_command, context) {
    const { items } = await context.agent.approvals({ state: 'pending', limit: SHOWN })
    return items.length === 0 ? sentence(say`Nothing waits for a click.`) : answer(...approvalList(items, context))
  },
}

export const whoMay: Command = {
  name: 'who-may',
  usage: '[APPROVAL | INCIDENT]',
  summary: 'who may decide what waits for a click',
  needs: 'read',
  programs: true,
  async run({ words }, { agent }) {
    const { items } = await agent.approvals({ state: 'pending', limit: 200 })
    const wanted = items.filter(
      ({ id, incidentId }) => words[0] === undefined || id.startsWith(words[0].toLowerCase()) || incidentId === words[0],
    )
    if (wanted.length === 0) return sentence(items.length === 0 ? say`Nothing waits for a click.` : say`No such request waits for a click.`)
    const lines = await Promise.all(
      wanted.slice(0, SHOWN).map(async (approval) => {
        const names = (await agent.whoMay(approval.id)).map(({ name }) => name).join(', ')
        return say`${bold(approval.plan.action.title)}: ${names || 'nobody'}; ${approval.plan.approval.needed} needed`
      }),
    )
    return answer(...list('Who may decide', lines))
  },
}

function incidentList(items: readonly Incident[], context: CommandContext): ReturnType<typeof list> {
  if (items.length === 0) return [text(say`No open incidents.`)]
  return list(
    'Incidents',
    items.map((incident) => incidentLine(incident, context)),
  )
}

function approvalList(items: readonly Approval[], { now }: CommandContext): ReturnType<typeof list> {
  return list(
    'Waiting for a click',
    items.map((approval) => approvalLine(approval, now)),
  )
}
