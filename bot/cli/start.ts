import { exposureProblem, type Settings } from '../config.ts'
import { CannotListen } from '../listen.ts'
import { createLog } from '../log.ts'
import { type App, createApp, VERSION } from '../main.ts'
import type { CliCommand, CommandLine } from './command.ts'
import { CommandFailed } from './failure.ts'
import { improvements } from './improvements.ts'
import { addressOf, runningServer } from './server-at.ts'
import { type Terminal, withProgress } from './terminal.ts'

/** A process that is told to stop is gone by then, whatever it still waits for: what was sent is settled at the next start. */
const STOP_WITHIN_MS = 9_000

export const startCommand: CliCommand = {
  name: 'start',
  usage: 'start',
  summary: 'runs Steadyhand in this terminal until it is told to stop',
  details: [
    'Settings come from the environment, and from steadyhand.yaml or the file that STEADYHAND_CONFIG names.',
    'SIGTERM or Ctrl-C finishes what was begun and ends within ten seconds.',
  ],
  options: {},
  async run(line) {
    const settings = line.settings()
    const exposed = exposureProblem(settings)
    if (exposed !== null) throw new CommandFailed(exposed)
    const stopping = Promise.withResolvers<string>()
    const app = await open(settings, line, (words) => stopping.resolve(words))
    // A program and its process group are often told both: a second SIGTERM must not cut the orderly end short.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.resolve(signal))
    const early = stopping.promise.then((words) => ({ early: words }))
    const started = await Promise.race([early, begin(app, settings, line)])
    const words = 'early' in started ? started.early : await stopping.promise
    return await end(app, words, line.terminal)
  },
}

async function open(settings: Settings, { terminal, now }: CommandLine, onLost: (words: string) => void): Promise<App> {
  const log = createLog({ level: settings.log.level ?? (process.stderr.isTTY ? 'warn' : 'info') })
  if ((await runningServer(settings)) !== null) {
    throw new CommandFailed(
      `Steadyhand runs already at ${addressOf(settings)}. Stop it first, or choose another PORT and STEADYHAND_DATA_DIR.`,
    )
  }
  return await withProgress(terminal, 'opening the database (the first start creates it)', now, () => createApp(settings, log, { onLost }))
}

async function begin(app: App, settings: Settings, { terminal, now }: CommandLine): Promise<{ url: string }> {
  try {
    const { url } = await withProgress(terminal, 'starting the services of the local target', now, () => app.start())
    await greet(app, settings, url, terminal)
    return { url }
  } catch (error) {
    await app.close()
    if (error instanceof CannotListen) throw new CommandFailed(error.message)
    throw error
  }
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

async function end(app: App, words: string, terminal: Terminal): Promise<number> {
  const signalled = words === 'SIGTERM' || words === 'SIGINT'
  const late = setTimeout(() => process.exit(1), STOP_WITHIN_MS)
  process.once('SIGINT', () => process.exit(130))
  if (signalled) terminal.say('Stopping: finishing what was begun …')
  await app.close()
  clearTimeout(late)
  if (!signalled) throw new CommandFailed(`The database was lost: ${words}. Start again; what was under way is settled then.`)
  terminal.say('Stopped.')
  return 0
}
