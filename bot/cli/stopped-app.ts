import type { Settings } from '../config.ts'
import { createLog } from '../log.ts'
import { type App, createApp } from '../main.ts'
import { migrationsToRun } from '../offline.ts'
import { CommandFailed } from './failure.ts'

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
