import { writeFileSync } from 'node:fs'
import { type Ranking, rankComponents } from '../../agent/diagnosis/ranking/rank-components.ts'
import { distribution, type Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import type { RcaCase } from './case.ts'
import { readNezha } from './nezha.ts'
import { PEERS } from './peers.ts'
import { readPetShop } from './petshop.ts'
import { readSockShop } from './sockshop.ts'

/** What of a ranking is written down. */
const MAX_NAMES = 20

/**
 * Where recorded troubles came from, by the product's ranking and by published ones on the same input. The layout below `--data` is
 * recognised; without labels it prints times only.
 */
export async function run({ data, out, late }: BenchOptions): Promise<readonly Figure[]> {
  if (data === null) throw new Error('rca needs --data DIR: the unpacked Sock Shop, PetShop or Nezha recordings.')
  const cases = [...readSockShop(data, late), ...readPetShop(data), ...readNezha(data)]
  if (cases.length === 0) throw new Error(`${data} holds none of the known recordings.`)
  const done = cases.map(rankCase)
  if (out !== null) writeFileSync(out, done.map(({ line }) => `${JSON.stringify(line)}\n`).join(''))
  const suffix = late === 0 ? '' : `, noticed ${late} s late`
  return [...Map.groupBy(done, ({ dataset }) => dataset)].flatMap(([dataset, own]) => figuresOf(`${dataset}${suffix}`, own))
}

interface Done {
  dataset: string
  truth: string | null
  /** Names best first, by method. */
  rankings: Map<string, readonly string[]>
  abstained: boolean
  ms: number
  line: object
}

const OWN = 'Steadyhand'

function rankCase({ id, dataset, question, truth }: RcaCase): Done {
  const began = performance.now()
  try {
    const ranking = rankComponents(question)
    const ms = performance.now() - began
    const services = ranking.components.map(({ component }) => component)
    const peers = truth === null ? [] : Object.entries(PEERS).map(([name, rank]) => [name, rank(question)] as const)
    const { abstained } = ranking
    return { dataset, truth, rankings: new Map([[OWN, services], ...peers]), abstained, ms, line: lineOf(id, ranking, ms) }
  } catch (error) {
    const ms = performance.now() - began
    const line = { case: id, services: [], indicators: [], abstained: true, ms: Math.round(ms), error: String(error) }
    return { dataset, truth, rankings: new Map(), abstained: true, ms, line }
  }
}

function lineOf(id: string, { components, abstained }: Ranking, ms: number): object {
  const indicators = components
    .flatMap(({ component, reasons }) => reasons.map(({ metric, score }) => ({ name: `${component}_${metric}`, score })))
    .toSorted((a, b) => b.score - a.score)
  return {
    case: id,
    services: components.slice(0, MAX_NAMES).map(({ component }) => component),
    indicators: indicators.slice(0, MAX_NAMES).map(({ name }) => name),
    abstained,
    ms: Math.round(ms),
    scores: components.slice(0, MAX_NAMES).map(({ score }) => Math.round(score * 100) / 100),
  }
}

function figuresOf(dataset: string, done: readonly Done[]): Figure[] {
  const labelled = done.filter(({ truth }) => truth !== null)
  const methods = labelled.length === 0 ? [] : [OWN, ...Object.keys(PEERS)]
  const told = labelled.filter(({ abstained }) => !abstained)
  return [
    ...methods.flatMap((method) => accuracies(`${dataset}: ${method}`, labelled, method)),
    ...(told.length === 0
      ? []
      : [
          { name: `${dataset}: ${OWN} said it did not know`, value: 1 - told.length / labelled.length, unit: '', n: labelled.length },
          { name: `${dataset}: ${OWN} top-1 where it said it knew`, value: shareWithin(told, OWN, 1), unit: '', n: told.length },
        ]),
    distribution(
      `${dataset}: one ranking`,
      'ms',
      done.map(({ ms }) => ms),
    ),
  ]
}

function accuracies(name: string, done: readonly Done[], method: string): Figure[] {
  const within = [1, 2, 3, 4, 5].map((places) => shareWithin(done, method, places))
  const [top1 = 0, , top3 = 0] = within
  const average = within.reduce((sum, share) => sum + share, 0) / within.length
  return [
    { name: `${name} top-1`, value: top1, unit: '', n: done.length },
    { name: `${name} top-3`, value: top3, unit: '', n: done.length },
    { name: `${name} Avg@5`, value: average, unit: '', n: done.length },
  ]
}

function shareWithin(done: readonly Done[], method: string, places: number): number {
  const right = done.filter(({ truth, rankings }) => truth !== null && (rankings.get(method) ?? []).slice(0, places).includes(truth))
  return done.length === 0 ? 0 : right.length / done.length
}
