import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A user of the operating system, by number. */
export type SystemUser = { readonly uid: number; readonly gid: number }

export type PeerProcess = {
  readonly command: string
  readonly args: readonly string[]
  /** Runs the program as somebody else; only root may. */
  readonly user?: SystemUser | undefined
  /** Asks whether the peer takes requests; may throw while it does not. */
  readonly ready: () => Promise<boolean>
  /** The signal that ends it in good order. */
  readonly stopSignal?: NodeJS.Signals
  /** Called once the program is gone, also when it never got ready. */
  readonly cleanUp: () => void
}

const START_DEADLINE_MS = 25_000
const STOP_DEADLINE_MS = 10_000
const LOOK_AGAIN_MS = 50
const KEPT_OUTPUT = 4_000

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The operating system gave no port.')
  return address.port
}

/** A new folder for one peer's files; `remove` deletes it. */
export function temporaryFolder(owner?: SystemUser): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'steadyhand-peer-'))
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Starts a program and waits until it takes requests.
 * @returns a function that stops it and waits for its end
 * @throws Error with the program's last output, when it ends or is not ready within 25 s
 */
export async function startProcess(peer: PeerProcess): Promise<() => Promise<void>> {
  const child = spawn(peer.command, peer.args, { stdio: ['ignore', 'pipe', 'pipe'], ...peer.user })
  const output = collectOutput(child)
  const ended = once(child, 'exit').catch((error: unknown) => error)
  const killWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const stop = async (): Promise<void> => {
    process.off('exit', killWithUs)
    if (isAlive(child)) {
      child.kill(peer.stopSignal ?? 'SIGTERM')
      const late = setTimeout(killWithUs, STOP_DEADLINE_MS)
      await ended
      clearTimeout(late)
    }
    peer.cleanUp()
  }
  const deadline = Date.now() + START_DEADLINE_MS
  while (!(await isReady(peer))) {
    const alive = isAlive(child)
    if (!alive || Date.now() > deadline) {
      await stop()
      throw new Error(`${peer.command} ${alive ? 'was not ready in time' : 'ended instead of starting'}:\n${output()}`)
    }
    await wait(LOOK_AGAIN_MS)
  }
  return stop
}

/** Whether an HTTP address answers with a status of 200 to 299. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url)
  await response.body?.cancel()
  return response.ok
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function isReady(peer: PeerProcess): Promise<boolean> {
  try {
    return await peer.ready()
  } catch {
    // Nothing listens yet: the caller's deadline decides when that has lasted too long, and shows the program's own words.
    return false
  }
}

function collectOutput(child: ChildProcess): () => string {
  let text = ''
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-KEPT_OUTPUT)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => text
}
