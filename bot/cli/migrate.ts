import { createLog } from '../log.ts'
import { createApp } from '../main.ts'
import { migrate } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { withProgress } from './terminal.ts'

export const migrateCommand: CliCommand = {
  name: 'migrate',
  usage: 'migrate [--split]',
  summary: 'brings the database to the newest schema; every start does so by itself',
  details: [
    'A migration that fails is taken back whole, and the database is as it was before.',
    '--split, on PostgreSQL, for "start --role": makes the roles steadyhand_edge, steadyhand_agent and steadyhand_executor, gives each what its process needs,',
    'and writes down what the settings and the policy file say. Run it as the owner of the database, again after each change of either.',
  ],
  options: { split: { type: 'boolean' } },
  async run({ terminal, settings: read, options, now }) {
    const settings = read()
    const log = createLog({ level: 'warn', format: settings.log.format })
    if (options['split'] && settings.databaseUrl === null)
      throw new CommandFailed('--split needs a PostgreSQL server: set DATABASE_URL. The embedded database belongs to one process.', 2)
    const ran = await withProgress(terminal, 'migrating', now, () => migrate(settings, log, options['split'] === true))
    for (const name of ran) terminal.say(`ran ${name}`)
    terminal.say(ran.length === 0 ? 'Nothing to do: the schema is the newest.' : `${ran.length} migrations ran.`)
    if (!options['split']) return 0
    // Putting it together, without a start, writes down what the host's files say.
    await withProgress(terminal, 'reading settings and policy', now, async () => await (await createApp(settings, log)).close())
    terminal.say('Each process has its role. Make a login for each, for example:')
    for (const role of ['edge', 'agent', 'executor']) terminal.say(`  create role ${role} login password '…' in role steadyhand_${role};`)
    return 0
  },
}
