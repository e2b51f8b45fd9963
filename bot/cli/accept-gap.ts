import type { z } from 'zod'
import { effectsSchema } from '../api/admin.ts'
import type { Settings } from '../config.ts'
import type { CliCommand } from './command.ts'
import { onHost } from './on-host.ts'
import { withProgress } from './terminal.ts'

const GAP = '/api/v1/admin/effect-gap'
type Gap = z.infer<typeof effectsSchema>

export const adminAcceptGapCommand: CliCommand = {
  name: 'admin accept-gap',
  usage: 'admin accept-gap [--reason WORDS]',
  summary: 'takes over, on the host, effects that only the effect journal knows',
  details: [
    'Without a reason it lists them and changes nothing: look at each target first.',
    'With one they are written into the audit log as taken over by the host, and are no reason to only observe any more.',
    'They come about when the database is put back to before them, by a restore for example.',
  ],
  options: { reason: { type: 'string' } },
  async run({ options, terminal, settings: read, now }) {
    const settings = read()
    const { reason } = options
    const { items } = await withProgress(terminal, 'comparing', now, () =>
      typeof reason === 'string' ? accept(settings, reason) : gapOf(settings),
    )
    for (const { at, resource, planId, executionId } of items) terminal.say(`${at}  ${resource}  plan ${planId}  execution ${executionId}`)
    if (items.length === 0) terminal.say('The database knows everything that the effect journal knows.')
    else if (typeof reason === 'string') terminal.say(`Taken over: ${items.length}. It is in the audit log.`)
    else terminal.say('Look at what each of them did, then: steadyhand admin accept-gap --reason "what you found"')
    return 0
  },
}

async function gapOf(settings: Settings): Promise<Gap> {
  return await onHost(settings, {
    running: (server) => server.call('GET', GAP, effectsSchema),
    stopped: async ({ agent }) => ({ items: [...(await agent.effects.gap())] }),
  })
}

async function accept(settings: Settings, reason: string): Promise<Gap> {
  return await onHost(settings, {
    running: (server) => server.call('POST', GAP, effectsSchema, { reason }),
    stopped: async ({ agent }) => ({ items: [...(await agent.effects.accept(reason))] }),
  })
}
