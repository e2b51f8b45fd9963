import { nearest } from '../../agent/domain/nearest.ts'
import { cleanText, exactText } from '../messages/visible-text.ts'
import { listOutside } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { type Terminal, withProgress } from './terminal.ts'

type Listing = Awaited<ReturnType<typeof listOutside>>[number]
type ListedTool = Extract<Listing, { ok: true }>['tools'][number]

const MOST_LINES = 600

export const mcpListCommand: CliCommand = {
  name: 'mcp list',
  usage: 'mcp list [NAME]',
  summary: 'shows every tool that the servers of others in the settings offer, word for word, to be reviewed',
  details: [
    'Nothing is called and nothing is changed. What cannot be seen, or looks like something else, is shown as its code point.',
    'A tool that you agree with is written into mcp[].tools of the settings by its name and sha256, and used from the next start on.',
  ],
  options: {},
  takesWords: true,
  async run({ words, terminal, settings, now }) {
    const [name = null, ...rest] = words
    if (rest.length > 0) throw new CommandFailed(`Name one server, or none for all: steadyhand ${mcpListCommand.usage}.`, 2)
    const read = settings()
    const names = read.sources.mcp.map((server) => server.name)
    if (names.length === 0) throw new CommandFailed('No server is configured: name one under mcp in the settings.', 2)
    if (name !== null && !names.includes(name)) throw new CommandFailed(unknownServer(name, names), 2)
    const listings = await withProgress(terminal, 'asking', now, () => listOutside(read, name))
    for (const listing of listings) sayListing(terminal, listing)
    const failed = listings.filter(({ ok }) => !ok)
    if (failed.length > 0) throw new CommandFailed(`${failed.map((each) => each.name).join(', ')} could not be asked: see above.`)
    return 0
  },
}

function unknownServer(name: string, names: readonly string[]): string {
  const meant = nearest(name, names)
  return `There is no server ${exactText(name.slice(0, 60))} under mcp in the settings.${meant === null ? ` There are: ${names.join(', ')}.` : ` Did you mean ${meant}?`}`
}

function sayListing(terminal: Terminal, listing: Listing): void {
  terminal.say(`${listing.name} at ${listing.url}`)
  if (listing.ok) sayTools(terminal, listing)
  else terminal.say(`  ${cleanText(listing.words)}`)
}

function sayTools(terminal: Terminal, listing: Extract<Listing, { ok: true }>): void {
  for (const tool of listing.tools) sayTool(terminal, tool)
  for (const gone of listing.gone) terminal.say(`\n  ${gone} is in the settings, and is not offered any more.`)
  const usable = listing.tools.filter(({ objection }) => objection === null)
  terminal.say(`\n  ${usable.length === 0 ? 'None of them can be used.' : 'For mcp[].tools, of those that you read and agree with:'}`)
  for (const { descriptor, sha256 } of usable) terminal.say(`    - { name: ${JSON.stringify(descriptor.name)}, sha256: "${sha256}" }`)
}

function sayTool(terminal: Terminal, { descriptor, sha256, objection, isPinned }: ListedTool): void {
  const state = objection === null ? (isPinned ? 'as it was reviewed' : 'not reviewed as it is now') : `cannot be used: ${objection}`
  const { name, title, description, ...rest } = descriptor
  terminal.say(`\n  ${exactText(name)}: ${state}`)
  if (sha256 !== null) terminal.say(`    sha256 ${sha256}`)
  const lines = [
    ...(title === null ? [] : [`title: ${title}`]),
    ...description.split('\n'),
    ...(sha256 === null ? [] : JSON.stringify(rest, null, 2).split('\n')),
  ]
  for (const line of lines.slice(0, MOST_LINES)) terminal.say(`    │ ${visibleLine(line)}`)
  if (lines.length > MOST_LINES) terminal.say(`    … ${lines.length - MOST_LINES} lines more: too long to be agreed with`)
}

/** A line of theirs, so that none passes for one of ours. With its indentation, which is seen; whatever else is not plain is shown as what it is. */
function visibleLine(line: string): string {
  const [indent = ''] = /^ */.exec(line) ?? []
  return indent + exactText(line.slice(indent.length))
}
