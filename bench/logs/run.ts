import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { learnHeader } from '../../agent/detection/log-header.ts'
import { createLogTemplates } from '../../agent/detection/log-templates.ts'
import { csvRow, readCsv } from '../csv.ts'
import type { Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { createDrain } from './drain.ts'
import { groupingAccuracy } from './grouping-accuracy.ts'
import { sampleLines } from './sample-lines.ts'

/** The header is learned from these, and every line is measured. */
const HEADER_LINES = 200
/** Lines for the throughput, with what is learned counted in. */
const TIMED_LINES = 400_000

interface System {
  name: string
  lines: readonly string[]
  /** A label for each line; null where the labels are kept elsewhere. */
  truth: readonly string[] | null
}

interface Parsed {
  ids: number[]
  templates: string[]
}

/** Templates of `<System>/<System>_2k.log` below the data folder: how many lines are grouped as the labels say, and how many lines a second. */
export async function run({ data, out }: BenchOptions): Promise<readonly Figure[]> {
  const systems = data === null ? [{ name: 'sample', ...sampleLines() }] : readSystems(data)
  if (systems.length === 0) throw new Error('The data folder holds no <System>/<System>_2k.log.')
  const figures = systems.flatMap((system) => {
    const [own, peer] = [parse(system.lines), parseByDrain(system.lines)]
    if (out !== null) writeGroups(out, system.name, own)
    const { truth, name } = system
    if (truth === null) return []
    return [
      { name: `grouping accuracy, ${name}`, value: groupingAccuracy(own.ids, truth), unit: '', n: truth.length },
      { name: `grouping accuracy of Drain, ${name}`, value: groupingAccuracy(peer.ids, truth), unit: '', n: truth.length },
    ]
  })
  const [own, peer] = [figures.filter((_, index) => index % 2 === 0), figures.filter((_, index) => index % 2 === 1)]
  return [
    ...figures,
    ...(own.length > 0 ? [mean('grouping accuracy, mean', own), mean('grouping accuracy of Drain, mean', peer)] : []),
    { name: 'throughput of one core', value: throughput(systems), unit: 'lines/s', n: TIMED_LINES },
  ]
}

function readSystems(data: string): System[] {
  return globSync('*/*_2k.log', { cwd: data })
    .toSorted()
    .map((path) => {
      const lines = linesOf(readFileSync(join(data, path), 'utf8'))
      const labels = join(data, `${path}_structured.csv`)
      return { name: basename(dirname(path)), lines, truth: existsSync(labels) ? readLabels(labels) : null }
    })
}

/** Lines end with a line feed; a last one without it counts. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function readLabels(path: string): string[] {
  const [heading = [], ...rows] = readCsv(readFileSync(path, 'utf8'))
  const column = heading.indexOf('EventId')
  if (column === -1) throw new Error(`${path} has no column EventId.`)
  return rows.map((row) => row[column] ?? '')
}

function parse(lines: readonly string[]): Parsed {
  const miner = createLogTemplates(learnHeader(lines.slice(0, HEADER_LINES)))
  const tickets = lines.map((line) => miner.add(line))
  // What was learned up to the last line decides.
  miner.templates()
  const found = tickets.map((ticket) => miner.templateOf(ticket))
  return { ids: found.map(({ id }) => id), templates: found.map(({ text }) => text) }
}

/** With the same header taken off, so that only the grouping differs. */
function parseByDrain(lines: readonly string[]): Parsed {
  const header = learnHeader(lines.slice(0, HEADER_LINES))
  const drain = createDrain()
  const ids = lines.map((line) => drain.add(line.slice(header.messageStart(line))))
  return { ids, templates: ids.map((id) => drain.template(id)) }
}

function writeGroups(out: string, name: string, { ids, templates }: Parsed): void {
  mkdirSync(out, { recursive: true })
  const rows = ids.map((id, index) => csvRow([index + 1, id, templates[index] ?? '']))
  writeFileSync(join(out, `${name}.csv`), `line,template_id,template\n${rows.join('\n')}\n`)
}

function mean(name: string, figures: readonly Figure[]): Figure {
  const [sum, n] = [figures.reduce((total, { value }) => total + value, 0), figures.reduce((total, figure) => total + figure.n, 0)]
  return { name, value: sum / figures.length, unit: '', n }
}

/** All systems' lines over and over, each system with templates of its own that are learned from nothing; in time of the processor. */
function throughput(systems: readonly System[]): number {
  const miners = systems.map(({ lines }) => ({ lines, miner: createLogTemplates(learnHeader(lines.slice(0, HEADER_LINES))) }))
  let count = 0
  const began = process.cpuUsage()
  while (count < TIMED_LINES) {
    for (const { lines, miner } of miners) {
      for (const line of lines) miner.add(line)
      count += lines.length
    }
  }
  const { user, system } = process.cpuUsage(began)
  return Math.round(count / ((user + system) / 1e6))
}
