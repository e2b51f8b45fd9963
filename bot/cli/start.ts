import { createLiveSecrets, type LiveSecrets } from '../config/live-secrets.ts'
import { createReload, signatureOf } from '../config/reload.ts'
import { exposureProblem, type Settings } from '../config.ts'
import { CannotListen, demandPort } from '../listen.ts'
import { createLog } from '../log.ts'
import { type App, createApp, VERSION } from '../main.ts'
import { migrationsToRun } from '../offline.ts'
import { partsOf, ROLES_OF_PROCESSES, type RoleOfProcess } from '../process-role.ts'
import type { CliCommand, CommandLine } from './command.ts'
import { CommandFailed } from './failure.ts'
import { improvements } from './improvements.ts'
import { addressOf, runningServer } from './server-at.ts'
import { type Terminal, withProgress } from './terminal.ts'

/** A process that is told to stop is gone by then, whatever it still waits for: what was sent is settled at the next start. */
const STOP_WITHIN_MS = 9_000
/** The same while it is only opening: nothing was begun then. */
const OPEN_WITHIN_MS = 3_000
/** How soon a changed file is noticed. */
const LOOK_AGAIN_MS = 5_000

export const startCommand: CliCommand = {
  name: 'start',
  usage: 'start [--role all|edge|agent|executor]',
  summary: 'runs Steadyhand in this terminal until it is told to stop',
  details: [
    'Settings come from the environment, and from steadyhand.yaml or the file that STEADYHAND_CONFIG names.',
    'SIGTERM or Ctrl-C finishes what was begun and ends within ten seconds.',
    '--role runs one of three processes that share a PostgreSQL database, each with a login of its own in DATABASE_URL: edge takes alerts and clicks,',
    'agent investigates and proposes, executor carries out. "steadyhand migrate --split", by the owner of the database, prepares it.',
    'The local target belongs to one process and is off then. HEALTH_PORT gives each a port for probes.',
  ],
  options: { role: { type: 'string' } },
  async run(line) {
    const stopping = Promise.withResolvers<string>()
    // Before anything is opened: the first process of a container that has no handler is not ended by a signal, but killed later. A program and its
    // process group are often told both: a second SIGTERM must not cut the orderly end short.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.resolve(signal))
    const role = roleOf(line.options['role'])
    const settings = settingsFor(role, line.settings())
    const exposed = exposureProblem(settings)
    if (exposed !== null && partsOf(role).edge) throw new CommandFailed(exposed)
    const live = createLiveSecrets(settings, line.now)
    const log = createLog({ level: settings.log.level ?? (process.stderr.isTTY ? 'warn' : 'info'), format: settings.log.format })
    const read = (): Settings => settingsFor(role, line.settings())
    const early = stopping.promise.then((words) => ({ early: words }))
    const opening = open(settings, role, live, line, log, (words) => stopping.resolve(words))
    const opened = await Promise.race([early, opening.then((app) => ({ app }))])
    if ('early' in opened) return await endEarly(opening, opened.early, line.terminal)
    const { app } = opened
    const reload = createReload({ settings, live, read, signatureOf, page: app.page, log })
    const started = await Promise.race([early, begin(app, settings, role, line)])
    const stopLooking = lookAgain(reload, log)
    const words = 'early' in started ? started.early : await stopping.promise
    stopLooking()
    return await end(app, words, line.terminal)
  },
}

function roleOf(word: string | boolean | undefined): RoleOfProcess {
  const role = ROLES_OF_PROCESSES.find((known) => known === (word ?? 'all'))
  if (role === undefined) throw new CommandFailed(`There is no role "${String(word)}": it is ${ROLES_OF_PROCESSES.join(', ')}.`, 2)
  return role
}

/** @throws CommandFailed for a part of the whole on a database that one process has for itself */
function settingsFor(role: RoleOfProcess, settings: Settings): Settings {
  if (role === 'all') return settings
  if (settings.databaseUrl === null) {
    throw new CommandFailed(
      `--role ${role} needs a PostgreSQL server, set DATABASE_URL: the embedded database belongs to one process. Leave --role away to run all of it here.`,
    )
  }
  return { ...settings, local: { enabled: false } }
}

