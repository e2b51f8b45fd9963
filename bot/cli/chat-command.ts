import type { CliCommand } from './command.ts'
import { say } from './say-as.ts'

/** A command of the chat, said to the server that runs. Nobody is behind it unless named: then it reads and decides nothing. */
export function chatCommand({ name, usage, summary }: { name: string; usage: string; summary: string }): CliCommand {
  return {
    name,
    usage: `${name}${usage === '' ? '' : ` ${usage}`} [--as NAME]`,
    summary,
    details: [
      'As in chat, of the server that runs with these settings. Without a name it is asked by a program, with a key where there are any.',
      '--as NAME: as one of its people, where they may be signed in by name; elsewhere what only people may do is said in chat.',
    ],
    options: { as: { type: 'string' } },
    takesWords: true,
    async run({ words, options, terminal, settings }) {
      const { as } = options
      terminal.say(await say(settings, typeof as === 'string' ? as : null, [name, ...words]))
      return 0
    },
  }
}
