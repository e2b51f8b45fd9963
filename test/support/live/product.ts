import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { Client } from '../edge/client.ts'
import { freePort } from '../edge/free-port.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const COMPILED = join(root, 'node_modules', '.cache', 'node-compile')
const READY_WITHIN_SECONDS = 120
const STOP_WITHIN_MS = 20_000

export type Environment = Readonly<Record<string, string>>

/** A command that ended: its exit code, what it said, and the last line of that. */
export interface Finished {
  code: number | null
  output: string
  last: string
}

/** The product as a process of its own. */
export interface Product {
  url: string
  pid: number
  output(): string
  /** Somebody who is not signed in. */
  client: Client
  as(person: string): Promise<Client>
  /** The exit code; null when a signal ended it. */
  ended: Promise<number | null>
  /** As by the kernel when memory is short: nothing of it runs one more line. */
  killHard(): Promise<void>
  /** In good order. Resolves with the exit code. */
  stop(): Promise<number | null>
}

/** One installation: a folder with its settings and its data, and commands on it. */
export interface Installation {
  folder: string
  /** Starts the product and waits until it takes alerts. It is ended with the test. */
  start(environment?: Environment, args?: readonly string[]): Promise<Product>
  /** Starts what serves nobody. It is ended with the test. */
  begin(
    args: readonly string[],
    environment?: Environment,
  ): { output(): string; ended: Promise<number | null>; stop(): Promise<number | null> }
  /** Runs a command to its end. */
  run(args: readonly string[], environment?: Environment): Promise<Finished>
}

export interface InstallOptions {
  /** The environment of everything that runs in it. */
  settings?: Environment
  /** Data to begin with, see `migratedData`; without it the first start creates its database. */
  data?: string
}

/** A folder that is one installation; whatever runs in it ends with the test, and it is removed then. */
export function install(
  { onTestFinished, onTestFailed }: Pick<TestContext, 'onTestFinished' | 'onTestFailed'>,
  { settings = {}, data }: InstallOptions = {},
): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-product-'))
  if (data !== undefined) cpSync(data, join(folder, 'data'), { recursive: true })
  const children = new Set<ChildProcess>()
  onTestFinished(async () => {
    for (const child of children) await end(child, 'SIGKILL')
    remove(folder)
  })
  const launch = (args: readonly string[], environment: Environment): Launched => {
    const launched = launchIn(folder, args, { ...settings, ...environment })
    children.add(launched.child)
    onTestFailed(() => console.error(`${args.join(' ')} said:\n${launched.output()}`))
    return launched
  }
  return {
    folder,
    async start(environment = {}, args = ['start']) {
      const port = Number(settings['PORT'] ?? (await freePort()))
      return await ready(launch(args, { PORT: String(port), ...environment }), port)
    },
    begin(args, environment = {}) {
      const { child, output, ended } = launch(args, environment)
      return {
        output,
        ended,
        async stop() {
          await end(child, 'SIGTERM')
          return await ended
        },
      }
    },
    run: async (args, environment = {}) => await finish(launch(args, environment)),
  }
}

/** The data of an installation that never ran: copies of it spare each test the creation of a database. `remove` deletes it. */
export async function migratedData(): Promise<{ data: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-data-'))
  const { code, output } = await finish(launchIn(folder, ['migrate'], {}))
  if (code !== 0) throw new Error(`the database could not be made: ${output}`)
  return { data: join(folder, 'data'), remove: () => remove(folder) }
}

interface Launched {
  child: ChildProcess
  output: () => string
  ended: Promise<number | null>
}

function launchIn(folder: string, args: readonly string[], environment: Environment): Launched {
  const env = { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: COMPILED, LOG_LEVEL: 'warn', ...environment }
  const child = spawn(process.execPath, [join(root, 'bin', 'steadyhand.mjs'), ...args], { cwd: folder, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  return { child, output: () => output, ended: new Promise((resolve) => child.once('close', resolve)) }
}

async function finish({ ended, output }: Launched): Promise<Finished> {
  const code = await ended
  return { code, output: output(), last: output().trimEnd().split('\n').at(-1) ?? '' }
}

async function ready({ child, output, ended }: Launched, port: number): Promise<Product> {
  const url = `http://127.0.0.1:${port}`
  const client = new Client(url)
  await until(
    'the product is ready',
    async () => {
      if (!isAlive(child)) throw new Error(`it ended instead of starting:\n${output()}`)
      return (await client.get('/readyz').catch(() => null))?.status === 200
    },
    READY_WITHIN_SECONDS,
    output,
  )
  return {
    url,
    pid: child.pid ?? 0,
    output,
    client,
    ended,
    async as(person) {
      const browser = new Client(url)
      await browser.signIn(person)
      return browser
    },
    killHard: async () => await end(child, 'SIGKILL'),
    async stop() {
      await end(child, 'SIGTERM')
      return await ended
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(child)) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await gone
  clearTimeout(late)
}

/** Services of the shop may write a last file while they see that they are alone. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}
