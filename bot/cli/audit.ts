import type { z } from 'zod'
import { recentReportSchema } from '../api/audit.ts'
import type { Settings } from '../config.ts'
import { verifyFile } from './audit-export.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { operatorOf, toldOnHost } from './on-host.ts'
import { runningServer } from './server-at.ts'
import { withStoppedApp } from './stopped-app.ts'
import { type Terminal, withProgress } from './terminal.ts'

/** `at` where the server tells what it found a while ago: to whom cannot read its secret. */
const toldSchema = recentReportSchema.partial({ at: true })
type Report = z.infer<typeof toldSchema>

export const auditVerifyCommand: CliCommand = {
  name: 'audit verify',
  usage: 'audit verify [--file EXPORT [--key PUBLIC-KEY]] [--json]',
  summary: 'recomputes the audit chain and proves that nothing ran without a click',
  details: [
    'Asks the running server, or reads the database itself when none runs. Exits 1 when anything is not as it should be.',
    'Who cannot read the secret of the server is told what it found within the last minute.',
    '--file verifies an export of the log instead, with neither: every hash, that none is missing, and the signature.',
    '--key is the public key that you know of the server, or a file with it. Without it the export is held against the key that it names itself.',
  ],
  options: { json: { type: 'boolean' }, file: { type: 'string' }, key: { type: 'string' } },
  async run({ terminal, settings, options, now }) {
    const { file, key } = options
    if (typeof file === 'string') return await verifyOffline(file, typeof key === 'string' ? key : null, terminal, options['json'] === true)
    if (key !== undefined) throw new CommandFailed('--key goes with --file: the database needs none.', 2)
    const report = await withProgress(terminal, 'verifying', now, () => verify(settings()))
    if (options['json']) terminal.say(JSON.stringify(report))
    else for (const violation of report.violations) terminal.say(`✗ ${violation}`)
    if (!report.ok)
      throw new CommandFailed(
        `The audit does not verify: ${report.violations.length} violations in ${report.entries} entries. Stop Steadyhand and look at them before anything runs.`,
      )
    if (!options['json'])
      terminal.say(
        `✓ ${report.entries} entries, no violations, head ${report.head}${report.at === undefined ? '' : ` (as of ${report.at})`}`,
      )
    return 0
  },
}

async function verifyOffline(file: string, key: string | null, terminal: Terminal, asJson: boolean): Promise<number> {
  const report = await verifyFile(file, key)
  if (asJson) terminal.say(JSON.stringify(report.json))
  else for (const line of report.lines) terminal.say(line)
  if (report.json['ok'] !== true) throw new CommandFailed(`${file} does not verify. Nothing that it says can be relied on.`)
  return 0
}

async function verify(settings: Settings): Promise<Report> {
  const server = await runningServer(settings)
  if (server) return await toldOnHost({ operator: await operatorOf(settings), server }, '/audit/verify', toldSchema)
  return await verifyDatabase(settings)
}

/** @throws CommandFailed when there is nothing to verify */
export async function verifyDatabase(settings: Settings): Promise<Report> {
  return await withStoppedApp(settings, ({ agent }) => agent.verifyAudit())
}
