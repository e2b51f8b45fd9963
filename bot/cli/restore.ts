import { resolve } from 'node:path'
import type { Settings } from '../config.ts'
import { countWords } from '../messages/plain-words.ts'
import { restoreBackup } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { addressOf, runningServer } from './server-at.ts'
import { withStoppedApp } from './stopped-app.ts'
import { type Terminal, withProgress } from './terminal.ts'

export const restoreCommand: CliCommand = {
  name: 'restore',
  usage: 'restore FILE [--replace]',
  summary: 'puts a backup in the place of the database, wholly or not at all',
  details: [
    'Refuses while a server runs, and where a database is already: with --replace that one is put aside under another name, never deleted.',
    'A backup of an older version is brought to the newest schema. The audit log is verified before anything is put in place.',
    'Nothing that was approved before is carried out: what waited is cancelled, and what only the effect journal knows keeps it observing',
    'until you have looked and taken it over with "steadyhand admin accept-gap".',
  ],
  options: { replace: { type: 'boolean' } },
  takesWords: true,
  async run({ words, options, terminal, settings: read, now }) {
    const [file] = words
    if (file === undefined || words.length > 1) throw new CommandFailed('Name one backup: steadyhand restore FILE [--replace].', 2)
    const settings = read()
    if ((await runningServer(settings)) !== null)
      throw new CommandFailed(`Steadyhand runs at ${addressOf(settings)}. Stop it first, then restore.`)
    const done = await withProgress(terminal, 'restoring', now, () => restoreBackup(settings, resolve(file), options['replace'] === true))
    const { backup, aside, migrated, ended, audit } = done
    terminal.say(
      `Restored: ${countWords(backup.rows, 'row')} of ${backup.header.takenAt}, made by Steadyhand ${backup.header.product} on ${STORES[backup.header.store]}.`,
    )
    if (aside !== null) terminal.say(`What was there before is kept: ${aside}`)
    for (const name of migrated) terminal.say(`ran ${name}`)
    terminal.say(`✓ ${audit.entries} entries in the audit log, no violations, head ${audit.head}`)
    terminal.say(
      `Cancelled: ${countWords(ended.requests, 'request')} that waited. Aborted: ${countWords(ended.executions, 'execution')} that had sent nothing.`,
    )
    terminal.say('People, roles, accounts, stops and freezes are as they were then: look at what was revoked or stopped since.')
    await sayGap(settings, terminal)
    return 0
  },
}

const STORES = { pglite: 'the embedded database', postgres: 'PostgreSQL' } as const

async function sayGap(settings: Settings, terminal: Terminal): Promise<void> {
  const gap = await withStoppedApp(settings, ({ agent }) => agent.effects.gap())
  if (gap.length === 0) return
  terminal.say(
    `! ${countWords(gap.length, 'effect')} in the effect journal came after this backup. Until you have taken them over it only observes:`,
  )
  terminal.say('    → steadyhand admin accept-gap')
}
