import type { Plan } from '../../agent/domain/plan.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { actionLine, incidentName } from '../messages/brief.ts'
import { list, note, text } from '../messages/card.ts'
import { bold, code, exact, say } from '../messages/span.ts'
import { deadline } from '../messages/time-words.ts'
import { answer, type Command, personBehind, sentence } from './command.ts'
import { demandKnown, incidentId } from './which-incident.ts'

const MOST_PARAMETERS = 12
const NAMES_SHOWN = 8

export const investigate: Command = {
  name: 'investigate',
  usage: 'INCIDENT | SERVICE [env:NAME]',
  summary: 'looks into a service, or into an incident again',
  needs: 'investigate',
  programs: false,
  async run({ words }, { agent, caller, incident, consoleUrl }) {
    const { environment, rest } = environmentIn(words)
    const [what] = rest
    const id = incidentId(what) ?? (what === undefined ? incident : null)
    if (id === null && what === undefined) throw new Refusal('invalid-parameters', 'Say what, for example: investigate payments')
    const looked = demandKnown(
      await agent.investigateByHand(id === null ? { service: what ?? '', environment } : { incident: id }, personBehind(caller)),
    )
    return sentence(
      say`${bold('Looking')}: ${incidentName(looked.id, consoleUrl)} ${looked.title}. The diagnosis follows there in some seconds.`,
    )
  },
}

export const perform: Command = {
  name: 'do',
  usage: '[ACTION SERVICE [env:NAME] [NAME=VALUE ...] [for INCIDENT]]',
  summary: 'puts an action of the catalogue before people; it runs after their click, never before',
  needs: 'propose',
  programs: false,
  async run({ words }, { agent, caller, incident, now, consoleUrl }) {
    const by = personBehind(caller)
    const { action, service, environment, parameters, named } = wantedOf(words)
    if (action === undefined)
      return answer(
        ...list('What can be asked for', agent.actions().map(actionLine)),
        note(say`For example: ${code('do rollback payments')}`),
      )
    if (service === undefined) throw new Refusal('invalid-parameters', `Say of what, for example: do ${action.slice(0, 40)} payments`)
    const asked = await agent.proposeByHand({ action, service, environment, parameters, incident: named ?? incident }, by)
    const may = (await agent.whoMay(asked.id)).map(({ name }) => name)
    const shown = `${may.slice(0, NAMES_SHOWN).join(', ')}${may.length > NAMES_SHOWN ? ` and ${may.length - NAMES_SHOWN} more` : ''}`
    const mode = await agent.mode()
    const held =
      mode.mode === 'act'
        ? []
        : list(
            'Nothing runs at present, also when it is approved',
            mode.reasons.map((reason) => say`${reason}`),
          )
    return answer(
      text(say`${bold('Asked')}: ${exact(asked.plan.action.title)}, in ${incidentName(asked.incidentId, consoleUrl)}. Nothing has run.`),
      text(
        say`It can be decided ${deadline(new Date(asked.plan.expiresAt), now)} by ${shown || 'nobody'}; ${asked.plan.approval.needed} needed.${own(asked.plan)}`,
      ),
      ...held,
    )
  },
}

function own({ approval }: Plan): string {
  return approval.requesterMayApprove ? '' : ' You asked for it, so somebody else has to approve it.'
}

/** 'rollback payments env:prod version=v41 for inc-12'. */
export function wantedOf(words: readonly string[]): {
  action: string | undefined
  service: string | undefined
  environment: string | null
  parameters: Plan['parameters']
  named: string | null
} {
  const at = words.findIndex((word, index) => word.toLowerCase() === 'for' && incidentId(words[index + 1]) !== null)
  const { environment, rest: own } = environmentIn(at === -1 ? words : words.filter((_word, index) => index !== at && index !== at + 1))
  const pairs = own.filter((word) => word.includes('='))
  const [action, service, ...rest] = own.filter((word) => !word.includes('='))
  if (rest.length > 0)
    throw new Refusal('invalid-parameters', `"${rest[0]?.slice(0, 60)}" is not understood; parameters are written NAME=VALUE.`)
  return { action, service, environment, parameters: parametersOf(pairs), named: at === -1 ? null : incidentId(words[at + 1]) }
}

/** What is said of an environment, and the other words. @throws Refusal invalid-parameters */
function environmentIn(words: readonly string[]): { environment: string | null; rest: readonly string[] } {
  const isEnvironment = (word: string): boolean => /^env:/i.test(word)
  const [said, second] = words.filter(isEnvironment)
  if (second !== undefined)
    throw new Refusal('invalid-parameters', `Say one environment, not ${said?.slice(0, 60)} and ${second.slice(0, 60)}.`)
  return { environment: said?.slice('env:'.length) ?? null, rest: words.filter((word) => !isEnvironment(word)) }
}

/** Whole numbers and truth values as such, the rest as text. The action's own bounds decide what of it is allowed. */
function parametersOf(pairs: readonly string[]): Plan['parameters'] {
  if (pairs.length > MOST_PARAMETERS) throw new Refusal('invalid-parameters', `At most ${MOST_PARAMETERS} parameters.`)
  const entries = pairs.map((pair): [string, string | number | boolean] => {
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(pair.indexOf('=') + 1)
    if (!/^[A-Za-z][\w-]{0,99}$/.test(name)) throw new Refusal('invalid-parameters', `"${pair.slice(0, 60)}" is no NAME=VALUE.`)
    return [
      name,
      /^-?\d{1,9}$/.test(value) ? Number(value) : value === 'true' || value === 'false' ? value === 'true' : value.slice(0, 500),
    ]
  })
  return Object.fromEntries(entries)
}
