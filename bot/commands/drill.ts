import { list, text } from '../messages/card.ts'
import { bold, code, say } from '../messages/span.ts'
import { startDrill } from '../start-drill.ts'
import { answer, type Command, sentence } from './command.ts'

export const drill: Command = {
  name: 'drill',
  usage: '[NAME]',
  summary: 'breaks the local target for practice; without a name, what there is',
  needs: 'drill',
  programs: true,
  async run({ words }, { agent, caller }) {
    const [name] = words
    if (name !== undefined) {
      await startDrill(agent, name, caller)
      return sentence(say`The drill ${code(name)} has begun: an alert follows in a few seconds.`)
    }
    const lines = agent.drills.list().map((scenario) => say`${bold(scenario.name)}: ${scenario.title}`)
    return answer(...list('Drills', lines), text(say`Start one with ${code('drill NAME')}.`))
  },
}
