import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dirname, '..', '..', '..')
const reportSchema = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numFailedTestSuites: z.int(), success: z.boolean() })

export interface SuiteReport {
  passed: number
  failed: number
  /** Whether the run itself ended well, broken files included. */
  success: boolean
  /** What it printed, its failures above all. */
  output: string
}

const KEPT_OUTPUT = 60_000

/** Runs test files of the unit lane once more, on a PostgreSQL server; those that run on one only. */
export async function runSuitesOn(server: string, paths: readonly string[]): Promise<SuiteReport> {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-suites-'))
  const file = join(folder, 'report.json')
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [
    'run',
    '--project',
    'unit',
    '--testNamePattern',
    ON_A_SERVER,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${file}`,
  ]
  const child = spawn(process.execPath, [vitest, ...args, ...paths], { cwd: root, env: { ...process.env, TEST_DATABASE_URL: server } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-KEPT_OUTPUT)
    })
  try {
    await new Promise((resolve) => child.once('close', resolve))
    const { numPassedTests, numFailedTests, success } = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { passed: numPassedTests, failed: numFailedTests, success, output }
  } catch (cause) {
    throw new Error(`the suites did not run to their end:\n${output}`, { cause })
  } finally {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The suites on PGlite run in the unit lane already. */
const ON_A_SERVER = '\\(postgres\\)'
