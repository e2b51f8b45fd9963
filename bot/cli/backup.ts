import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { backUp, finishBackup } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { fileTime, newFile, saveDownload } from './new-file.ts'
import { runningOrNot } from './on-host.ts'
import { withProgress } from './terminal.ts'
import { sizeWords } from './words.ts'

export const backupCommand: CliCommand = {
  name: 'backup',
  usage: 'backup [FILE | DIR]',
  summary: 'writes everything the database holds to one file, while the server runs or not',
  details: [
    'Without a name: a file named after the time, in this folder. It is read back before it gets its name, and overwrites nothing.',
    'Only its owner can read it: it holds whatever alerts and evidence said.',
    'The effect journal (effects.jsonl in the data directory) is no part of it: leave it where it is, or copy it to the new machine.',
  ],
  options: {},
  takesWords: true,
  async run({ words, terminal, settings, now }) {
    if (words.length > 1) throw new CommandFailed('Name one file or folder at most: steadyhand backup [FILE | DIR].', 2)
    const path = newFile(words[0], `steadyhand-${fileTime(now())}.backup`)
    const { header, rows, bytes } = await withProgress(terminal, 'backing up', now, async () => {
      const draft = join(dirname(path), `.steadyhand-${randomUUID()}.draft`)
      try {
        await writeDraft(settings(), draft)
        return await finishBackup(draft, path)
      } finally {
        await rm(draft, { force: true })
      }
    })
    terminal.say(`${path}`)
    terminal.say(
      `${rows} rows, ${sizeWords(bytes)}, read back and whole. Audit log: ${header.audit.entries} entries, head ${header.audit.head}`,
    )
    return 0
  },
}

async function writeDraft(settings: Settings, draft: string): Promise<void> {
  await runningOrNot(settings, {
    stopped: async () => await backUp(settings, createLog({ level: 'silent' }), draft),
    running: async (server) => await saveDownload(draft, await server.download('POST', '/api/v1/admin/backup')),
  })
}
