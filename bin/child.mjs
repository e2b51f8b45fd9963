import { spawn } from 'node:child_process'

/**
 * Runs a program to its end. Signals sent to this process reach it; this process never ends before it does.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, error?: Error }>}
 */
export function runChild(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options)
    const forward = (signal) => child.kill(signal)
    // A terminal sends Ctrl-C to the child as well; passing it on would make it two.
    const fromTerminal = () => {}
    const handlers = [
      ['SIGTERM', forward],
      ['SIGHUP', forward],
      ['SIGINT', process.stdin.isTTY ? fromTerminal : forward],
    ]
    for (const [signal, handler] of handlers) process.on(signal, handler)
    const settle = (end) => {
      for (const [signal, handler] of handlers) process.off(signal, handler)
      resolve(end)
    }
    child.once('error', (error) => settle({ code: null, signal: null, error }))
    child.once('exit', (code, signal) => settle({ code, signal }))
  })
}
