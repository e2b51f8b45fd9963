import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Figure, formatReport } from './report.ts'

/** What a measurement is given. Its file exports `run(options: BenchOptions): Promise<readonly Figure[]>`. */
export type BenchOptions = {
  /** Folder with unpacked data, or null: then the measurement takes a small sample of its own. */
  readonly data: string | null
  /** Where to write the result of each case, or null. Its folder exists. */
  readonly out: string | null
  /** How often to repeat what is measured, at least 1; null: as often as the measurement itself thinks right. */
  readonly rounds: number | null
  /** By how many seconds the assumed start of a recorded trouble is too late; 0 unless asked for. */
  readonly late: number
  /** Names of the cases to measure, where a measurement has such; null: all of them. */
  readonly only: readonly string[] | null
}

export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>

/** The measurements there are, by name: each bench/NAME.ts or bench/NAME/run.ts that exports `run`. */
function benches(): Map<string, string> {
  const found = globSync(['*.ts', '*/run.ts'], { cwd: import.meta.dirname })
    .map((path) => join(import.meta.dirname, path))
    .filter(exportsRun)
  const named = found.map(
    (path) => [dirname(path) === import.meta.dirname ? basename(path, '.ts') : basename(dirname(path)), path] as const,
  )
  return new Map(named.sort())
}

function exportsRun(path: string): boolean {
  return /^export (const|function|async function) run\b/m.test(readFileSync(path, 'utf8'))
}

async function main(args: readonly string[]): Promise<number> {
  const known = benches()
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      out: { type: 'string' },
      rounds: { type: 'string' },
      late: { type: 'string' },
      only: { type: 'string' },
    },
  })
  const path = known.get(positionals[0] ?? '')
  if (path === undefined) {
    const asked = positionals[0] === undefined ? 'Which measurement?' : `There is no measurement ${positionals[0]}.`
    console.error(`${asked} There are: ${[...known.keys()].join(', ') || 'none yet'}.`)
    return 2
  }
  const data = values.data === undefined ? null : resolve(values.data)
  if (data !== null && !existsSync(data)) {
    console.error(`--data ${values.data}: there is no such folder.`)
    return 2
  }
  const rounds = values.rounds === undefined ? null : Number(values.rounds)
  if (rounds !== null && !(Number.isInteger(rounds) && rounds >= 1)) {
    console.error(`--rounds wants a whole number from 1 on, not ${values.rounds}.`)
    return 2
  }
  const late = Number(values.late ?? 0)
  if (!(Number.isFinite(late) && late >= 0)) {
    console.error(`--late wants seconds from 0 on, not ${values.late}.`)
    return 2
  }
  const out = values.out === undefined ? null : resolve(values.out)
  if (out !== null) mkdirSync(dirname(out), { recursive: true })
  const bench: { run: Bench } = await import(pathToFileURL(path).href)
  process.stdout.write(formatReport(await bench.run({ data, out, rounds, late, only: values.only?.split(',') ?? null })))
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // An argument that does not exist; a measurement that fails keeps its stack.
  if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  console.error(error.message)
  process.exitCode = 2
}
