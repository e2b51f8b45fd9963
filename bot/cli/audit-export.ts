import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError, type Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { exportAudit, verifyExport } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { fileTime, newFile, saveDownload } from './new-file.ts'
import { runningOrNot } from './on-host.ts'
import { withProgress } from './terminal.ts'

export const auditExportCommand: CliCommand = {
  name: 'audit export',
  usage: 'audit export [FILE | DIR] [--since N]',
  summary: 'writes the audit log as signed lines of JSON, while the server runs or not',
  details: [
    'Anyone can verify it without a database: steadyhand audit verify --file FILE --key PUBLIC-KEY.',
    '--since N begins after entry N, so that each export goes on where the last one ended.',
    'Signed by Ed25519 with STEADYHAND_AUDIT_KEY, or with audit-key.pem in the data directory, made at the first export. It prints the public key.',
  ],
  options: { since: { type: 'string' } },
  takesWords: true,
  async run({ words, options, terminal, settings, now }) {
    if (words.length > 1) throw new CommandFailed('Name one file or folder at most: steadyhand audit export [FILE | DIR] [--since N].', 2)
    const { since = '0' } = options
    if (typeof since !== 'string' || !/^\d{1,15}$/.test(since))
      throw new CommandFailed(`--since ${since} is no place in the log: it must be a number.`, 2)
    const path = newFile(words[0], `steadyhand-audit-${fileTime(now())}.jsonl`)
    const report = await withProgress(terminal, 'exporting', now, async () => {
      await write(settings(), path, Number(since))
      return await verifyExport(path, null)
    })
    if (!report.ok) throw new CommandFailed(`The audit log was exported to ${path} and does not verify: ${report.problems[0]}.`)
    terminal.say(path)
    terminal.say(`${rangeWords(report)}, head ${report.head}`)
    terminal.say(`public key ${report.publicKey}`)
    return 0
  },
}

async function write(settings: Settings, path: string, since: number): Promise<void> {
  try {
    await runningOrNot(settings, {
      stopped: async () => await exportAudit(settings, createLog({ level: 'silent' }), path, since),
      running: async (server) => await saveDownload(path, await server.download('GET', `/api/v1/admin/audit-export?since=${since}`)),
    })
  } catch (error) {
    if (error instanceof CommandFailed) await rm(path, { force: true })
    if (error instanceof RangeError) throw new CommandFailed(error.message)
    throw error
  }
}

/** Verifies an export and says what it holds. @throws CommandFailed when anything is not as it should be */
export async function verifyFile(file: string, given: string | null): Promise<{ lines: string[]; json: Record<string, unknown> }> {
  const path = resolve(file)
  const report = await verifyExport(path, given === null ? null : keyText(given)).catch((error: unknown) => {
    if (error instanceof ConfigError) throw error
    throw new CommandFailed(`${path} cannot be verified (${error instanceof Error ? error.message : String(error)}).`)
  })
  const words = [
    `✓ ${rangeWords(report)}, no violations, head ${report.head}`,
    given === null
      ? `  signed by ${report.publicKey}, the key that it names itself: give the one you know with --key`
      : `  signed by the key that was given, at ${report.exportedAt}`,
  ]
  return { lines: report.ok ? words : report.problems.map((problem) => `✗ ${problem}`), json: { ...report } }
}

function rangeWords({ entries, from, to }: { entries: number; from: number | null; to: number | null }): string {
  return from === null ? 'no entries: none is newer' : `${entries} entries, ${from} to ${to}`
}

/** A key itself, or the file that holds it. */
function keyText(given: string): string {
  try {
    return readFileSync(given, 'utf8').slice(0, 10_000)
  } catch {
    return given
  }
}
