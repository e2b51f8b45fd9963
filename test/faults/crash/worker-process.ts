import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Order, Said } from './messages.ts'

const PROGRAM = fileURLToPath(new URL('./worker.ts', import.meta.url))
/** A machine that is busy with other things may take minutes; a worker that hangs is found all the same. */
const ANSWER_MS = 300_000

/** A worker and what it says. */
export interface WorkerProcess {
  pid: number
  tell(order: Order): void
  /** Waits for one of these answers. @throws Error when it says that it failed, dies, or stays silent for five minutes */
  hear<S extends Said['said']>(...kinds: S[]): Promise<Extract<Said, { said: S }>>
  /** Resolves when it is gone, with the signal that ended it. */
  ended: Promise<NodeJS.Signals | null>
  isAlive(): boolean
  /** In what words it said that it failed; null while it has not. */
  failure(): string | null
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Whether it is stopped, as the kernel says. */
  isStopped(): boolean
}

/** Processes that live for a second are through sooner without the compiler that makes long-lived ones fast. */
const FOR_SHORT_LIVES = ['--liftoff-only']

/** Starts a worker that has loaded its program and waits for `open`. Node keeps what it compiled, so that the next one starts faster. */
export function startWorker(): WorkerProcess {
  const child = fork(PROGRAM, {
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'steadyhand-compiled') },
    execArgv: FOR_SHORT_LIVES,
  })
  const heard: Said[] = []
  let listener: (() => void) | null = null
  child.on('message', (message: Said) => {
    heard.push(message)
    listener?.()
  })
  const ended = once(child, 'exit').then(([, signal]) => {
    listener?.()
    return signal as NodeJS.Signals | null
  })
  const alive = (): boolean => child.exitCode === null && child.signalCode === null
  const failure = (): string | null => {
    const failed = heard.find((message) => message.said === 'failed')
    return failed?.said === 'failed' ? failed.words : null
  }
  return {
    pid: child.pid ?? 0,
    ended,
    isAlive: alive,
    failure,
    tell: (order) => void child.send(order),
    signal: (signal) => void child.kill(signal),
    isStopped: () => /^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async hear<S extends Said['said']>(...kinds: S[]) {
      const end = Date.now() + ANSWER_MS
      for (;;) {
        const failed = failure()
        if (failed) throw new Error(`the worker failed: ${failed}`)
        const index = heard.findIndex(({ said }) => (kinds as string[]).includes(said))
        if (index >= 0) return heard.splice(index, 1)[0] as Extract<Said, { said: S }>
        if (!alive()) throw new Error(`the worker ended (${child.signalCode ?? child.exitCode}) instead of saying ${kinds.join(' or ')}`)
        if (Date.now() > end) throw new Error(`the worker has not said ${kinds.join(' or ')} for five minutes`)
        const wake = Promise.withResolvers<void>()
        listener = wake.resolve
        await Promise.race([wake.promise, pause(1_000)])
      }
    },
  }
}
