import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { examineRunbook } from '../main.ts'
import { cleanText } from '../messages/visible-text.ts'
import { isRunbookName, readRunbookFile, readRunbookFolders } from '../runbook-folder.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { wrap } from './terminal.ts'

const HEADING_LENGTH = 80

export const knowledgeAddCommand: CliCommand = {
  name: 'knowledge add',
  usage: 'knowledge add FILE… [--replace]',
  summary: 'checks runbooks in Markdown as they are read, and copies them into the folder of runbooks',
  details: [
    'The folder is runbooks.folder of the settings (or STEADYHAND_RUNBOOKS). It is read at each start.',
    'One that is there already is left as it is without --replace. When one of the files cannot be used none is copied.',
  ],
  options: { replace: { type: 'boolean' } },
  takesWords: true,
  async run({ words, options, terminal, settings }) {
    if (words.length === 0) throw new CommandFailed(`Name at least one file: steadyhand ${knowledgeAddCommand.usage}.`, 2)
    const folder = folderOf(settings().runbooks.folder)
    const runbooks = words.map(checked)
    const twice = runbooks.find(({ name }, index) => runbooks.findIndex((other) => other.name === name) < index)
    if (twice) throw new CommandFailed(`Two of these are called ${twice.name}: only one can be.`, 2)
    for (const runbook of runbooks) demandPlace(runbook, folder, options['replace'] === true)
    for (const { name, text, title, headings } of runbooks) {
      put(join(folder, name), text)
      terminal.say(`${name}: ${title}, ${headings.length} ${headings.length === 1 ? 'part' : 'parts'}`)
      for (const line of wrap(headings.join(' · '))) terminal.say(line)
    }
    for (const problem of readRunbookFolders({ folder }).problems) terminal.say(`! ${problem}`)
    terminal.say(`Copied to ${folder}: ${runbooks.length}. Read at the next start.`)
    return 0
  },
}

interface Checked {
  name: string
  text: string
  title: string
  headings: string[]
}

/** @throws CommandFailed when there is none */
function folderOf(folder: string | null): string {
  if (folder === null)
    throw new CommandFailed('There is no folder of runbooks: name one in runbooks.folder of the settings, or in STEADYHAND_RUNBOOKS.')
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new CommandFailed(`There is no folder ${folder}: make it first.`)
  return folder
}

/** @throws CommandFailed with what the reader would leave out */
function checked(path: string): Checked {
  const name = basename(path)
  if (!isRunbookName(name)) throw new CommandFailed(`${path} is no runbook by its name: it ends with .md, and is no README.`)
  const unread: string[] = []
  const text = readRunbookFile(path, unread)
  const { chunks, problems } = text === null ? { chunks: [], problems: unread } : examineRunbook(name, text)
  const [problem] = problems
  if (text === null || problem !== undefined) throw new CommandFailed(`${path} cannot be used as it is: ${problem}`)
  const [first] = chunks
  if (first === undefined) throw new CommandFailed(`${path} says nothing: there is no text in it below a heading or without one.`)
  const headings = chunks.map(({ heading }) => cleanText(heading, HEADING_LENGTH))
  return { name, text, title: cleanText(first.title, HEADING_LENGTH), headings }
}

/** @throws CommandFailed when another is there, and is not to be replaced */
function demandPlace({ name, text }: Checked, folder: string, replace: boolean): void {
  const path = join(folder, name)
  if (!existsSync(path) || replace || readFileSync(path, 'utf8') === text) return
  throw new CommandFailed(`${path} is there already and says something else. With --replace this one takes its place.`)
}

/** Whole or not at all, for a server that starts at this moment. */
function put(path: string, text: string): void {
  const draft = `${path}.draft`
  writeFileSync(draft, text)
  renameSync(draft, path)
}
