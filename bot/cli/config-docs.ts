import { settingsDocument } from '../config/documentation.ts'
import { settingsFileSchema } from '../config/settings-file.ts'
import { VARIABLES } from '../config.ts'
import type { CliCommand } from './command.ts'

export const configDocsCommand: CliCommand = {
  name: 'config docs',
  usage: 'config docs',
  summary: 'prints what can be set, with values, defaults and variables',
  details: ['Made from the schemas that read the settings; docs/configuration.md holds it for this version.'],
  options: {},
  async run({ terminal }) {
    terminal.say(settingsDocument(settingsFileSchema, VARIABLES).trimEnd())
    return 0
  },
}
