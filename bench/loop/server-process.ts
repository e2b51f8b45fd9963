import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const CLI = join(import.meta.dirname, '..', '..', 'bot', 'cli.ts')
const COMPILED = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'node-compile')
const READY_WITHIN_MS = 60_000

/** Steadyhand as a process of its own, as a person would start it. */
export interface ServerProcess {
  url: string
  /** Milliseconds from the start of the process to the first "ready". */
  readyMs: number
  /** Resident memory of the main process in MB; null where the system does not tell. */
  memoryMb(): number | null
  /** Ends it as an operator would; resolves with the milliseconds that took. */
  stop(): Promise<number>
}

/** @throws Error with what the process said, when it is not ready in time */
export async function startServer(dataDir: string): Promise<ServerProcess> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [CLI, 'start'], {
    cwd: dataDir,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, PORT: String(port), STEADYHAND_DATA_DIR: dataDir, LOG_LEVEL: 'error' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk
    })
  const url = `http://127.0.0.1:${port}`
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() - began > READY_WITHIN_MS) throw new Error(`the server did not become ready: ${said}`)
    await pause(10)
  }
  const readyMs = performance.now() - began
  return { url, readyMs, memoryMb: () => residentMb(child.pid ?? 0), stop: () => stop(child) }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}

function residentMb(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024
  } catch {
    return null
  }
}

async function stop(child: ChildProcess): Promise<number> {
  const began = performance.now()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await ended
  }
  return performance.now() - began
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
