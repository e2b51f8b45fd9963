import { Refusal } from '../../agent/domain/refusal.ts'
import { bold, say } from '../messages/span.ts'
import { HttpProblem } from '../problem.ts'
import { type Command, personBehind, sentence } from './command.ts'

const LONGEST_REASON = 500

export const resolve: Command = {
  name: 'resolve',
  usage: 'INCIDENT [REASON]',
  summary: 'ends an incident by your word',
  needs: 'resolve',
  programs: false,
  async run({ words }, { agent, caller }) {
    const [id, ...reason] = words
    if (id === undefined) throw new Refusal('invalid-parameters', 'Say which, for example: resolve inc-12 the disk was replaced')
    const said = reason.join(' ').slice(0, LONGEST_REASON)
    const incident = await agent.resolve(id.toLowerCase(), personBehind(caller), said === '' ? null : said)
    if (!incident) throw new HttpProblem('unknown-incident')
    return sentence(say`${bold('Resolved')} by your word: ${incident.id} ${incident.title}.`)
  },
}
