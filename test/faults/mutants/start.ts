import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Runs the mutants in a process of their own, because the tests are collected there by a stand-in for the test framework. */
export async function runMutants(
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<{ code: number; lines: string[] }> {
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'run.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      lines.push(line)
      onLine(line)
    }
  })
  const [code] = await once(child, 'close')
  return { code: Number(code), lines }
}
