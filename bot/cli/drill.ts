import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { nearestKey } from '../config/nearest-key.ts'
import { loadConfig, type Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { type App, createApp, listDrills } from '../main.ts'
import { type ApiClient, createApiClient, RefusedCall } from './api-client.ts'
import type { CliCommand, CommandLine } from './command.ts'
import { followRun } from './drill-transcript.ts'
import { CommandFailed } from './failure.ts'
import { signInPeople } from './scripted-people.ts'
import { addressOf, runningServer } from './server-at.ts'
import { withProgress } from './terminal.ts'

export const drillListCommand: CliCommand = {
  name: 'drill list',
  usage: 'drill list [--json]',
  summary: 'the faults that can be put into the local target for practice',
  details: ['--json prints [{"name","title","expects"}]. expects: action, no-action or undo.'],
  options: { json: { type: 'boolean' } },
  async run({ terminal, settings, options }) {
    const drills = (await listDrills(settings())).map(({ name, title, expects }) => ({ name, title, expects }))
    if (options['json']) terminal.say(JSON.stringify(drills))
    else for (const { name, title, expects } of drills) terminal.say(`${name.padEnd(16)} ${expects.padEnd(10)} ${title}`)
    return 0
  },
}

export const drillRunCommand: CliCommand = {
  name: 'drill run',
  usage: 'drill run NAME [--auto]',
  summary: 'breaks the local target for real and follows what Steadyhand makes of it',
  details: [
    'Uses the server that runs with these settings. When none does, starts one for this drill alone, on a free port and with a temporary database.',
    '--auto lets scripted people decide: one who may not is refused, then as many as the policy asks approve.',
    'Exits 0 when the drill ended as it should.',
  ],
  options: { auto: { type: 'boolean' } },
  async run(line) {
    const [name, ...more] = line.words
    if (name === undefined || more.length > 0)
      throw new CommandFailed('Name one drill: steadyhand drill run NAME. "steadyhand drill list" shows them.', 2)
    const settings = line.settings()
    await checkName(settings, name)
    const server = await runningServer(settings)
    if (server) {
      line.terminal.say(`Using the server at ${server.url}.`)
      return await runDrill(server, name, line)
    }
    return await withTemporaryServer(settings, line, (api) => runDrill(api, name, line))
  },
}

async function checkName(settings: Settings, name: string): Promise<void> {
  const known = (await listDrills(settings)).map((drill) => drill.name)
  if (known.includes(name)) return
  const meant = nearestKey(name, known)
  throw new CommandFailed(
    `There is no drill ${name}. ${meant === null ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean ${meant}?`}`,
    2,
  )
}

async function runDrill(api: ApiClient, name: string, { terminal, options, now }: CommandLine): Promise<number> {
  const people = options['auto'] ? await signInPeople(api) : null
  terminal.say(`Drill ${name}: the fault is put in place once the target has been healthy for a few seconds.`)
  const { run } = await begin(api, name)
  const result = await followRun({ api, terminal, now, people }, run)
  terminal.say()
  if (result.state !== 'passed') throw new CommandFailed(`failed: ${result.words ?? 'it did not end as it should.'}`)
  terminal.say(`passed: ${result.words ?? 'it ended as it should.'}`)
  return 0
}

async function begin(api: ApiClient, name: string): Promise<{ run: string }> {
  try {
    return await api.call('POST', '/api/v1/drills', z.object({ run: z.string() }), { name })
  } catch (error) {
    if (error instanceof RefusedCall) throw new CommandFailed(error.message)
    throw error
  }
}

/** Nothing of the installation is touched: its own database, its own port, the people of an unconfigured console. */
function temporarySettings(settings: Settings, dataDir: string): Settings {
  const plain = loadConfig({}, dataDir)
  return { ...plain, port: 0, dataDir, policyFile: settings.policyFile, log: settings.log, crash: settings.crash }
}

async function withTemporaryServer(
  settings: Settings,
  { terminal, now }: CommandLine,
  work: (api: ApiClient) => Promise<number>,
): Promise<number> {
  terminal.say(`No server answers at ${addressOf(settings)}, so one is started for this drill alone; nothing of it is kept.`)
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-drill-'))
  const log = createLog({ level: settings.log.level ?? 'error' })
  let app: App | null = null
  const stop = async (): Promise<void> => {
    await app?.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const interrupted = (): void => {
    void stop().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    app = await withProgress(terminal, 'making a temporary database', now, () => createApp(temporarySettings(settings, folder), log))
    const made = app
    const { url } = await withProgress(terminal, 'starting the services of the local target', now, () => made.start())
    return await work(createApiClient(url, null))
  } finally {
    await withProgress(terminal, 'stopping', now, stop)
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}
