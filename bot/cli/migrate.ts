import { createLog } from '../log.ts'
import { migrate } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { withProgress } from './terminal.ts'

export const migrateCommand: CliCommand = {
  name: 'migrate',
  usage: 'migrate',
  summary: 'brings the database to the newest schema; every start does so by itself',
  details: ['A migration that fails is taken back whole, and the database is as it was before.'],
  options: {},
  async run({ terminal, settings, now }) {
    const log = createLog({ level: 'silent' })
    const ran = await withProgress(terminal, 'migrating', now, () => migrate(settings(), log))
    for (const name of ran) terminal.say(`ran ${name}`)
    terminal.say(ran.length === 0 ? 'Nothing to do: the schema is the newest.' : `${ran.length} migrations ran.`)
    return 0
  },
}
