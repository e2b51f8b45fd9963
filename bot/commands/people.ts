import { roleAtLeast } from '../../agent/domain/principal.ts'
import { list, text } from '../messages/card.ts'
import { bold, code, say } from '../messages/span.ts'
import { answer, type Command, sentence } from './command.ts'
import { demandService } from './telemetry.ts'

const SHOWN = 20

export const oncall: Command = {
  name: 'oncall',
  usage: '[SERVICE]',
  summary: 'who can be asked about a service',
  needs: 'read',
  programs: true,
  async run({ words }, { agent }) {
    const [wanted] = words
    const services = await agent.scopes.services()
    const service = wanted === undefined ? null : (services.find((name) => name.toLowerCase() === wanted.toLowerCase()) ?? null)
    if (wanted !== undefined && service === null) demandService([wanted], services)
    const people = (await agent.people()).filter(({ active, roles }) => active && roles.some((role) => roleAtLeast(role, 'responder')))
    const about = service === null ? [] : say` for ${code(service)}`
    return answer(
      text(say`${bold('No on-call schedule is configured')}, so nobody is known to be on call${about}.`),
      ...list(
        'Who may act here',
        people.slice(0, SHOWN).map(({ name, roles }) => say`${name}: ${roles.join(', ')}`),
      ),
    )
  },
}

export const grants: Command = {
  name: 'grants',
  usage: '',
  summary: 'what may run without a click of its own',
  needs: 'read',
  programs: true,
  run: async () => sentence(say`${bold('None.')} There are no standing grants: every action needs a click of its own.`),
}