async function demandPrepared(settings: Settings, role: RoleOfProcess, log: ReturnType<typeof createLog>): Promise<void> {
  if (role === 'all') return
  const missing = await migrationsToRun(settings, log).catch((cause: unknown) => [cause instanceof Error ? cause.message : String(cause)])
  if (missing === null || missing.length === 0) return
  throw new CommandFailed(
    `The database is not prepared for --role ${role} (${missing.join(', ')}): run "steadyhand migrate --split" as its owner, and let this process log in as a member of steadyhand_${role}.`,
  )
}

async function open(
  settings: Settings,
  role: RoleOfProcess,
  live: LiveSecrets,
  { terminal, now }: CommandLine,
  log: ReturnType<typeof createLog>,
  onLost: (words: string) => void,
): Promise<App> {
  await demandPrepared(settings, role, log)
  if (partsOf(role).edge && (await runningServer(settings)) !== null) {
    throw new CommandFailed(
      `Steadyhand runs already at ${addressOf(settings)}. Stop it first, or choose another PORT and STEADYHAND_DATA_DIR.`,
    )
  }
  if (partsOf(role).edge) await demandPort(settings).catch(cannotListen)
  return await withProgress(terminal, 'opening the database (a first start creates it)', now, () =>
    createApp(settings, log, { onLost, role, live }),
  )
}

async function begin(app: App, settings: Settings, role: RoleOfProcess, { terminal, now }: CommandLine): Promise<{ begun: true }> {
  try {
    const words = role === 'all' ? 'starting the services of the local target' : `starting the ${role}`
    const listening = await withProgress(terminal, words, now, () => app.start())
    if (listening) await greet(app, settings, listening.url, terminal)
    else terminal.say(`Steadyhand ${VERSION}: the ${role} runs`)
    return { begun: true }
  } catch (error) {
    await app.close()
    return cannotListen(error)
  }
}

function cannotListen(error: unknown): never {
  throw error instanceof CannotListen ? new CommandFailed(error.message) : error
}

async function greet(app: App, settings: Settings, url: string, terminal: Terminal): Promise<void> {
  const mode = await app.agent.mode()
  terminal.say(`Steadyhand ${VERSION}`)
  terminal.say(`  Console  ${settings.publicUrl ?? url}/`)
  terminal.say(`  Mode     ${mode.mode === 'act' ? 'acts, after the click of somebody who may' : 'observes only and runs nothing:'}`)
  if (mode.mode === 'observe') for (const reason of mode.reasons) terminal.say(`           - ${reason}`)
  terminal.say('  Try      npx steadyhand drill run bad-release --auto')
  const better = improvements(settings)
  if (better.length > 0) terminal.say('  Better with')
  for (const line of better) terminal.say(`           ${line}`)
}

/** Calls it now and then, one call at a time. Returns what ends that. */
function lookAgain(look: () => Promise<void>, log: { error(object: object, message: string): void }): () => void {
  let looking = false
  const timer = setInterval(async () => {
    if (looking) return
    looking = true
    await look().catch((err: unknown) => log.error({ err }, 'settings could not be looked at again'))
    looking = false
  }, LOOK_AGAIN_MS)
  return () => clearInterval(timer)
}

/** A database that is being made or brought up to date has that time to come to an end; a transaction that is cut off changes nothing. */
async function endEarly(opening: Promise<App>, words: string, terminal: Terminal): Promise<number> {
  if (!isSignal(words)) throw new CommandFailed(`The database was lost while it was being opened: ${words}. Start again.`)
  process.once('SIGINT', () => process.exit(130))
  terminal.say(`Stopping (${words}): the database was not open yet.`)
  const late = setTimeout(() => {
    terminal.say('Stopped.')
    process.exit(0)
  }, OPEN_WITHIN_MS)
  await opening.then((app) => app.close()).catch((error: unknown) => terminal.say(error instanceof Error ? error.message : String(error)))
  clearTimeout(late)
  terminal.say('Stopped.')
  return 0
}

const isSignal = (words: string): boolean => words === 'SIGTERM' || words === 'SIGINT'

async function end(app: App, words: string, terminal: Terminal): Promise<number> {
  const signalled = isSignal(words)
  const late = setTimeout(() => process.exit(1), STOP_WITHIN_MS)
  process.once('SIGINT', () => process.exit(130))
  if (signalled) terminal.say('Stopping: finishing what was begun …')
  await app.close()
  clearTimeout(late)
  if (!signalled) throw new CommandFailed(`The database was lost: ${words}. Start again; what was under way is settled then.`)
  terminal.say('Stopped.')
  return 0
}
