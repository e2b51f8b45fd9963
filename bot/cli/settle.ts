import { settledSchema } from '../api/admin.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { onHost } from './on-host.ts'
import { withProgress } from './terminal.ts'

export const adminSettleCommand: CliCommand = {
  name: 'admin settle',
  usage: 'admin settle APPROVAL applied|not-applied --reason WORDS',
  summary: 'ends, on the host, an action that was sent and never answered',
  details: [
    'Look at the target first: your word is recorded as yours, and the action is never sent again.',
    '"applied" lets telemetry verify it like any other; "not-applied" ends it as failed and frees the target for another action.',
    'Goes through the server that runs with these settings, as the user it runs as; APPROVAL is the id in the address of its card.',
  ],
  options: { reason: { type: 'string' } },
  takesWords: true,
  async run({ words, options, terminal, settings, now }) {
    const [approval, found] = words
    const { reason } = options
    if (words.length !== 2 || (found !== 'applied' && found !== 'not-applied') || typeof reason !== 'string')
      throw new CommandFailed(`Say which approval, what you found, and why: steadyhand ${adminSettleCommand.usage}.`, 2)
    const settled = await withProgress(terminal, 'settling', now, () =>
      onHost(settings(), {
        running: (server) => server.call('POST', '/api/v1/admin/settle', settledSchema, { approval, found, reason }),
        async stopped() {
          throw new CommandFailed('No server runs with these settings, and only the one that acts can end an action: start it first.')
        },
      }),
    )
    terminal.say(`${settled.title}: ${found === 'applied' ? 'took effect; telemetry now decides whether it helped' : 'not applied'}.`)
    return 0
  },
}
