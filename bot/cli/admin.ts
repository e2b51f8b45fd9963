import type { z } from 'zod'
import { enrolFirst, enrolledSchema, firstAdminSchema, startAgain, startedSchema } from '../api/admin.ts'
import type { Settings } from '../config.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { onHost } from './on-host.ts'
import { sayAs } from './say-as.ts'
import { withProgress } from './terminal.ts'

export const adminStartAgainCommand: CliCommand = {
  name: 'admin start-again',
  usage: 'admin start-again [env:NAME | kind:ACTION]',
  summary: 'starts again, alone and on the host, what was stopped',
  details: [
    'Without a scope: what "stop" without a scope stopped. In chat and on the console it takes two people.',
    'Goes through the server that runs with these settings, as the user it runs as; when none runs, straight to the database.',
    'It is recorded as done by the host.',
  ],
  options: {},
  takesWords: true,
  async run({ words, terminal, settings, now }) {
    if (words.length > 1) throw new CommandFailed('Name one scope at most: steadyhand admin start-again [env:NAME | kind:ACTION].', 2)
    const { scope } = await withProgress(terminal, 'starting again', now, () => startOnHost(settings(), words[0]))
    terminal.say(`Started${scope === '*' ? '' : ` (${scope})`}: approved actions run again.`)
    return 0
  },
}

export const adminFirstCommand: CliCommand = {
  name: 'admin first',
  usage: 'admin first NAME [--name "FULL NAME"] [--link SURFACE:TENANT:ACCOUNT]',
  summary: 'makes the first admin, alone and on the host; NAME is the id of a person, new or known',
  details: [
    'Works only while there is no active admin. From then on two admins make another one, with "admin grant" in chat.',
    '--link ties an account to the person, by the ids of its surface, as in the settings file; without one who is new can say nothing anywhere.',
    'Goes through the server that runs with these settings, as the user it runs as; when none runs, straight to the database.',
  ],
  options: { name: { type: 'string' }, link: { type: 'string' } },
  takesWords: true,
  async run({ words, options, terminal, settings, now }) {
    if (words.length !== 1) throw new CommandFailed(`Name one person: steadyhand ${adminFirstCommand.usage}.`, 2)
    const first = firstAdmin(words[0], options)
    const { person } = await withProgress(terminal, 'enrolling', now, () =>
      onHost(settings(), {
        running: (server) => server.call('POST', '/api/v1/admin/first', enrolledSchema, first),
        stopped: ({ agent }) => enrolFirst(agent.power, first),
      }),
    )
    terminal.say(`${person} is an admin now. Another one takes two admins, or the settings file.`)
    return 0
  },
}

export const adminCommand: CliCommand = {
  name: 'admin',
  usage: 'admin pending|grant|revoke|link|unlink|confirm|withdraw … --as NAME',
  summary: 'what the chat command of the same name does, as one of the named people of a server on this machine',
  details: [
    'grant PERSON ROLE [env:NAME] · link PERSON SURFACE TENANT ACCOUNT [FULL NAME]: waits for another admin, who says confirm CODE.',
    'revoke PERSON [ROLE] [env:NAME] · unlink SURFACE TENANT ACCOUNT: at once. withdraw CODE · pending.',
    'Only where people may be signed in by name, see the console; elsewhere it is said in chat.',
  ],
  options: { as: { type: 'string' } },
  takesWords: true,
  async run({ words, options, terminal, settings }) {
    terminal.say(await sayAs(settings, options['as'], ['admin', ...words]))
    return 0
  },
}

/** @throws CommandFailed when a part is not well-formed */
function firstAdmin(person: string | undefined, { name, link }: Readonly<Record<string, string | boolean | undefined>>) {
  const [surface, tenant, ...account] = typeof link === 'string' ? link.split(':') : []
  const parsed = firstAdminSchema.safeParse({
    person,
    name: name ?? null,
    link: link === undefined ? null : { surface, tenant, externalId: account.join(':') },
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new CommandFailed(`${issue?.path.join('.')}: ${issue?.message}. Usage: steadyhand ${adminFirstCommand.usage}`, 2)
}

async function startOnHost(settings: Settings, word: string | undefined): Promise<z.infer<typeof startedSchema>> {
  const path = `/api/v1/admin/start-again${word === undefined ? '' : `?scope=${encodeURIComponent(word)}`}`
  return await onHost(settings, {
    running: (server) => server.call('POST', path, startedSchema),
    stopped: ({ agent }) => startAgain(agent.control, word),
  })
}
