import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { meantOrKnown, nearest } from '../../agent/domain/nearest.ts'
import { approvalSchema, incidentSchema } from '../api/shapes.ts'
import { loadConfig, type Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { type App, createApp, listDrills } from '../main.ts'
import { type ApiClient, createApiClient, RefusedCall } from './api-client.ts'
import type { CliCommand, CommandLine } from './command.ts'
import { type DrillEnd, type DrillScore, scoreDrill, scoreLines } from './drill-score.ts'
import { type DrillRun, followRun } from './drill-transcript.ts'
import { CommandFailed } from './failure.ts'
import { type ScriptedPeople, signInPeople } from './scripted-people.ts'
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
    else for (const line of drillLines(drills)) terminal.say(line)
    return 0
  },
}

/** What somebody says who does not know yet how a drill is run. */
export const drillCommand: CliCommand = {
  name: 'drill',
  usage: 'drill',
  summary: 'which drills there are, and how to run one',
  details: ['A drill breaks the local target for real, so that what follows can be practised.'],
  options: { auto: { type: 'boolean' }, all: { type: 'boolean' } },
  takesWords: true,
  async run({ terminal, settings, words, options }) {
    const drills = await listDrills(settings())
    const [word] = words
    if (word === undefined && Object.keys(options).length === 0) {
      for (const line of drillLines(drills)) terminal.say(line)
      terminal.say()
      terminal.say('Run one:          steadyhand drill run NAME')
      terminal.say('With a script:    steadyhand drill run NAME --auto   (scripted people decide)')
      return 0
    }
    const names = drills.map(({ name }) => name)
    const meant = word === undefined ? null : names.includes(word) ? word : nearest(word, ['list', 'run', ...names])
    if (meant === 'list' || meant === 'run')
      throw new CommandFailed(`"drill ${word}" is no command. Did you mean "drill ${meant}"? Run "steadyhand drill ${meant} --help".`, 2)
    const run = `steadyhand drill run ${meant ?? (word === undefined && options['all'] ? '--all' : 'NAME')}${options['auto'] ? ' --auto' : ''}`
    throw new CommandFailed(`A drill is run with: ${run}.${meant === null ? ` There are: ${names.join(', ') || 'none'}.` : ''}`, 2)
  },
}

function drillLines(drills: readonly Pick<Drill, 'name' | 'title' | 'expects'>[]): string[] {
  const width = Math.max(0, ...drills.map(({ name }) => name.length))
  return drills.map(({ name, title, expects }) => `${name.padEnd(width)}  ${expects.padEnd(9)}  ${title}`)
}

export const drillRunCommand: CliCommand = {
  name: 'drill run',
  usage: 'drill run NAME|--all [--auto]',
  summary: 'breaks the local target for real and follows what Steadyhand makes of it',
  details: [
    'Uses the server that runs with these settings. When none does, starts one for this drill alone, on a free port and with a temporary database.',
    '--auto lets scripted people decide: one who may not is refused, then as many as the policy asks approve.',
    '--all runs every drill, one after the other, and prints a table: whether cause and action were right, how long it took, how many clicks.',
    'Exits 0 when the drill ended as it should; with --all, when every one did.',
  ],
  options: { auto: { type: 'boolean' }, all: { type: 'boolean' } },
  takesWords: true,
  async run(line) {
    const settings = line.settings()
    const known = await listDrills(settings)
    const drills = line.options['all'] === true ? all(known, line.words) : [named(known, line.words)]
    const work = (api: ApiClient): Promise<number> => runDrills(api, drills, line)
    const server = await runningServer(settings)
    if (server) {
      line.terminal.say(`Using the server at ${server.url}.`)
      return await leavingItRunning(server.url, line, () => work(server))
    }
    return await withTemporaryServer(settings, line, work)
  },
}

type Drill = Awaited<ReturnType<typeof listDrills>>[number]

function all(known: readonly Drill[], words: readonly string[]): readonly Drill[] {
  if (words.length > 0) throw new CommandFailed('Name a drill or give --all, not both.', 2)
  if (known.length === 0) throw new CommandFailed('There are no drills: the local target is not enabled.')
  return known
}

function named(known: readonly Drill[], [name, ...more]: readonly string[]): Drill {
  if (name === undefined || more.length > 0) {
    const names = known.map((drill) => drill.name).join(', ') || 'none'
    throw new CommandFailed(`Name one drill: steadyhand drill run NAME, or --all for each in turn. There are: ${names}.`, 2)
  }
  const found = known.find((drill) => drill.name === name)
  if (found) return found
  const names = known.map((drill) => drill.name)
  throw new CommandFailed(`There is no drill ${name}. ${meantOrKnown(name, names)}`, 2)
}

/** One after the other; one that does not end as it should does not keep the others from their turn. */
async function runDrills(api: ApiClient, drills: readonly Drill[], line: CommandLine): Promise<number> {
  const { terminal, options } = line
  const people = options['auto'] ? await signInPeople(api) : null
  const scores: DrillScore[] = []
  const failures: string[] = []
  for (const drill of drills) {
    const result = await runDrill(api, drill.name, people, line)
    terminal.say()
    const words = result.words ?? (result.state === 'passed' ? 'it ended as it should.' : 'it did not end as it should.')
    if (result.state === 'passed') terminal.say(`passed: ${words}`)
    else failures.push(drills.length === 1 ? words : `${drill.name}: ${words}`)
    scores.push(scoreDrill(drill, await endOf(api, result)))
    if (drills.length > 1) terminal.say()
  }
  if (drills.length > 1) for (const text of scoreLines(scores)) terminal.say(text)
  if (failures.length > 0) throw new CommandFailed(`failed: ${failures.join(' ')}`)
  return 0
}

async function runDrill(api: ApiClient, name: string, people: ScriptedPeople | null, { terminal, now }: CommandLine): Promise<DrillRun> {
  const { run } = await begin(api, name)
  terminal.say(`Drill ${name}: the fault is put in place once the target has been healthy for a few seconds.`)
  return await followRun({ api, terminal, now, people }, run)
}

async function endOf(api: ApiClient, run: DrillRun): Promise<DrillEnd> {
  const incident = run.incident === null ? null : await api.call('GET', `/api/v1/incidents/${run.incident}`, incidentSchema)
  const approvals = await Promise.all(run.approvals.map((id) => api.call('GET', `/api/v1/approvals/${id}`, approvalSchema)))
  return { ...run, hypotheses: incident?.hypotheses ?? [], approvals }
}

async function begin(api: ApiClient, name: string): Promise<{ run: string }> {
  try {
    return await api.call('POST', '/api/v1/drills', z.object({ run: z.string() }), { name })
  } catch (error) {
    if (error instanceof RefusedCall) throw new CommandFailed(error.message)
    throw error
  }
}

/** Whoever stops watching is told that the drill does not stop with them. */
async function leavingItRunning(url: string, { terminal }: CommandLine, work: () => Promise<number>): Promise<number> {
  const interrupted = (): void => {
    terminal.say()
    terminal.say(`No longer watching. A drill that has begun goes on at ${url}: its fault is taken out again when it ends,`)
    terminal.say('two minutes after the last decision, or when its request expires.')
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    return await work()
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
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
  terminal.say(`No server answers at ${addressOf(settings)}, so one is started for this alone; nothing of it is kept.`)
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-drill-'))
  const log = createLog({ level: settings.log.level ?? 'error', format: settings.log.format })
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
    const listening = await withProgress(terminal, 'starting the services of the local target', now, () => made.start())
    return await work(createApiClient(listening?.url ?? '', null))
  } finally {
    await withProgress(terminal, 'stopping', now, stop)
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}
