import { parseArgs } from 'node:util'
import { nearest } from '../agent/domain/nearest.ts'
import { adminAcceptGapCommand } from './cli/accept-gap.ts'
import { adminCommand, adminFirstCommand, adminStartAgainCommand } from './cli/admin.ts'
import { auditVerifyCommand } from './cli/audit.ts'
import { auditExportCommand } from './cli/audit-export.ts'
import { backupCommand } from './cli/backup.ts'
import { chatCommand } from './cli/chat-command.ts'
import type { CliCommand } from './cli/command.ts'
import { configDocsCommand } from './cli/config-docs.ts'
import { doCommand } from './cli/do.ts'
import { doctorCommand } from './cli/doctor.ts'
import { drillCommand, drillListCommand, drillRunCommand } from './cli/drill.ts'
import { CommandFailed } from './cli/failure.ts'
import { knowledgeAddCommand } from './cli/knowledge.ts'
import { mcpListCommand } from './cli/mcp-list.ts'
import { migrateCommand } from './cli/migrate.ts'
import { replayCommand } from './cli/replay.ts'
import { restoreCommand } from './cli/restore.ts'
import { adminSettleCommand } from './cli/settle.ts'
import { startCommand } from './cli/start.ts'
import { createTerminal, type Terminal, wrap } from './cli/terminal.ts'
import { COMMANDS as CHAT_COMMANDS } from './commands.ts'
import { ConfigError, loadConfig } from './config.ts'
import { now, VERSION } from './main.ts'

/** In the order in which `--help` lists them. */
const COMMANDS: readonly CliCommand[] = [
  startCommand,
  doctorCommand,
  drillListCommand,
  drillRunCommand,
  drillCommand,
  doCommand,
  auditVerifyCommand,
  auditExportCommand,
  replayCommand,
  knowledgeAddCommand,
  mcpListCommand,
  adminFirstCommand,
  adminSettleCommand,
  adminStartAgainCommand,
  adminAcceptGapCommand,
  adminCommand,
  backupCommand,
  restoreCommand,
  migrateCommand,
  configDocsCommand,
]
const FIRST_WORDS: readonly string[] = COMMANDS.map(({ name }) => name.split(' ')[0] ?? '')
/** What is said in chat, and is no command of its own here. */
const SAID: readonly CliCommand[] = CHAT_COMMANDS.filter(({ name }) => !FIRST_WORDS.includes(name)).map(chatCommand)
const HELP = ['help', '--help', '-h']

/** Runs one command line; resolves with the exit code. The last line of a failure says why and what to do. */
async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal)
  } catch (error) {
    terminal.progress(null)
    for (const line of failureLines(error)) process.stderr.write(`${line}\n`)
    return error instanceof CommandFailed ? error.exitCode : 1
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.some((arg) => arg === '--version' || arg === '-v')) {
    terminal.say(VERSION)
    return 0
  }
  const asksHelp = args.some((arg) => HELP.includes(arg))
  const words = args.filter((arg) => !HELP.includes(arg))
  const command = findCommand(words)
  if (asksHelp || words.length === 0) {
    for (const line of helpLines(command, words)) terminal.say(line)
    return asksHelp ? 0 : 2
  }
  if (!command) throw unknownCommand(words)
  const { values, positionals } = parse(command, words.slice(command.name.split(' ').length))
  return await command.run({
    terminal,
    options: values as Record<string, string | boolean | undefined>,
    words: positionals,
    settings: () => loadConfig(),
    now,
  })
}

function findCommand(words: readonly string[]): CliCommand | undefined {
  return [...COMMANDS, ...SAID].find(({ name }) => name.split(' ').every((part, index) => part === words[index]))
}

function parse(command: CliCommand, args: readonly string[]): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], options: command.options, allowPositionals: command.takesWords ?? false, strict: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new CommandFailed(`${unknownOption(command, args) ?? error.message.split('\n')[0]} Usage: steadyhand ${command.usage}`, 2)
  }
}

/** The first option that the command does not have, and what may be meant; null when it has them all. */
function unknownOption({ name, options }: CliCommand, args: readonly string[]): string | null {
  const end = args.indexOf('--')
  const given = args.slice(0, end === -1 ? args.length : end).flatMap((arg) => (/^--?[^-]/.test(arg) ? [arg.split('=')[0] ?? arg] : []))
  const known = Object.keys(options).map((option) => `--${option}`)
  const wrong = given.find((option) => !known.includes(option))
  if (wrong === undefined) return null
  const meant = nearest(wrong, known)
  return `${wrong} is no option of "${name}".${meant === null ? '' : ` Did you mean ${meant}?`}`
}

function helpLines(command: CliCommand | undefined, words: readonly string[]): string[] {
  if (command) {
    const further = COMMANDS.filter(({ name }) => name.startsWith(`${command.name} `)).map(({ usage }) => `  also: steadyhand ${usage}`)
    return [`steadyhand ${command.usage}`, '', `  ${command.summary}`, ...command.details.map((line) => `  ${line}`), ...further]
  }
  const near = COMMANDS.filter(({ name }) => words[0] === undefined || name.startsWith(`${words[0]} `))
  const shown = near.length > 0 ? near : COMMANDS
  const width = Math.max(...shown.map(({ usage }) => usage.length))
  return [
    'Usage: steadyhand COMMAND',
    '',
    ...shown.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`),
    '',
    '  COMMAND --help  more about one of them',
    ...(words.length > 0 ? [] : ['', ...wrap(`As in chat, of the server that runs: ${SAID.map(({ name }) => name).join(', ')}.`)]),
  ]
}

function unknownCommand(words: readonly string[]): CommandFailed {
  const typed = words
    .filter((word) => !word.startsWith('-'))
    .slice(0, 2)
    .join(' ')
  const names = COMMANDS.map(({ name }) => name)
  const parts = names.filter((name) => name.startsWith(`${words[0]} `))
  if (parts.length > 0 && nearest(typed, parts) === null)
    return new CommandFailed(`"${typed}" is no command: say ${parts.map((part) => `"steadyhand ${part}"`).join(' or ')}.`, 2)
  const first = [...new Set(FIRST_WORDS)]
  const said = SAID.map(({ name }) => name)
  const meant = nearest(typed, [...names, ...said]) ?? nearest(words[0] ?? '', [...first, ...said])
  if (meant !== null && said.includes(meant))
    return new CommandFailed(
      `"${typed}" is no command. "${meant}" is said in chat, in the box of the console, or here: steadyhand ${meant}.`,
      2,
    )
  return new CommandFailed(
    `"${typed}" is no command. ${meant === null ? `There are: ${names.join(', ')}.` : `Did you mean "${meant}"? Run "steadyhand ${meant} --help".`}`,
    2,
  )
}

/** Expected failures in words; anything else with its stack, and in the end what to do. */
function failureLines(error: unknown): string[] {
  if (error instanceof CommandFailed) return [error.message]
  if (error instanceof ConfigError) return [...error.problems, 'The settings cannot be used: correct the lines above and run it again.']
  const words = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && 'code' in error && EXPECTED.has(error.name)) return [words]
  return [
    error instanceof Error ? (error.stack ?? words) : words,
    `This should not have happened: ${words} Run "steadyhand doctor", and keep the lines above.`,
  ]
}

/** Faults of the storage that say themselves what to do. */
const EXPECTED = new Set(['DataDirectoryUnusable', 'DatabaseUnavailable', 'MigrationFailed', 'JournalDamaged', 'BackupRefused'])

process.exitCode = await run(process.argv.slice(2), createTerminal({ out: process.stdout, err: process.stderr }, now))
