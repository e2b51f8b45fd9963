import { meantOrKnown } from '../../agent/domain/nearest.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { VERDICTS, type Verdict } from '../../agent/domain/verdicts.ts'
import { text } from '../messages/card.ts'
import { bold, say } from '../messages/span.ts'
import { answer, type Command, personBehind, shortReason } from './command.ts'
import { withdrawnBlocks } from './handling.ts'
import { demandKnown, namedIncident } from './which-incident.ts'

export const resolve: Command = {
  name: 'resolve',
  usage: 'INCIDENT [REASON]',
  summary: 'ends an incident by your word',
  needs: 'resolve',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const { id, rest } = namedIncident(words, { incident }, 'resolve inc-12 the disk was replaced')
    const { incident: ended, withdrawn } = demandKnown(await agent.resolve(id, personBehind(caller), shortReason(rest)))
    return answer(text(say`${bold('Resolved')} by your word: ${ended.id} ${ended.title}.`), ...withdrawnBlocks(withdrawn, null))
  },
}

export const close: Command = {
  name: 'close',
  usage: 'INCIDENT as fixed|false-alarm|duplicate|wont-fix [REASON]',
  summary: 'ends an incident and says how: what the figures count',
  needs: 'resolve',
  programs: false,
  async run({ words }, { agent, caller, incident }) {
    const { id, rest } = namedIncident(words, { incident }, 'close inc-12 as fixed the disk was replaced')
    const [how, ...reason] = rest[0]?.toLowerCase() === 'as' ? rest.slice(1) : rest
    const verdict = verdictOf(how)
    const { incident: ended, withdrawn } = demandKnown(await agent.resolve(id, personBehind(caller), shortReason(reason), verdict))
    return answer(
      text(say`${bold('Closed')} as ${verdict.replaceAll('-', ' ')} by your word: ${ended.id} ${ended.title}.`),
      ...withdrawnBlocks(withdrawn, null),
    )
  },
}

function verdictOf(word: string | undefined): Verdict {
  if (word === undefined) throw new Refusal('invalid-parameters', `Say how it ended: as ${VERDICTS.join(', ')}.`)
  const verdict = VERDICTS.find((known) => known === word.toLowerCase())
  if (verdict) return verdict
  throw new Refusal('invalid-parameters', `"${word.slice(0, 40)}" is no way to close it. ${meantOrKnown(word, VERDICTS)}`)
}
