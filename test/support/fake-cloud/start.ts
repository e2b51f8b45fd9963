import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./program.ts', import.meta.url))

/** A running fake cloud. */
export interface FakeCloud {
  url: string
  /** As by `kill -9`: what it has answered is in its ledger, and the next one on the same ledger goes on from there. */
  kill(): Promise<void>
}

/** Starts the cloud of a ledger; `offset` is by how many seconds its clock is ahead. */
export async function startFakeCloud(ledger: string, offset = 0): Promise<FakeCloud> {
  const child = spawn(process.execPath, [PROGRAM, ledger, String(offset)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const port = await firstLine(child)
  return {
    url: `http://127.0.0.1:${port}`,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function firstLine(child: ChildProcess): Promise<number> {
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('the fake cloud ended instead of starting')))
  failed.catch(() => {})
  const said = child.stdout ? once(child.stdout, 'data') : Promise.reject(new Error('no output'))
  const [data] = (await Promise.race([said, failed])) as [Buffer]
  return Number(data.toString('utf8'))
}
