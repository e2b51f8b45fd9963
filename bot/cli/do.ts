import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { sayAs } from './say-as.ts'

export const doCommand: CliCommand = {
  name: 'do',
  usage: 'do ACTION SERVICE [NAME=VALUE…] [for INCIDENT] --as NAME',
  summary: 'puts an action of the catalogue before people, as "do" in chat: it runs after their click, never before',
  details: [
    'For example: steadyhand do rollback payments --as alice',
    'Whoever asks is the requester, and approves it only where the policy says so.',
    'Only where people may be signed in by name, see the console; elsewhere it is said in chat.',
  ],
  options: { as: { type: 'string' } },
  takesWords: true,
  async run({ words, options, terminal, settings }) {
    if (words.length < 2) throw new CommandFailed(`Name an action and a service: steadyhand ${doCommand.usage}.`, 2)
    terminal.say(await sayAs(settings, options['as'], ['do', ...words]))
    return 0
  },
}
