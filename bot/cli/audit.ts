import type { z } from 'zod'
import { reportSchema } from '../api/audit.ts'
import type { Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { type App, createApp } from '../main.ts'
import { migrationsToRun } from '../offline.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { runningServer } from './server-at.ts'
import { withProgress } from './terminal.ts'

type Report = z.infer<typeof reportSchema>

export const auditVerifyCommand: CliCommand = {
  name: 'audit verify',
  usage: 'audit verify [--json]',
  summary: 'recomputes the audit chain and proves that nothing ran without a click',
  details: ['Asks the running server, or reads the database itself when none runs. Exits 1 when anything is not as it should be.'],
  options: { json: { type: 'boolean' } },
  async run({ terminal, settings, options, now }) {
    const report = await withProgress(terminal, 'verifying', now, () => verify(settings()))
    if (options['json']) terminal.say(JSON.stringify(report))
    else for (const violation of report.violations) terminal.say(`✗ ${violation}`)
    if (!report.ok)
      throw new CommandFailed(
        `The audit does not verify: ${report.violations.length} violations in ${report.entries} entries. Stop Steadyhand and look at them before anything runs.`,
      )
    if (!options['json']) terminal.say(`✓ ${report.entries} entries, no violations, head ${report.head}`)
    return 0
  },
}

async function verify(settings: Settings): Promise<Report> {
  const server = await runningServer(settings)
  if (server) return await server.call('GET', '/api/v1/audit/verify', reportSchema)
  return await verifyDatabase(settings)
}

/** @throws CommandFailed when there is nothing to verify */
export async function verifyDatabase(settings: Settings): Promise<Report> {
  return await withStoppedApp(settings, ({ agent }) => agent.verifyAudit())
}

/** Opens the database of a server that does not run, as it is, for one piece of work. @throws CommandFailed when it is not there or not ready */
export async function withStoppedApp<T>(settings: Settings, work: (app: App) => Promise<T>): Promise<T> {
  const log = createLog({ level: 'silent' })
  const pending = await migrationsToRun(settings, log)
  if (pending === null) throw new CommandFailed(`There is no database in ${settings.dataDir} yet: "steadyhand start" makes one.`)
  if (pending.length > 0) throw new CommandFailed(`The database misses ${pending.join(', ')}: run "steadyhand migrate" first.`)
  const app = await createApp(settings, log, { inspect: true })
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}
