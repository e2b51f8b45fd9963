import type { ParseArgsConfig } from 'node:util'
import type { Settings } from '../config.ts'
import type { Terminal } from './terminal.ts'

/** What a command is given. */
export interface CommandLine {
  terminal: Terminal
  /** The options that were given, by name, and what was no option. */
  options: Readonly<Record<string, string | boolean | undefined>>
  words: readonly string[]
  /** @throws ConfigError with every problem at once */
  settings(): Settings
  now: () => Date
}

export interface CliCommand {
  /** 'start', 'drill run' … */
  name: string
  usage: string
  summary: string
  /** Lines for `--help`, below the summary. */
  details: readonly string[]
  options: NonNullable<ParseArgsConfig['options']>
  /** It takes words that are no options; any other command refuses them. */
  takesWords?: true
  /** Resolves with the exit code. @throws CommandFailed */
  run(line: CommandLine): Promise<number>
}
